"""Turns what a browser sends (single photos, a folder, a zip) into the folder that enrollment reads."""

from __future__ import annotations

import io
import os
import re
import shutil
import zipfile
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

import cv2

from fewshot.app.zips import copy, files_in, in_words
from fewshot.classroom.consent import CONSENT_FILE
from fewshot.classroom.folder import consent_file
from fewshot.classroom.names import alike, check_name, emotion_of
from fewshot.classroom.photo_labels import PLAIN_WORDS
from fewshot.classroom.photo_names import student_and_emotion
from fewshot.classroom.photos import shrink
from fewshot.clutter import in_clutter
from fewshot.errors import FewshotError, UsageError, reason_of
from fewshot.pictures import read_picture
from fewshot.private_files import open_private
from fewshot.session.temporary import TemporaryFolder
from fewshot.translation import tr
from fewshot.types import EMOTIONS

MOST_MEGABYTES = 500
"""Of one uploaded file, as ``.streamlit/config.toml`` says. While it is received it is in memory once, then on disk."""

_YEAR = re.compile(r"(?:19|20)\d\d(?:[\s._/-]*\d{1,4}){0,2}")
"""A year, a school year or a date as the name of a folder: 2026, 2025-26, 2026-09-01."""

_DEEPEST = 12
"""Parts of a name: more folders in folders have no meaning, and a path may have 4096 bytes at most."""


@dataclass(frozen=True, slots=True)
class Upload:
    """One file from the browser: its name, with folders if a folder was sent, and its bytes or where they lie."""

    name: str
    data: bytes | Path


@dataclass(frozen=True, slots=True)
class _Sent:
    """One file to be written: where, and what writes its bytes."""

    name: str
    write: Callable[[IO[bytes]], object]


def save_class(
    uploads: Sequence[Upload], folder: Path, known: Collection[str] = (), notes: list[str] | None = None
) -> list[str]:
    """Lay out photos of several students as ``folder/<student>/[<emotion>/]file``.

    Args:
        uploads: files with ``<student>/...`` in their names, or zips of such folders.
        folder: an empty one.
        known: names of students in the class.
        notes: what a teacher should know is added here.

    Returns:
        The students who have a folder.

    Raises:
        UsageError: a zip is damaged or too large.
    """
    with ExitStack() as open_zips:
        sent = _unpacked(uploads, open_zips, known, [] if notes is None else notes)
        files = _without_common_top([_Sent(_without_silent(file.name), file.write) for file in sent])
        last: dict[Path, int] = {}
        for file in files:
            _write(folder.joinpath(*PurePosixPath(file.name).parts), file.write, last)
    return sorted({PurePosixPath(file.name).parts[0] for file in files if len(PurePosixPath(file.name).parts) > 1})


def save_student(uploads: Sequence[Upload], folder: Path, student: str, emotion: str | None = None) -> Path:
    """Lay out photos of one student; folders inside a zip count as emotions unless ``emotion`` is given.

    Returns:
        The folder of the student's photos.

    Raises:
        UsageError: the name is not allowed, or a zip is damaged or too large.
    """
    target = folder / check_name(student, "student")
    target.mkdir(parents=True, exist_ok=True)
    last: dict[Path, int] = {}
    with ExitStack() as open_zips:
        for file in _unpacked(uploads, open_zips, [student], []):
            parts = PurePosixPath(file.name).parts
            inner = [emotion] if emotion else list(parts[-2:-1])
            _write(target.joinpath(*inner, parts[-1]), file.write, last)
    return target


def add_consent_list(data: bytes | Path, folder: Path) -> None:
    """Put a list of consents into a folder of photos, in place of one that came with the photos."""
    if (old := consent_file(folder)) is not None:
        old.unlink()
    _write(folder / CONSENT_FILE, partial(_put, data), {})


def thumbnail(path: Path, side: int = 220) -> bytes | None:
    """A small JPEG of a photo, to show beside the reason why it was refused; None if it is not a picture."""
    try:
        small = shrink(read_picture(path, side * side * 4), side)
    except FewshotError:
        return None
    ok, encoded = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 82])
    return encoded.tobytes() if ok else None


def thumbnail_of(name: str, data: bytes | Path) -> bytes:
    """A small JPEG of an uploaded picture.

    Raises:
        UsageError: it is not a picture.
    """
    with TemporaryFolder("picture") as folder:
        path = Path(folder) / f"picture{PurePosixPath(name).suffix}"
        with open_private(path) as target:
            _put(data, target)
        small = thumbnail(path)
    if small is None:
        raise UsageError(tr("{file} cannot be read as a picture. Use a JPEG, PNG or HEIC file.", file=name))
    return small


def _unpacked(
    uploads: Iterable[Upload], open_zips: ExitStack, known: Collection[str], notes: list[str]
) -> Iterator[_Sent]:
    for upload in uploads:
        if upload.name.lower().endswith(".zip"):
            with in_words(upload.name):
                archive = open_zips.enter_context(zipfile.ZipFile(_opened(upload.data, open_zips)))
                files = files_in(archive, upload.name, _is_noise, known, notes)
            for name, entry in files:
                yield _Sent(_safe(name), partial(_unpack, archive, upload.name, entry))
        elif not _is_noise(upload.name):
            yield _Sent(_safe(upload.name), partial(_put, upload.data))


