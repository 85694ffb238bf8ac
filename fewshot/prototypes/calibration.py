"""Turns distances into calibrated probabilities: temperature, and the thresholds of the reject option."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fewshot.translation import later


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The parameters that turn distances into a prediction.

    Attributes:
        temperature: squared distances are divided by it before the softmax.
        far: largest acceptable squared distance to the nearest prototype.
        margin: smallest acceptable lead of the best probability over the second.
    """

    temperature: float
    far: float
    margin: float


CLEAR = 0.8
"""Least confidence of a reading that is called clear. On development data, at least 80 % of the readings with 80 % or
more were right, in each of five data sets (experiments/results/confidence.md)."""


def sure_word(confidence: float) -> str:
    """How sure a reading is that names a state: "clear" or "likely". One that names none is "unsure".

    >>> sure_word(0.8), sure_word(0.79)
    ('clear', 'likely')
    """
    # Rounded as it is shown: 79.9 % is shown as 80 %.
    return later("clear") if round(confidence, 2) >= CLEAR else later("likely")


@dataclass(frozen=True, slots=True)
class Calibration:
    """Thresholds for each number of shots, linearly interpolated: with more photos, prototypes are nearer.

    Attributes:
        shots: photos per emotion (mean over the seven), increasing; the first value is 0, without any photos.
        temperature, far, margin: see ``Thresholds``; one value per value of ``shots``.
    """

    shots: tuple[float, ...]
    temperature: tuple[float, ...]
    far: tuple[float, ...]
    margin: tuple[float, ...]

    def at(self, shots: float) -> Thresholds:
        """Thresholds for a student with ``shots`` photos per emotion; outside the table the nearest row is used."""
        values = (float(np.interp(shots, self.shots, column)) for column in (self.temperature, self.far, self.margin))
        return Thresholds(*values)


def softmax(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """Softmax over the last axis, any shape; -inf excludes an entry, but at least one entry must be finite."""
    shifted = np.asarray(logits, dtype=np.float64)
    weights = np.exp(shifted - shifted.max(axis=-1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))


def fit_temperature(distances: NDArray[np.floating], labels: NDArray[np.integer]) -> float:
    """Temperature with the smallest negative log-likelihood (Guo et al. 2017), between 0.001 and 10.

    The negative log-likelihood is convex in the inverse temperature. Its slope is the mean distance to the true
    prototype minus the expected distance under the probabilities; bisection finds the zero of the slope.

    Args:
        distances: squared, shape (n, k).
        labels: index of the true column, shape (n,).
    """
    true = distances[np.arange(len(labels)), labels].mean()
    low, high = 1e-3, 10.0
    for _ in range(40):
        middle = float(np.sqrt(low * high))
        expected = (softmax(-distances / middle) * distances).sum(axis=1).mean()
        low, high = (low, middle) if expected > true else (middle, high)
    return float(np.sqrt(low * high))


def fit_thresholds(
    distances: NDArray[np.floating],
    labels: NDArray[np.integer],
    lost: float = 0.02,
    temperature: float | None = None,
) -> Thresholds:
    """Fit the temperature, then the two thresholds; each threshold rejects the share ``lost`` of correct predictions.

    Args:
        distances: squared, shape (n, k).
        labels: index of the true column, shape (n,).
        lost: share of correct predictions that each threshold may turn into "unsure".
        temperature: in place of the most likely one.
    """
    temperature = fit_temperature(distances, labels) if temperature is None else temperature
    ordered = np.sort(softmax(-distances / temperature), axis=1)
    right = distances.argmin(axis=1) == labels
    if not right.any():
        return Thresholds(temperature, float(distances.min(axis=1).max()), 0.0)
    far = np.quantile(distances.min(axis=1)[right], 1.0 - lost)
    margin = np.quantile((ordered[:, -1] - ordered[:, -2])[right], lost)
    return Thresholds(temperature, float(far), float(margin))
