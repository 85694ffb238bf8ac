"""Labeled Faces in the Wild (Huang et al. 2007): the pictures that may be trained on."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray


def identities_in_pairs(pairs: Path) -> set[str]:
    """Every name in ``pairs.txt``: lines of 3 columns (name, i, j) and of 4 (name, i, name, j)."""
    names: set[str] = set()
    for line in pairs.read_text().splitlines():
        words = line.split()
        if len(words) == 3:
            names.add(words[0])
        elif len(words) == 4:
            names |= {words[0], words[2]}
    return names


def training_pictures(folder: Path) -> NDArray[np.uint8]:
    """Grey pictures of the identities that occur in no line of ``pairs.txt``, shape (n, 112, 112)."""
    tested = identities_in_pairs(folder / "pairs.txt")
    paths = [path for path in sorted(folder.glob("*.jpg")) if path.stem.rpartition("_")[0] not in tested]
    return np.stack([np.asarray(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), np.uint8) for path in paths])
