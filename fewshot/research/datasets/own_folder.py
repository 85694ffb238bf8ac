"""A set of pictures of your own: ``<subject>/<emotion>/*``, or a csv of paths, subjects and emotions."""

from __future__ import annotations

import csv
from pathlib import Path

from fewshot.classroom.names import check_name, emotion_of
from fewshot.clutter import entries_of, files_below, leads_up
from fewshot.errors import UsageError
from fewshot.pictures import is_picture
from fewshot.research.datasets.subjects import COLUMNS, Picture, read_subjects

OWN_COLUMNS = ("path", "subject", "emotion")
"""Columns that your own csv needs; "session" and "dataset" may be there."""


def is_own_folder(folder: Path) -> bool:
    """Whether any picture lies at ``<subject>/<emotion>/*``."""
    return any(
        is_picture(path)
        for subject in _folders(folder)
        for emotion in _folders(subject)
        for path in entries_of(emotion)
    )


def read_own_folder(folder: Path) -> list[Picture]:
    """``<subject>/<emotion>/*``: the common words for the seven emotions, any other word is a state of its own.

    What a system made and what is not a picture by its name is skipped; the session is empty.

    Raises:
        UsageError: a folder's name can be no subject or no emotion.
    """
    found = []
    for subject in _folders(folder):
        for emotion in _folders(subject):
            word = emotion_of(emotion.name)
            for path in filter(is_picture, files_below(emotion)):
                place = path.relative_to(folder).as_posix()
                found.append(Picture("own", place, check_name(subject.name, "student"), word))
    return found


def read_own_csv(table: Path) -> list[Picture]:
    """A csv with the columns path, subject, emotion and, if wanted, session and dataset.

    Paths are relative to the folder of the table. The words of emotions are understood as in ``read_own_folder``. A
    table with all five columns is read as ``read_subjects`` reads it, word by word.

    Raises:
        UsageError: no such file, a column or a value is missing, or a word can be no emotion.
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
    if set(COLUMNS) <= set(names):
        return read_subjects(table, emotions=())
    missing = [column for column in OWN_COLUMNS if column not in names]
    if missing:
        raise UsageError(f"{table} has no column {', '.join(missing)}. It needs {','.join(OWN_COLUMNS)}[,session].")
    return [_picture(table, line, row) for line, row in enumerate(rows, start=2)]


def _picture(table: Path, line: int, row: dict[str, str]) -> Picture:
    values = {name: (row.get(name) or "").strip() for name in (*OWN_COLUMNS, "session", "dataset")}
    empty = [name for name in OWN_COLUMNS if not values[name]]
    if empty:
        raise UsageError(f"Line {line} of {table} has no {', '.join(empty)}. Fill it in, or take the line out.")
    path = values["path"].replace("\\", "/")
    subject = check_name(values["subject"], "student")
    return Picture(values["dataset"] or "own", path, subject, emotion_of(values["emotion"]), values["session"])


def _folders(folder: Path) -> list[Path]:
    return [entry for entry in entries_of(folder) if entry.is_dir() and not leads_up(entry)]