def _opened(data: bytes | Path, until: ExitStack) -> IO[bytes]:
    return io.BytesIO(data) if isinstance(data, bytes) else until.enter_context(data.open("rb"))


def _put(data: bytes | Path, target: IO[bytes]) -> None:
    with ExitStack() as until:
        shutil.copyfileobj(_opened(data, until), target, 1 << 20)


def _unpack(archive: zipfile.ZipFile, name: str, entry: zipfile.ZipInfo, target: IO[bytes]) -> None:
    with in_words(name, entry.filename):
        copy(archive, entry, target)


def _safe(name: str) -> str:
    """The name without parts that lead out of its folder, and short enough for a file system."""
    parts = [part for part in PurePosixPath(name.replace("\\", "/")).parts if part not in ("/", "..", ".") and part]
    if not parts:
        raise UsageError(tr("One of the files has no name. Rename it, and upload it again."))
    if len(parts) > _DEEPEST:
        raise UsageError(
            tr(
                "{file}… lies in {number} folders. Use at most {most}, one in another.",
                file=name[:60],
                number=len(parts) - 1,
                most=_DEEPEST - 1,
            )
        )
    short = [_cut(part, 200) for part in parts[:-1]]
    last = PurePosixPath(parts[-1])
    short.append(_cut(last.stem, 180) + _cut(last.suffix, 20))
    return "/".join(part.replace(":", "_") if os.name == "nt" else part for part in short)


def _cut(text: str, most: int) -> str:
    """The text in at most so many bytes, and without what no file's name can hold."""
    return text.replace("\0", "_").encode("utf-8", "replace")[:most].decode("utf-8", "ignore")


def _is_noise(name: str) -> bool:
    return in_clutter(PurePosixPath(*(part for part in name.replace("\\", "/").split("/") if part not in (".", ".."))))


def _without_silent(name: str) -> str:
    """The name without folders that tell neither a student nor a state: "photos", "DCIM", and a year above a name."""
    *folders, last = PurePosixPath(name).parts
    telling = [part for part in folders if part.replace("_", " ").lower() not in PLAIN_WORDS]
    inside = [*telling[1:], *([""] if telling else [])]
    kept = [part for part, below in zip(telling, inside, strict=True) if not (_YEAR.fullmatch(part) and _names(below))]
    return "/".join([*kept, last])


def _names(folder: str) -> bool:
    """Whether a folder may have the name of a student: a word that is not an emotion."""
    return any(letter.isalpha() for letter in folder) and not _is_emotion(folder)


def _without_common_top(files: list[_Sent]) -> list[_Sent]:
    """Remove a folder that contains all the others: people often zip ``photos/`` instead of its content.

    Its own pictures may be those of several students, as schools export portraits: ``photos/dana_neutral.jpg``.
    """
    paths = [PurePosixPath(file.name).parts for file in files]
    tops = {parts[0] for parts in paths}
    deep = [parts for parts in paths if parts[-1].lower() != "consent.csv"]
    inner = {parts[1] for parts in deep if len(parts) > 2}
    beside = [parts[1] for parts in deep if len(parts) == 2]
    listed = any(len(parts) == 2 for parts in paths if parts[-1].lower() == "consent.csv")
    if any(_is_emotion(name) for name in inner):
        several = False
    elif beside:
        several = listed or _name_several(beside)
    else:
        several = len(inner) > 1
    if len(tops) == 1 and all(len(parts) > 1 for parts in paths) and several:
        return [_Sent("/".join(PurePosixPath(file.name).parts[1:]), file.write) for file in files]
    return files


def _name_several(files: list[str]) -> bool:
    """Whether names of files say that they are photos of two or more students; a few strays do not matter."""
    said = [found for name in files if (found := student_and_emotion(PurePosixPath(name).stem)) is not None]
    return len({alike(student) for student, _ in said}) > 1 and 2 * len(said) >= len(files)


def _is_emotion(name: str) -> bool:
    try:
        return emotion_of(name) in EMOTIONS
    except UsageError:
        return False


def _write(path: Path, write: Callable[[IO[bytes]], object], last: dict[Path, int]) -> None:
    """Write a file; ``last`` holds the last number given to each name, because thousands may have the same one."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        number = last.get(path, 0) + 1
        free = path if path not in last else path.with_name(f"{path.stem} ({number}){path.suffix}")
        while free.exists():  # two files of one name, in two zips or in one
            number += 1
            free = path.with_name(f"{path.stem} ({number}){path.suffix}")
        last[path] = number
        with open_private(free) as target:
            write(target)
    except OSError as error:
        if isinstance(error, FileExistsError | NotADirectoryError):
            raise UsageError(
                tr(
                    "{name} is the name of a file and of a folder. Rename one of them, and upload again.",
                    name=path.parent.name,
                )
            ) from error
        raise UsageError(
            tr(
                "{file} could not be saved for reading ({reason}). Make free space on the disk of fewshot's computer, "
                "or rename the file, and upload it again.",
                file=path.name,
                reason=reason_of(error),
            )
        ) from error
