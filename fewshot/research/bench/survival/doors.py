"""Every door that takes bytes from outside, with bytes that are right, so that others can be made from them."""

from __future__ import annotations

import io
import json
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from fewshot.app.recording import Recording
from fewshot.app.uploads import Upload, save_class, save_student, thumbnail_of
from fewshot.classroom.consent import read_consent_list
from fewshot.live.sources import open_source
from fewshot.pictures import read_picture
from fewshot.prototypes.population import Population
from fewshot.research.bench.survival import trust_doors
from fewshot.research.bench.survival.damage import fill_store, read_store
from fewshot.vault.key_file import FILE as KEYS


@dataclass(frozen=True, slots=True)
class Door:
    """Something that takes bytes. Whatever they are, it ends with a result or with a ``FewshotError``.

    Attributes:
        right: makes bytes that it can read.
        take: gives it bytes; the second argument is an empty folder.
        share: of 1000 inputs, how many it gets; a door that is quick gets more.
        files: whether it needs the folder; without it a door is quicker.
    """

    right: Callable[[], list[bytes]]
    take: Callable[[bytes, Path], object]
    share: int
    files: bool = True


@cache
def pictures() -> list[bytes]:
    """A small picture in each usual format."""
    values = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    image, found = Image.fromarray(values), []
    exif = Image.Exif()
    exif[0x0112] = 6
    for kind, words in (
        ("JPEG", {"exif": exif}), ("PNG", {}), ("WEBP", {}), ("GIF", {}), ("BMP", {}), ("JPEG2000", {}),
        ("TIFF", {"compression": "tiff_lzw"}), ("TIFF", {}), ("PPM", {}), ("AVIF", {}),
    ):  # fmt: skip
        target = io.BytesIO()
        try:
            image.save(target, kind, **words)
        except (OSError, KeyError):  # this build of Pillow cannot write it
            continue
        found.append(target.getvalue())
    return found


@cache
def archives() -> list[bytes]:
    """Zips of photos: packed and not, and with names that are not in ASCII."""
    found = []
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w", method) as archive:
            for name in ("asha/happy/1.jpg", "zoé/sad/2.png", "zoé/3.jpg", "consent.csv"):
                archive.writestr(name, pictures()[0][:200])
        found.append(target.getvalue())
    return found


@cache
def videos() -> list[bytes]:
    """Videos of a second, as OpenCV writes them."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for name, letters in (("x.avi", "MJPG"), ("x.mp4", "mp4v")):
            path = Path(folder) / name
            writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*letters), 10, (64, 48))
            for index in range(10):
                writer.write(np.full((48, 64, 3), index * 20, np.uint8))
            writer.release()
            found.append(path.read_bytes())
    return found


_keys: list[bytes] = []


@cache
def stores() -> list[bytes]:
    """A small store with a class and a lesson."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.db"
        fill_store(path, seconds=3)
        _keys.append(path.with_name(KEYS).read_bytes())
        return [path.read_bytes()]


def put_store(content: bytes, path: Path) -> Path:
    """Write a store with the keys of ``stores`` beside it. Returns its path."""
    stores()
    path.write_bytes(content)
    path.with_name(KEYS).write_bytes(_keys[0])
    return path


def lists() -> list[bytes]:
    """Lists of consents as spreadsheets write them."""
    text = "student,given_by,date,purpose,until\nAsha,her mother,2026-01-31,lessons,2027-01-31\nZoé,she,31.01.2026,,\n"
    other = 'sep=;\r\n"student";"given_by";"date"\r\n"Łukasz; B.";"""he""";"1/2/2026"\r\n'
    return [text.encode(), other.encode("cp1250"), text.encode("utf-16"), text.replace(",", "\t").encode("utf-8-sig")]


def names() -> list[bytes]:
    """Names of uploaded files, one per line."""
    return [
        "asha/happy/1.jpg\nzoé/2.png\nasha/happy".encode(),
        b"photos/dana_neutral.jpg\nphotos\\ben_happy.jpg\n../x.jpg",
    ]


def population() -> list[bytes]:
    """The JSON file beside the network."""
    return [files("fewshot").joinpath("weights/expression.json").read_bytes()]


@cache
def recordings() -> list[bytes]:
    """A lesson that can be played again."""
    target = io.BytesIO()
    head = {"version": 1, "labels": ["happy"], "students": ["asha"], "about": {}}
    np.savez_compressed(
        target, head=np.array(json.dumps(head)), times=np.zeros(2, np.float32), states=np.zeros((2, 1), np.int8),
        changes=np.zeros((1, 1, 2), np.uint8), boxes=np.zeros((2, 1, 4), np.int16),
    )  # fmt: skip
    return [target.getvalue()]


def _file(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def _picture(content: bytes, folder: Path) -> None:
    read_picture(_file(folder, "x.jpg", content))


def _upload(content: bytes, _folder: Path) -> None:
    thumbnail_of("x.png", content)


def _archive(content: bytes, folder: Path) -> None:
    save_class([Upload("x.zip", content)], folder / "class", ["Zoé"])


def _names(content: bytes, folder: Path) -> None:
    uploads = [Upload(line, b"x") for line in content.decode("utf-8", "surrogateescape").split("\n") if line]
    try:
        save_class(uploads, folder / "class")
    finally:
        save_student(uploads, folder / "student", "asha")


def _video(content: bytes, folder: Path) -> None:
    source = open_source(_file(folder, "x.mp4", content))
    try:
        for _ in islice(source, 12):
            pass
    finally:
        source.close()


def _consents(content: bytes, folder: Path) -> None:
    read_consent_list(_file(folder, "consent.csv", content), ["Zoé"])


def _population(content: bytes, folder: Path) -> None:
    Population.load(_file(folder, "population.json", content))


def _recording(content: bytes, folder: Path) -> None:
    Recording.load(_file(folder, "x.npz", content))


def _store(content: bytes, folder: Path) -> None:
    read_store(put_store(content, folder / "x.db"))


DOORS: dict[str, Door] = {
    "picture": Door(pictures, _picture, 8),
    "uploaded picture": Door(pictures, _upload, 8),
    "zip": Door(archives, _archive, 8),
    "names of uploads": Door(names, _names, 4),
    "consent.csv": Door(lists, _consents, 15),
    "JSON": Door(population, _population, 60),
    "recording": Door(recordings, _recording, 30),
    "video": Door(videos, _video, 4),
    "store": Door(stores, _store, 1),
    "keys.json": Door(trust_doors.key_files, trust_doors.use_keys, 12),
    "recovery file": Door(trust_doors.recovery_files, trust_doors.take_recovery, 25),
    "backup": Door(trust_doors.backups, trust_doors.open_backup, 60),
    "receipt": Door(trust_doors.receipts, trust_doors.read_receipt, 60),
    "frame of a WebSocket": Door(trust_doors.socket_frames, trust_doors.take_frame, 25, files=False),
    "message of a WebSocket": Door(trust_doors.socket_messages, trust_doors.take_message, 680, files=False),
}
"""Name -> door."""


def give(door: str, content: bytes) -> None:
    """Give bytes to a door, in a folder that is removed afterwards.

    Raises:
        FewshotError: they are not what was expected; anything else is a fault of the program.
    """
    if not DOORS[door].files:
        DOORS[door].take(content, Path())
        return
    folder = Path(tempfile.mkdtemp(prefix="fewshot-door-"))
    try:
        DOORS[door].take(content, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
