"""The two test splits of FER2013 as a network sees them, and the four ways in which they are labelled."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fewshot.embedding.runtime import Embedder, cache_key
from fewshot.errors import UsageError
from fewshot.research.datasets.fer2013 import PRIVATE_TEST, PUBLIC_TEST, TRAINING, Fer2013
from fewshot.research.datasets.framing import cut, framings
from fewshot.research.evaluation.crops import saved
from fewshot.research.evaluation.vectors import BATCH
from fewshot.types import Vectors
from fewshot.unit_vectors import unit_rows

FRAMINGS = ("published", "aligned")

PUBLISHED, PUBLISHED_8 = "FER+ test, published rule", "FER+ test, published rule, 8 classes"
PLURALITY, PRIVATE = "FER+ test, plurality", "FER2013 PrivateTest, FER2013's own labels"
VALIDATION, VALIDATION_8 = "FER+ validation, published rule", "FER+ validation, published rule, 8 classes"
PUBLIC = "FER2013 PublicTest, FER2013's own labels"
CHOOSING = {PUBLISHED: VALIDATION, PUBLISHED_8: VALIDATION_8, PLURALITY: VALIDATION, PRIVATE: PUBLIC}
"""On what the reader and the temperature of each test are chosen."""
SHORT = {
    PUBLISHED: "ferplus",
    PUBLISHED_8: "ferplus_8",
    PLURALITY: "ferplus_plurality",
    PRIVATE: "fer2013",
    VALIDATION: "ferplus_validation",
    VALIDATION_8: "ferplus_8_validation",
    PUBLIC: "fer2013_public",
}
"""For file names."""


def fer_tests(fer: Fer2013, excluded: NDArray[np.bool_]) -> dict[str, NDArray[np.int64]]:
    """Labels by set, -1 for pictures that are not in it, each shape (n,).

    Args:
        fer: all of it.
        excluded: pictures that may be used for nothing but a test, shape (n,).
    """
    private, public = fer.usage == PRIVATE_TEST, (fer.usage == PUBLIC_TEST) & ~excluded
    published, with_contempt = fer.ferplus_published(7), fer.ferplus_published(8)
    return {
        PUBLISHED: np.where(private, published, -1),
        PUBLISHED_8: np.where(private, with_contempt, -1),
        PLURALITY: np.where(private, fer.ferplus_plurality(), -1),
        PRIVATE: np.where(private, fer.labels, -1),
        VALIDATION: np.where(public, published, -1),
        VALIDATION_8: np.where(public, with_contempt, -1),
        PUBLIC: np.where(public, fer.labels, -1),
    }


@dataclass(frozen=True, eq=False)
class FerSplits:
    """PublicTest and PrivateTest as one network sees them.

    Attributes:
        rows: their places in FER2013, shape (m,).
        plain: framing -> z of the crops, shape (m, d).
        flipped: framing -> mean of z of the crop and of its mirror image, at length 1, shape (m, d).
        excluded: which pictures of all FER2013 may be used for nothing but a test, shape (n,).
    """

    rows: NDArray[np.int64]
    plain: dict[str, Vectors]
    flipped: dict[str, Vectors]
    excluded: NDArray[np.bool_]

    def at(self, truth: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Which of the m rows a set of ``fer_tests`` takes, and their labels."""
        labels = truth[self.rows]
        chosen = np.flatnonzero(labels >= 0)
        return chosen, labels[chosen]


def fer_splits(embedder: Embedder, fer: Fer2013, prepared: Path, cache: Path) -> FerSplits:
    """Embed both test splits in both framings, as they are and mirrored, once for each network.

    Args:
        prepared: ``fer2013_prepared.npz`` with landmarks and exclusions.
        cache: folder for vectors.

    Raises:
        UsageError: FER2013 was not prepared.
    """
    if not prepared.is_file():
        raise UsageError(f"No {prepared}. Run first: python experiments/prepare.py")
    with np.load(prepared) as data:
        landmarks, scores, excluded = data["landmarks"], data["scores"], data["excluded"]
    rows = np.flatnonzero(fer.usage != TRAINING)
    stored = cache / f"fer2013_tests_{cache_key(embedder)}.npz"
    if not stored.is_file():
        from fewshot.research.training.datamodule import TRUSTED_LANDMARKS  # torch comes with it

        matrices = framings(48, landmarks, scores > TRUSTED_LANDMARKS)
        made = {}
        for framing, name in enumerate(FRAMINGS):
            crops = np.stack([cut(fer.faces[row], matrices[row, framing]) for row in rows])
            made[name] = _embedded(embedder, crops)
            made[f"{name}_mirrored"] = _embedded(embedder, np.stack([cv2.flip(crop, 1) for crop in crops]))
        saved(stored, **made)
    with np.load(stored) as data:
        plain = {name: data[name] for name in FRAMINGS}
        flipped = {name: _mean(plain[name], data[f"{name}_mirrored"]) for name in FRAMINGS}
    return FerSplits(rows, plain, flipped, excluded)


def _embedded(embedder: Embedder, crops: NDArray[np.uint8]) -> Vectors:
    starts = range(0, len(crops), BATCH)
    return np.concatenate([embedder.embed_grey(crops[start : start + BATCH]) for start in starts])


def _mean(vectors: Vectors, mirrored: Vectors) -> Vectors:
    return unit_rows(vectors + mirrored)
