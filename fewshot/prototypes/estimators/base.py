"""Input and output of estimators: summed photos of a student, and prototypes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fewshot.prototypes.population import Population
from fewshot.prototypes.space import allowed_distances, squared_distances
from fewshot.prototypes.supports import SupportSet, emotion_weights
from fewshot.types import Vectors

Level = Literal["personal", "class", "population"]


@dataclass(frozen=True, eq=False, slots=True)
class Prototype:
    """One prototype.

    Attributes:
        emotion: one of the population's emotions, or the student's own state.
        vector: in the transformed space, float32, shape (d,).
        shots: number of photos; a fraction if it includes unlabelled photos.
        level: whose photos were used.
        radius: largest acceptable squared distance for a student's own state; None for the population's emotions.
        reliable: False for an own state of a student without a neutral photo: it would attract all of their faces.
        uncertainty: E|p - f|^2, the expected squared distance of the student's true mean f from the vector.
    """

    emotion: str
    vector: NDArray[np.float32]
    shots: float
    level: Level
    radius: float | None = None
    reliable: bool = True
    uncertainty: float = 0.0


@dataclass(frozen=True, eq=False, slots=True)
class Cells:
    """Number and mean of a student's photos for each emotion.

    Attributes:
        counts: n_e, shape (k,).
        means: m_e in the transformed space, shape (k, d); values for n_e = 0 are never used.
    """

    counts: NDArray[np.float64]
    means: NDArray[np.float64]

    def residuals(self, centres: NDArray[np.floating]) -> NDArray[np.float64]:
        """m_e - centre_e, or 0 without a photo, shape (k, d)."""
        return np.where(self.counts[:, None] > 0, self.means - centres, 0.0)


def cells_of(supports: SupportSet, population: Population, trust: NDArray[np.float64] | None = None) -> Cells:
    """Counts, shape (k,), and means, shape (k, d), of one student's photos for each emotion.

    ``trust`` is the weight of each photo, shape (n,); None is 1.
    """
    weights = emotion_weights(supports, population)
    if trust is not None:
        weights = weights * trust[:, None]
    return weighted_cells(weights, population.transform(supports.vectors))


def weighted_cells(weights: NDArray[np.float64], u: Vectors) -> Cells:
    """Counts and means of photos u (n, d), each with a weight for every emotion, shape (n, k)."""
    counts = weights.sum(axis=0)
    sums = weights.T @ u.astype(np.float64)
    return Cells(counts, sums / np.where(counts > 0, counts, 1.0)[:, None])


def compared_distances(
    population: Population, prototypes: Sequence[Prototype], vectors: Vectors
) -> NDArray[np.float64]:
    """Squared distances of vectors z (n, d) to prototypes, corrected for their uncertainty, shape (n, k)."""
    found = squared_distances(population.transform(vectors), np.stack([one.vector for one in prototypes]))
    return allowed_distances(found, np.array([one.uncertainty for one in prototypes]), population.allowance)
