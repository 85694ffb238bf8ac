"""Which lessons a batch has: files, patterns and folders as the user typed them, and the name of each one's table."""

from __future__ import annotations

import glob
import hashlib
import os
import re
from collections.abc import Collection, Sequence
from pathlib import Path

from fewshot.clutter import is_clutter
from fewshot.errors import UsageError
from fewshot.pictures import is_picture

VIDEOS = frozenset(
    {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".wmv", ".flv", ".3gp", ".ogv"}
)
"""Endings of the files of a folder that are lessons. A file that is named is a lesson, whatever its ending is."""

_LONGEST = 150
"""Bytes of a table's name; file systems allow 255."""
_HASHED = 8


def lessons_of(texts: Sequence[str]) -> tuple[list[Path], list[str]]:
    """The lessons, in the order of the words, each once.

    A folder with videos has a lesson per video; a folder of pictures is one lesson.

    Args:
        texts: files, folders, and patterns such as ``lessons/*.mp4``. A file that is called like a pattern is a file.

    Returns:
        Their paths as typed, because tables name them so, and notes for the user.

    Raises:
        UsageError: a pattern matches nothing, a folder is empty, or an address was given.
    """
    found: list[Path] = []
    notes: list[str] = []
    for text in texts:
        if "://" in text or text == "screen" or text.startswith("screen:"):
            raise UsageError(f"A batch works on files, and {text} is none. Analyze it without --jobs and --out.")
        for path in _matching(text):
            found += _in_folder(path, notes) if path.is_dir() else [path]
    first: dict[str, Path] = {}
    for path in found:
        first.setdefault(key_of(path), path)
    return list(first.values()), notes


def key_of(path: Path) -> str:
    """A lesson's path in the journal: the same one from every working folder. Links are not followed."""
    return os.path.abspath(path)  # noqa: PTH100  # Path.resolve would follow them


def table_name(source: Path, taken: Collection[str]) -> str:
    """The name of a lesson's table: the name of the source with ``.parquet``.

    A part of the hash of the path is added where another lesson has this name already, on any file system, or the name
    is too long.

    >>> table_name(Path("/maths/lesson.mp4"), []), table_name(Path("/art/lesson.mp4"), ["Lesson.mp4.parquet"])
    ('lesson.mp4.parquet', 'lesson.mp4-b00821ed.parquet')
    """
    name = source.name or "lesson"
    plain = f"{name}.parquet"
    if len(os.fsencode(plain)) <= _LONGEST and plain.casefold() not in {each.casefold() for each in taken}:
        return plain
    short = os.fsencode(name)[: _LONGEST - 20].decode("utf-8", "ignore")
    return f"{short}-{hashlib.sha256(os.fsencode(source)).hexdigest()[:_HASHED]}.parquet"


def _matching(text: str) -> list[Path]:
    path = Path(text)
    if path.exists() or not re.search(r"[*?\[]", text):
        return [path]  # one that is not there is reported with the other faults, at the end
    found = [Path(each) for each in glob.glob(text, recursive=True)]  # noqa: PTH207  # Path.glob takes no absolute pattern
    kept = sorted(each for each in found if not is_clutter(each.name, folder=each.is_dir()))
    if not kept:
        raise UsageError(f"No file matches {text}. Check the pattern.")
    return kept


def _in_folder(folder: Path, notes: list[str]) -> list[Path]:
    files = sorted(each for each in folder.iterdir() if each.is_file() and not is_clutter(each.name, folder=False))
    videos = [each for each in files if each.suffix.lower() in VIDEOS]
    pictures = sum(map(is_picture, files))
    if videos and pictures:
        notes.append(f"{folder} holds videos, so its pictures ({pictures}) are not analyzed. Give them by name.")
    if not videos and not pictures:
        raise UsageError(f"There is no video and no picture in the folder {folder}. Give files, or another folder.")
    return videos or [folder]
