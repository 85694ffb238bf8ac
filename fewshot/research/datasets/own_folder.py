"""A set of pictures of your own: folders of emotions, of each subject or of all, or a csv of paths and emotions."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeVar

from fewshot.classroom.names import check_name, emotion_of
from fewshot.clutter import entries_of, files_below, leads_up
from fewshot.errors import UsageError, printable
from fewshot.pictures import is_picture
from fewshot.research.datasets.subjects import COLUMNS, Picture, read_subjects
from fewshot.types import EMOTIONS

OWN_COLUMNS = ("path", "subject", "emotion")
"""Columns of your own csv. "subject" may be left out; "split", "session" and "dataset" may be there."""
PARTS = {
    "train": ("train", "training"),
    "val": ("val", "valid", "validation", "dev", "publictest"),
    "test": ("test", "testing", "privatetest"),
}
"""Part of a data set -> the words for it, in a column "split" or as names of folders."""

_T = TypeVar("_T")
Problem = Callable[[str], None]
"""Is told, in a sentence, what was left out and why."""


def part_of(word: str) -> str:
    """The part that a word names: "train", "val" or "test"; "" for any other word."""
    plain = "".join(letter for letter in word.lower() if letter.isalpha())
    return next((part for part, words in PARTS.items() if plain in words), "")


def is_own_folder(folder: Path) -> bool:
    """Whether any picture lies at ``<subject>/<emotion>/*``."""
    return any(
        any(map(is_picture, _entries(emotion)))
        for _, base in _parts(folder)
        for subject in _folders(base)
        if not _is_basic(subject.name)
        for emotion in _folders(subject)
    )


def is_own_by_emotion(folder: Path) -> bool:
    """Whether pictures lie at ``<emotion>/*``, of subjects that are not known: one of the seven must be there.

    Without one of them, the folders may as well be named after people.
    """
    return any(
        any(map(is_picture, files_below(entry)))
        for _, base in _parts(folder)
        for entry in _folders(base)
        if _is_basic(entry.name)
    )


def sorted_by_own_words(folder: Path, least: int = 2) -> bool:
    """Whether folders say who is on the pictures and what they show, whatever the files themselves are named.

    Args:
        folder: of the set.
        least: so many folders of subjects with folders of the seven emotions in them are enough.
    """
    sorted_ = [
        subject
        for _, base in _parts(folder)
        for subject in _folders(base)
        if not _is_basic(subject.name) and any(_is_basic(emotion.name) for emotion in _folders(subject))
    ]
    return len(sorted_) >= least


def read_own_folder(folder: Path, on_problem: Problem | None = None) -> list[Picture]:
    """``<subject>/<emotion>/*``: the common words for the seven emotions, any other word is a state of its own.

    All of it may lie in folders ``train``, ``val`` and ``test``. What a system made and what is not a picture by its
    name is skipped; the session is empty.

    Args:
        folder: of the set.
        on_problem: told of every folder that can be no subject or no emotion, which is left out.

    Raises:
        UsageError: there is such a folder, and no ``on_problem``.
    """
    found: list[Picture] = []
    for part, base in _parts(folder):
        for subject in _folders(base, on_problem):
            name = _named(partial(check_name, subject.name, "student"), on_problem)
            if name is None:
                continue
            for emotion in _folders(subject, on_problem):
                found += _of_emotion(folder, emotion, name, part, on_problem)
    return found


def read_own_by_emotion(folder: Path, on_problem: Problem | None = None) -> list[Picture]:
    """``<emotion>/*``, otherwise as ``read_own_folder``. Nobody knows who is on the pictures: the subject is empty."""
    found: list[Picture] = []
    for part, base in _parts(folder):
        for emotion in _folders(base, on_problem):
            found += _of_emotion(folder, emotion, "", part, on_problem)
    return found


def read_own_csv(table: Path, on_problem: Problem | None = None) -> list[Picture]:
    """A csv with the columns path, emotion and, if wanted, subject, split, session and dataset.

    Paths are relative to the folder of the table. The words of emotions are understood as in ``read_own_folder``. A
    table with all five columns of ``read_subjects`` is read as that reads it, word by word.

    Args:
        table: the file.
        on_problem: told of every line that cannot be used, which is left out.

    Raises:
        UsageError: no such file, or a column is missing; without ``on_problem`` also if a value is missing, or a word
            can be no subject, emotion or part.
    """
    if not table.is_file():
        raise UsageError(f"No table of pictures at {table}. It is a CSV file with the columns {','.join(OWN_COLUMNS)}.")
    try:
        with table.open(newline="", encoding="utf-8-sig") as lines:
            reader = csv.DictReader(lines, skipinitialspace=True)
            names = [name.strip() for name in reader.fieldnames or ()]
            reader.fieldnames = names
            rows = list(reader)
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{table} is no csv file in UTF-8 ({error}). Save it as CSV UTF-8.") from error
    if set(COLUMNS) <= set(names) and "split" not in names:
        return read_subjects(table, emotions=())
    if not {"path", "emotion"} <= set(names):
        missing = [column for column in OWN_COLUMNS if column not in names]
        raise UsageError(
            f"{table} has no column {', '.join(missing)}. It needs path,emotion[,subject][,split][,session]."
        )
    needed = [column for column in OWN_COLUMNS if column in names]
    pictures = (
        _named(partial(_picture, table, line, row, needed), on_problem) for line, row in enumerate(rows, start=2)
    )
    return [picture for picture in pictures if picture is not None]


def _picture(table: Path, line: int, row: dict[str, str], needed: list[str]) -> Picture:
    values = {name: (row.get(name) or "").strip() for name in (*OWN_COLUMNS, "session", "dataset", "split")}
    empty = [name for name in needed if not values[name]]
    if empty:
        raise UsageError(f"Line {line} of {table} has no {', '.join(empty)}. Fill it in, or take the line out.")
    part = part_of(values["split"])
    if values["split"] and not part:
        raise UsageError(
            f"Line {line} of {table}: {values['split']!r} is not a part of a data set. Write train, val or test."
        )
    path = values["path"].replace("\\", "/")
    try:
        subject = check_name(values["subject"], "student") if values["subject"] else ""
        emotion = emotion_of(values["emotion"])
    except UsageError as error:
        raise UsageError(f"Line {line} of {table}: {error}") from error
    return Picture(values["dataset"] or "own", path, subject, emotion, values["session"], part)


def _of_emotion(root: Path, emotion: Path, subject: str, part: str, on_problem: Problem | None) -> Iterator[Picture]:
    word = _named(partial(emotion_of, emotion.name), on_problem)
    if word is None:
        return
    for path in filter(is_picture, files_below(emotion)):
        yield Picture("own", path.relative_to(root).as_posix(), subject, word, part=part)


def _named(made: Callable[[], _T], on_problem: Problem | None) -> _T | None:
    """What ``made`` returns; None, and a sentence to ``on_problem``, if a name cannot be used."""
    try:
        return made()
    except UsageError as error:
        if on_problem is None:
            raise
        on_problem(f"Left out: {error}")
        return None


def _parts(folder: Path) -> list[tuple[str, Path]]:
    """Part and folder of each part of a data set; ("", folder) if it is not divided."""
    folders = _folders(folder)
    parts = [(part_of(entry.name), entry) for entry in folders]
    divided = len(parts) > 1 and all(part for part, _ in parts) and any(part == "train" for part, _ in parts)
    return parts if divided else [("", folder)]


def _is_basic(name: str) -> bool:
    try:
        return emotion_of(name) in EMOTIONS
    except UsageError:
        return False


def _entries(folder: Path) -> list[Path]:
    try:
        return entries_of(folder)
    except OSError:
        return []


def _folders(folder: Path, on_problem: Problem | None = None) -> list[Path]:
    try:
        entries = entries_of(folder)
    except OSError as error:
        if on_problem is not None:
            on_problem(f"Left out: {printable(str(folder))} cannot be read ({error.strerror}).")
        return []
    return [entry for entry in entries if entry.is_dir() and not leads_up(entry)]
