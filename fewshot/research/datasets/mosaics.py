"""Labelled faces that lie in mosaics: RAF-DB, Taiwan, RaFD and everyday press pictures; and how they are split.

A mosaic has 40 columns of square tiles, row by row; ``labels.npz`` beside it names what each tile shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fewshot.errors import UsageError
from fewshot.types import EMOTIONS

COLUMNS = 40
TENTH_SEED, HALF_SEED = 2024, 2024
"""Of the tenth of RAF-DB that is left out of training, and of the half of the Taiwanese performers that train."""


@dataclass(frozen=True, eq=False)
class LabelledFaces:
    """Faces of one data set, in the order of its files.

    Attributes:
        name: of the data set.
        pictures: BGR, uint8, shape (n, side, side, 3).
        labels: index into ``EMOTIONS``, shape (n,).
        landmarks: five points in units of the side, NaN where none were found, shape (n, 5, 2).
        subjects: who is on each picture, n keys; "" where it is unknown.
        shares: share of the raters for each emotion, shape (n, 7); None where nobody rated. Raters of the Taiwanese
            pictures had no answer "neutral", so that column is 0.
    """

    name: str
    pictures: NDArray[np.uint8]
    labels: NDArray[np.int64]
    landmarks: NDArray[np.float32]
    subjects: list[str]
    shares: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def rows(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> LabelledFaces:
        """The chosen faces only."""
        places = np.arange(len(self))[chosen]
        shares = None if self.shares is None else self.shares[places]
        subjects = [self.subjects[place] for place in places]
        return LabelledFaces(
            self.name, self.pictures[places], self.labels[places], self.landmarks[places], subjects, shares
        )


def read_mosaics(folder: Path) -> LabelledFaces:
    """All faces of one data set.

    Raises:
        UsageError: the folder holds no mosaics, or fewer tiles than labels.
    """
    files = sorted(folder.glob("faces_*.webp"))
    if not files or not (folder / "labels.npz").is_file():
        raise UsageError(f"No faces_00.webp ... with labels.npz in {folder}. See docs/reference/data-sets.md.")
    with np.load(folder / "labels.npz") as stored:
        known = {name: stored[name] for name in stored.files}
    n = len(known["labels"])
    tiles = np.concatenate([_tiles(path) for path in files])
    if len(tiles) < n:
        raise UsageError(f"{folder} holds {len(tiles)} tiles for {n} labels. Copy the data set again.")
    landmarks = known.get("landmarks", np.full((n, 5, 2), np.nan, np.float32))
    subjects = [str(one) for one in known.get("subject", np.full(n, ""))]
    shares = None
    if "rater_share" in known:
        shares = np.zeros((n, len(EMOTIONS)), np.float32)
        for column, name in enumerate(known["rater_share_names"]):
            shares[:, EMOTIONS.index(str(name))] = known["rater_share"][:, column]
    return LabelledFaces(folder.name, tiles[:n], known["labels"].astype(np.int64), landmarks, subjects, shares)


def rafdb_left_out(labels: NDArray[np.int64]) -> NDArray[np.bool_]:
    """The tenth of RAF-DB that chooses and never trains: the same share of every emotion, shape (n,)."""
    left = np.zeros(len(labels), bool)
    rng = np.random.default_rng(TENTH_SEED)
    for emotion in range(len(EMOTIONS)):
        rows = rng.permutation(np.flatnonzero(labels == emotion))
        left[rows[: round(len(rows) / 10)]] = True
    return left


def taiwan_performers(subjects: list[str]) -> tuple[list[str], list[str]]:
    """Performers that train and performers that choose, half of all each."""
    everybody = np.random.default_rng(HALF_SEED).permutation(sorted(set(subjects)))
    half = len(everybody) // 2
    return sorted(everybody[:half]), sorted(everybody[half:])


def may_train(faces: LabelledFaces) -> NDArray[np.bool_]:
    """Which faces of a whole data set may train a network, shape (n,); the others choose."""
    if faces.name == "rafdb":
        return ~rafdb_left_out(faces.labels)
    if faces.name == "taiwan":
        return np.isin(faces.subjects, taiwan_performers(faces.subjects)[0])
    return np.ones(len(faces), bool)


def _tiles(path: Path) -> NDArray[np.uint8]:
    mosaic = cv2.imread(str(path))
    if mosaic is None:
        raise UsageError(f"{path} cannot be opened. Copy the data set again.")
    side = mosaic.shape[1] // COLUMNS
    tiles = mosaic.reshape(-1, side, COLUMNS, side, 3).transpose(0, 2, 1, 3, 4).reshape(-1, side, side, 3)
    return np.asarray(tiles, np.uint8)
