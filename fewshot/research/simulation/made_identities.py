"""Identity vectors of people who do not exist, spread like those of people who do."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fewshot.types import Vectors
from fewshot.unit_vectors import unit_rows

DIMENSION = 512
DIRECTIONS = (1, 2, 4, 8, 16, 32, 48, 64, 96, 128, 160, 192, 256, 320, 384, 448, 512)
BETWEEN = (1239, 990, 877, 739, 600, 440, 340, 271, 185, 129, 89, 59, 18, 0, 0, 0, 0)
"""Variance between people in these principal directions, in 1e-5, linear in between: covariance of one vector per
person, less the pooled covariance within people (``estimate`` in the tests). From what MobileFaceNet (w600k_mbf) makes
of 6,717 grey pictures of 4,480 people of LFW, at most four each. They are totals: no person's vector follows from them.
"""
WITHIN = (172, 185, 208, 230, 226, 211, 207, 185, 155, 134, 116, 102, 74, 9, 0, 18, 145)
"""The same within people, from picture to picture taken years apart (1,199 of them with two or more)."""
OFFSET = 0.181
"""Length of the mean over all people."""
UNEVENNESS = 0.3
"""Standard deviation of the logarithm of a picture's own factor on ``WITHIN``: some pictures are worse than others."""


def spectrum(knots: Sequence[float]) -> NDArray[np.float32]:
    """Variances in all directions, shape (512,), from those at ``DIRECTIONS`` in 1e-5."""
    return np.interp(np.arange(1, DIMENSION + 1), DIRECTIONS, np.array(knots) * 1e-5).astype(np.float32)


class People:
    """Draws people, and pictures of them.

    Args:
        seed: the same seed draws the same people.
    """

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        # A recogniser's directions are not its axes: quantisation along axes would gain from it if they were.
        self._turn = np.linalg.qr(self._rng.standard_normal((DIMENSION, DIMENSION)))[0].astype(np.float32)
        mean = self._rng.standard_normal(DIMENSION)
        self._mean = (OFFSET * mean / np.linalg.norm(mean)).astype(np.float32)

    def draw(self, count: int) -> Vectors:
        """People, shape (count, 512); not yet what a recogniser gives."""
        spread = self._rng.standard_normal((count, DIMENSION), dtype=np.float32)
        return np.asarray(self._mean + spread * np.sqrt(spectrum(BETWEEN)), np.float32)

    def seen(self, people: Vectors, pictures: int = 1) -> Vectors:
        """Unit vectors of people, each the mean of so many pictures, shape (n, 512)."""
        factor = np.exp(self._rng.normal(0, UNEVENNESS, (len(people), 1)) - UNEVENNESS**2).astype(np.float32)
        noise = self._rng.standard_normal(people.shape, dtype=np.float32)
        noise *= np.sqrt(spectrum(WITHIN) / pictures)
        noise *= factor
        vectors = (people + noise) @ self._turn
        return np.asarray(unit_rows(vectors), np.float32)
