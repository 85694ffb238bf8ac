"""The result of classifying a face with prototypes, and the reject option (Chow 1970)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fewshot.prototypes.estimators import Level

_Table = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result for one face in one frame, with all values that are needed to decide again after smoothing.

    Attributes:
        emotion: the predicted emotion. None (reject option): the face is too far from all prototypes, the second
            emotion is almost as probable, or the state is not reliable yet.
        confidence: probability of the most probable emotion, 0..1.
        probabilities: over the population's emotions and this student's own states; sums to 1.
        prototypes: kind of prototypes that were used.
        distances: squared distance to each prototype; infinite for a vector without information.
        limits: largest distance at which each emotion may be predicted; negative for a state that is not reliable yet.
        margin: smallest lead over the second emotion at which an emotion may be predicted.
    """

    emotion: str | None
    confidence: float
    probabilities: dict[str, float]
    prototypes: Level
    distances: Mapping[str, float] = field(default_factory=dict)
    limits: Mapping[str, float] = field(default_factory=dict)
    margin: float = 0.0


def decide_all(
    probabilities: _Table, distances: _Table, limits: _Table, margins: _Table
) -> tuple[list[int], list[bool], list[float]]:
    """The most probable emotion of every face, and whether it may be predicted or the reject option applies.

    Args:
        probabilities: shape (n, k), k > 0; filled with 0 if a face has fewer emotions than others.
        distances: squared, shape (n, k).
        limits: see ``Verdict``, shape (n, k).
        margins: see ``Verdict``, shape (n,).

    Returns:
        For every face: column of the most probable emotion, whether it may be predicted, its probability.
    """
    rows = np.arange(len(probabilities))
    best = probabilities.argmax(axis=1)
    confidence = probabilities[rows, best]
    others = probabilities.copy()
    others[rows, best] = 0.0
    sure = (confidence - others.max(axis=1) >= margins) & (distances[rows, best] <= limits[rows, best])
    return best.tolist(), sure.tolist(), confidence.tolist()
