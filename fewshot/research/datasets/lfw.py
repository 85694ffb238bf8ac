"""Labeled Faces in the Wild (Huang et al. 2007): who is on its pictures, its pairs, and what may be trained on."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fewshot.clutter import files_below
from fewshot.errors import UsageError
from fewshot.pictures import is_picture
from fewshot.research.datasets.hashes import file_hashes
from fewshot.research.datasets.subjects import Picture

_NAME = re.compile(r"(.+)_(\d{4})")


def read_lfw(folder: Path) -> list[Picture]:
    """``Name/Name_0001.jpg`` as published, or all files in one folder; the emotion is empty, the session the number."""
    found = []
    for path in filter(is_picture, files_below(folder)):
        match = _NAME.fullmatch(path.stem)
        if match and path.parent in (folder, folder / match[1]):
            found.append(Picture("lfw", path.relative_to(folder).as_posix(), match[1], "", match[2]))
    return found


def read_pairs(pairs: Path) -> list[tuple[tuple[str, int], tuple[str, int]]]:
    """Every pair of ``pairs.txt`` as two of (name, number): lines of 3 columns (name, i, j), of 4 (name, i, name, j).

    Raises:
        UsageError: there is no such file.
    """
    if not pairs.is_file():
        raise UsageError(f"No {pairs}. It is part of LFW: put pairs.txt beside the pictures.")
    found = []
    for line in pairs.read_text(encoding="utf-8").splitlines():
        words = line.split()
        if len(words) == 3:
            found.append(((words[0], int(words[1])), (words[0], int(words[2]))))
        elif len(words) == 4:
            found.append(((words[0], int(words[1])), (words[2], int(words[3]))))
    return found


def identities_in_pairs(pairs: Path) -> set[str]:
    """Every name in ``pairs.txt``."""
    return {name for pair in read_pairs(pairs) for name, _ in pair}


def identity_pictures(folder: Path) -> list[Picture]:
    """Pictures of the identities that occur in no line of ``pairs.txt``: they may teach identity.

    What is, byte by byte, a picture of somebody in ``pairs.txt`` is left out: ``Raul_Ibanez_0001`` is
    ``Carlos_Beltran_0001`` under another name, and that one is tested on.
    """
    names = identities_in_pairs(folder / "pairs.txt")
    pictures = read_lfw(folder)
    content = file_hashes(folder / picture.path for picture in pictures)
    tested = {name for name, picture in zip(content, pictures, strict=True) if picture.subject in names}
    return [picture for name, picture in zip(content, pictures, strict=True) if name not in tested]


def pair_pictures(folder: Path) -> list[Picture]:
    """Pictures of those pairs of ``pairs.txt`` that are complete here, each picture once."""
    pictures = {(picture.subject, int(picture.session)): picture for picture in read_lfw(folder)}
    pairs = [pair for pair in read_pairs(folder / "pairs.txt") if pair[0] in pictures and pair[1] in pictures]
    return [pictures[key] for key in sorted({key for pair in pairs for key in pair})]


def training_pictures(folder: Path) -> NDArray[np.uint8]:
    """Grey pictures of the identities that occur in no line of ``pairs.txt``, shape (n, 112, 112).

    The originals have 250x250 pixels: shape (n, 250, 250) where they lie there.

    Raises:
        UsageError: there is none, or one is damaged or of another size than the others.
    """
    faces: list[NDArray[np.uint8]] = []
    for picture in identity_pictures(folder):
        face = cv2.imread(str(folder / picture.path), cv2.IMREAD_GRAYSCALE)
        if face is None or (faces and face.shape != faces[0].shape):
            raise UsageError(f"{folder / picture.path} is damaged, or not of the size of the others. Copy it again.")
        faces.append(np.asarray(face, np.uint8))
    if not faces:
        raise UsageError(f"No picture in {folder} of anybody who is in no line of pairs.txt. Expected Name_0001.jpg.")
    return np.stack(faces)
