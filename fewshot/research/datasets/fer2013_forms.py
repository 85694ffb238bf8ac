"""The forms in which FER2013 and FER+ are published: csv files, and folders of pictures."""

from __future__ import annotations

import csv
import warnings
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fewshot.classroom.names import emotion_of
from fewshot.clutter import entries_of
from fewshot.errors import UsageError
from fewshot.pictures import is_picture, read_picture
from fewshot.types import EMOTIONS

CSV_NAMES = ("fer2013.csv", "icml_face_data.csv")
USAGES = ("Training", "PublicTest", "PrivateTest")
"""Words of the column Usage, in the order of fewshot.research.datasets.fer2013's numbers."""
VOTE_COLUMNS = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral", "contempt", "unknown", "NF")
"""FER+'s own words, in our order; in its file they stand in another one."""
FOLDERS_NOTE = (
    "{folder} holds FER2013 as image folders, train/ and test/ alone. PublicTest and PrivateTest cannot be told apart "
    "(test/ is read as PrivateTest, so nothing is left to choose on), and FER+ votes cannot be matched. "
    "Use fer2013.csv with fer2013new.csv for numbers that can be compared."
)

_SIDE = 48

Faces = NDArray[np.uint8]
Numbers = NDArray[np.int64]


def find_csv(folder: Path) -> Path | None:
    """The csv of FER2013 in ``folder``, or ``folder`` itself if it is a csv; None if there is none."""
    if folder.suffix.lower() == ".csv":
        return folder
    return next((folder / name for name in CSV_NAMES if (folder / name).is_file()), None)


def read_csv(path: Path) -> tuple[Faces, Numbers, Numbers]:
    """``fer2013.csv`` (emotion,pixels,Usage) or ``icml_face_data.csv`` (emotion, Usage, pixels; with the spaces).

    Returns:
        (faces, shape (n, 48, 48); labels 0..6 = angry, disgust, fear, happy, sad, surprise, neutral, shape (n,);
        usage 0..2 in the order of ``USAGES``, shape (n,)).

    Raises:
        UsageError: no such file, a missing column, or a damaged row.
    """
    faces, labels, usage = [], [], []
    for number, row in enumerate(_rows(path, ("emotion", "pixels", "Usage")), start=2):
        pixels = _numbers(row["pixels"])
        if pixels.size != _SIDE * _SIDE or pixels.min() < 0 or pixels.max() > 255:
            raise _damaged(path, number, f"{_SIDE * _SIDE} pixels of 0..255 were expected, {pixels.size} read")
        if row["emotion"] not in set("0123456") or not row["emotion"]:
            raise _damaged(path, number, f"emotion {row['emotion']!r} is none of 0..6")
        if row["Usage"] not in USAGES:
            raise _damaged(path, number, f"Usage {row['Usage']!r} is none of {', '.join(USAGES)}")
        faces.append(pixels.astype(np.uint8).reshape(_SIDE, _SIDE))
        labels.append(int(row["emotion"]))
        usage.append(USAGES.index(row["Usage"]))
    if not faces:
        raise UsageError(f"{path} has no row of data. Download it again.")
    return np.stack(faces), np.array(labels, np.int64), np.array(usage, np.int64)


def read_votes(path: Path, usage: Numbers) -> NDArray[np.float32]:
    """``fer2013new.csv`` of FER+ (Barsoum et al. 2016), columns in the order of ``VOTE_COLUMNS``.

    Its rows follow those of ``fer2013.csv``; the numbers in its image names do not. A row without an image name is one
    that FER+ left out: it gets -1 in every column.

    Args:
        path: the file.
        usage: of the faces, to check that row belongs to row, shape (n,).

    Raises:
        UsageError: the rows do not belong to these faces, a column is missing, or a number is none.
    """
    votes = np.full((len(usage), len(VOTE_COLUMNS)), -1, np.float32)
    number = 1
    for number, row in enumerate(_rows(path, ("Usage", "Image name", *VOTE_COLUMNS)), start=2):
        if number - 2 >= len(usage) or row["Usage"] != USAGES[usage[number - 2]]:
            raise _damaged(path, number, "it does not belong to the same row of FER2013's csv")
        try:
            counts = [float(row[column]) for column in VOTE_COLUMNS]
        except ValueError:
            raise _damaged(path, number, "votes must be numbers") from None
        if row["Image name"]:
            votes[number - 2] = counts
    if number - 1 != len(usage):
        raise UsageError(f"{path} has {number - 1} rows, FER2013's csv {len(usage)}. Download both files again.")
    return votes


def is_image_folders(folder: Path) -> bool:
    """Whether ``folder`` holds ``train`` and ``test``, as the copies on Kaggle do."""
    return (folder / "train").is_dir() and (folder / "test").is_dir()


def read_image_folders(folder: Path) -> tuple[Faces, Numbers, Numbers]:
    """``train/<emotion>/*.jpg`` and ``test/<emotion>/*.jpg``; ``test`` holds both test splits, read as PrivateTest.

    Returns:
        As ``read_csv``.

    Raises:
        UsageError: an unknown emotion, a picture of another size, or none at all.
        FewshotError: a file is damaged.
    """
    faces, labels, usage = [], [], []
    for split, use in (("train", 0), ("test", 2)):
        for emotion in (entry for entry in entries_of(folder / split) if entry.is_dir()):
            if emotion_of(emotion.name) not in EMOTIONS:
                raise UsageError(f"{emotion} is no folder of FER2013: expected {', '.join(EMOTIONS)}. Remove it.")
            for path in filter(is_picture, entries_of(emotion)):
                picture = read_picture(path)
                if picture.shape != (_SIDE, _SIDE, 3):
                    height, width = picture.shape[:2]
                    raise UsageError(f"{path} has {width}x{height} pixels; FER2013 has {_SIDE}x{_SIDE}. Remove it.")
                faces.append(picture[..., 0])
                labels.append(EMOTIONS.index(emotion_of(emotion.name)))
                usage.append(use)
    if not faces:
        raise UsageError(f"No picture in {folder}/train/<emotion> and {folder}/test/<emotion>. Unpack the data there.")
    return np.stack(faces), np.array(labels, np.int64), np.array(usage, np.int64)


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[dict[str, str]]:
    """Row by row, with the spaces around names and values taken off, and "" for what a short row lacks."""
    if not path.is_file():
        raise UsageError(f"No file {path}. Give the path of FER2013's csv.")
    try:
        with path.open(newline="", encoding="utf-8-sig") as lines:
            reader = csv.reader(lines)
            names = [name.strip() for name in next(reader, [])]
            missing = [column for column in columns if column not in names]
            if missing:
                raise UsageError(f"{path} has no column {', '.join(missing)}. Expected {','.join(columns)}.")
            for row in reader:
                if row:
                    values = [value.strip() for value in row]
                    yield dict(zip_longest(names, values[: len(names)], fillvalue=""))
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path} is no csv file ({error}). Download it again.") from error


def _numbers(text: str) -> NDArray[np.int16]:
    """Numbers with spaces between them; none at all if one of them is no number (numpy 2.0 only warns of that)."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", DeprecationWarning)
            return np.fromstring(text, dtype=np.int16, sep=" ")
    except (ValueError, DeprecationWarning):
        return np.empty(0, np.int16)


def _damaged(path: Path, line: int, why: str) -> UsageError:
    return UsageError(f"Line {line} of {path} is damaged: {why}. Download the file again.")
