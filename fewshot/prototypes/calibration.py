"""From distances to honest probabilities: temperature, and the thresholds of the reject option."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Thresholds:
    """How one reading is made from distances.

    Attributes:
        temperature: squared distances are divided by it before the softmax.
        far: largest acceptable squared distance to the nearest prototype.
        margin: smallest acceptable lead of the best probability over the second.
    """

    temperature: float
    far: float
    margin: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """Thresholds by number of shots, linear in between: the more photos, the nearer a student's prototypes.

    Attributes:
        shots: photos an emotion (mean over the seven), increasing; the first is 0, nobody's photos.
        temperature, far, margin: see ``Thresholds``; one for each of ``shots``.
    """

    shots: tuple[float, ...]
    temperature: tuple[float, ...]
    far: tuple[float, ...]
    margin: tuple[float, ...]

    def at(self, shots: float) -> Thresholds:
        """Thresholds for a student with this many photos an emotion; beyond the ends the nearest known."""
        values = (float(np.interp(shots, self.shots, column)) for column in (self.temperature, self.far, self.margin))
        return Thresholds(*values)


def softmax(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """Softmax over the last axis; -inf is allowed for what is no candidate, as long as one is."""
    shifted = np.asarray(logits, dtype=np.float64)
    weights = np.exp(shifted - shifted.max(axis=-1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))


def fit_temperature(distances: NDArray[np.floating], labels: NDArray[np.integer]) -> float:
    """Temperature with the smallest negative log-likelihood (Guo et al. 2017), between 0.001 and 10.

    In the inverse temperature the likelihood is convex, and its slope is the mean distance to the true prototype
    minus the mean distance that the probabilities expect: bisection finds where they are equal.

    Args:
        distances: squared, shape (n, k).
        labels: the true column, shape (n,).
    """
    true = distances[np.arange(len(labels)), labels].mean()
    low, high = 1e-3, 10.0
    for _ in range(40):
        middle = float(np.sqrt(low * high))
        expected = (softmax(-distances / middle) * distances).sum(axis=1).mean()
        low, high = (low, middle) if expected > true else (middle, high)
    return float(np.sqrt(low * high))


def fit_thresholds(distances: NDArray[np.floating], labels: NDArray[np.integer], lost: float = 0.02) -> Thresholds:
    """Temperature, then the two thresholds, each so that it costs the share ``lost`` of the right readings.

    Args:
        distances: squared, shape (n, k).
        labels: the true column, shape (n,).
        lost: share of right readings that each threshold may turn into "unsure".
    """
    temperature = fit_temperature(distances, labels)
    ordered = np.sort(softmax(-distances / temperature), axis=1)
    right = distances.argmin(axis=1) == labels
    if not right.any():
        return Thresholds(temperature, float(distances.min(axis=1).max()), 0.0)
    far = np.quantile(distances.min(axis=1)[right], 1.0 - lost)
    margin = np.quantile((ordered[:, -1] - ordered[:, -2])[right], lost)
    return Thresholds(temperature, float(far), float(margin))


def fit_calibration(
    distances: NDArray[np.floating], labels: NDArray[np.integer], shots: Sequence[float], lost: float = 0.02
) -> Calibration:
    """Fit one row for every number of shots that occurs, on subjects who are in no test.

    Args:
        distances: squared distances of development photos to the seven prototypes they were read by, shape (n, 7).
        labels: index of the true emotion, shape (n,).
        shots: photos an emotion that those prototypes rest on, shape (n,); 0 for population prototypes.
        lost: see ``fit_thresholds``.
    """
    numbers = np.asarray(shots, dtype=np.float64)
    levels = np.unique(numbers)
    rows = [fit_thresholds(distances[numbers == level], labels[numbers == level], lost) for level in levels]
    return Calibration(
        shots=tuple(float(level) for level in levels),
        temperature=tuple(row.temperature for row in rows),
        far=tuple(row.far for row in rows),
        margin=tuple(row.margin for row in rows),
    )
