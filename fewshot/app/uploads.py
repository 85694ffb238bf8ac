"""Turns what a browser sends (single photos, a folder, a zip) into the folder that enrollment reads."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import cv2

from fewshot.classroom.names import check_name, emotion_of
from fewshot.classroom.photos import shrink
from fewshot.clutter import in_clutter
from fewshot.errors import FewshotError, UsageError
from fewshot.pictures import read_picture
from fewshot.types import EMOTIONS

MOST_FILES, MOST_BYTES = 3000, 1 << 30
"""A zip with more files or bytes than this is refused before anything is written."""


@dataclass(frozen=True, slots=True)
class Upload:
    """One file from the browser: its name, with folders if a folder was sent, and its bytes."""

    name: str
    data: bytes


def save_class(uploads: Sequence[Upload], folder: Path) -> list[str]:
    """Lay out photos of several students as ``folder/<student>/[<emotion>/]file``.

    Args:
        uploads: files with ``<student>/...`` in their names, or zips of such folders.
        folder: an empty one.

    Returns:
        The students.

    Raises:
        UsageError: a zip is damaged or too large, or a file is not in a student's folder.
    """
    files = _without_common_top(list(_unpacked(uploads)))
    loose = [name for name, _ in files if len(PurePosixPath(name).parts) < 2 and not name.endswith(".csv")]
    if loose:
        raise UsageError(
            f"{loose[0]} is not in a student's folder. Upload a folder or a zip file with one folder per student, or "
            "use the tab “One student”."
        )
    for name, data in files:
        _write(folder.joinpath(*PurePosixPath(name).parts), data)
    return sorted({PurePosixPath(name).parts[0] for name, _ in files if len(PurePosixPath(name).parts) > 1})


def save_student(uploads: Sequence[Upload], folder: Path, student: str, emotion: str | None = None) -> Path:
    """Lay out photos of one student; folders inside a zip count as emotions unless ``emotion`` is given.

    Returns:
        The folder of the student's photos.

    Raises:
        UsageError: the name is not allowed, or a zip is damaged or too large.
    """
    target = folder / check_name(student, "student")
    target.mkdir(parents=True, exist_ok=True)
    for name, data in _unpacked(uploads):
        parts = PurePosixPath(name).parts
        inner = [emotion] if emotion else list(parts[-2:-1])
        _write(target.joinpath(*inner, parts[-1]), data)
    return target


def thumbnail(path: Path, side: int = 220) -> bytes | None:
    """A small JPEG of a photo, to show beside the reason why it was refused; None if it is not a picture."""
    try:
        small = shrink(read_picture(path, side * side * 4), side)
    except FewshotError:
        return None
    ok, encoded = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 82])
    return encoded.tobytes() if ok else None


def thumbnail_of(name: str, data: bytes) -> bytes:
    """A small JPEG of an uploaded picture.

    Raises:
        UsageError: it is not a picture.
    """
    with tempfile.TemporaryDirectory(prefix="fewshot-picture-") as folder:
        path = Path(folder) / f"picture{PurePosixPath(name).suffix}"
        path.write_bytes(data)
        small = thumbnail(path)
    if small is None:
        raise UsageError(f"{name} cannot be read as a picture. Use a JPEG, PNG or HEIC file.")
    return small


def _unpacked(uploads: Iterable[Upload]) -> Iterator[tuple[str, bytes]]:
    for upload in uploads:
        if upload.name.lower().endswith(".zip"):
            yield from _from_zip(upload)
        elif not _is_noise(upload.name):
            yield _safe(upload.name), upload.data


def _from_zip(upload: Upload) -> Iterator[tuple[str, bytes]]:
    try:
        with zipfile.ZipFile(io.BytesIO(upload.data)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir() and not _is_noise(entry.filename)]
            size = sum(entry.file_size for entry in entries)
            if len(entries) > MOST_FILES or size > MOST_BYTES:
                raise UsageError(
                    f"{upload.name} contains {len(entries)} files ({size >> 20} MB unpacked). The limit is "
                    f"{MOST_FILES} files and {MOST_BYTES >> 20} MB. Split it, and upload the parts one by one."
                )
            for entry in entries:
                yield _safe(entry.filename), archive.read(entry)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError) as error:
        raise UsageError(
            f"{upload.name} cannot be unpacked ({error}). Make the zip again, without a password."
        ) from error


def _safe(name: str) -> str:
    """The name without parts that lead out of its folder."""
    parts = [part for part in PurePosixPath(name.replace("\\", "/")).parts if part not in ("/", "..", ".") and part]
    if not parts:
        raise UsageError("One of the files has no name. Rename it, and upload it again.")
    return "/".join(part.replace(":", "_") for part in parts)


def _is_noise(name: str) -> bool:
    return in_clutter(PurePosixPath(*(part for part in name.replace("\\", "/").split("/") if part not in (".", ".."))))


def _without_common_top(files: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    """Remove a folder that contains all the others: people often zip ``photos/`` instead of its content."""
    paths = [PurePosixPath(name).parts for name, _ in files]
    tops = {parts[0] for parts in paths}
    deep = [parts for parts in paths if parts[-1].lower() != "consent.csv"]
    inner = {parts[1] for parts in deep if len(parts) > 2}
    one_student = len(inner) < 2 or any(_is_emotion(name) for name in inner)
    if len(tops) == 1 and all(len(parts) > 2 for parts in deep) and not one_student:
        return [("/".join(PurePosixPath(name).parts[1:]), data) for name, data in files]
    return files


def _is_emotion(name: str) -> bool:
    try:
        return emotion_of(name) in EMOTIONS
    except UsageError:
        return False


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
