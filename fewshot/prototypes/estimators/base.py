"""What estimators take and give: photos of a student summed up, prototypes, and the two kinds of estimators."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from fewshot.prototypes.population import Population
from fewshot.prototypes.space import allowed_distances, squared_distances
from fewshot.prototypes.supports import SupportSet, emotion_weights
from fewshot.types import Vectors

Level = Literal["personal", "class", "population"]
Features = Literal["embedding", "backbone"]


@dataclass(frozen=True, eq=False, slots=True)
class Prototype:
    """One prototype and what it rests on.

    Attributes:
        emotion: one of the population's, or a state of the student's own.
        vector: in the transformed space, float32, shape (d,).
        shots: photos it rests on; fractions where unlabelled photos were shared out.
        level: whose photos moved it.
        radius: largest acceptable squared distance of a state of the student's own; None for the population's.
        reliable: False for a state of a student without a neutral photo: it would attract every face of its owner.
        uncertainty: E|p - f|^2, how far the student's true mean f may lie from the vector, over all dimensions.
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
    """Photos of one student summed up by emotion.

    Attributes:
        counts: n_e, shape (k,).
        means: m_e in the transformed space, shape (k, d); whatever stands where n_e = 0 is never used.
    """

    counts: NDArray[np.float64]
    means: NDArray[np.float64]

    def residuals(self, centres: NDArray[np.floating]) -> NDArray[np.float64]:
        """m_e - centre_e, and 0 where there is no photo, shape (k, d)."""
        return np.where(self.counts[:, None] > 0, self.means - centres, 0.0)


def cells_of(supports: SupportSet, population: Population) -> Cells:
    """Counts and means by emotion of the photos of one student."""
    weights = emotion_weights(supports, population)
    counts = weights.sum(axis=0)
    sums = weights.T @ population.transform(supports.vectors).astype(np.float64)
    return Cells(counts, sums / np.where(counts > 0, counts, 1.0)[:, None])


def compared_distances(
    population: Population, prototypes: Sequence[Prototype], vectors: Vectors
) -> NDArray[np.float64]:
    """Squared distances of vectors z (n, d) to prototypes, what is not known of each allowed for, shape (n, k)."""
    found = squared_distances(population.transform(vectors), np.stack([one.vector for one in prototypes]))
    return allowed_distances(found, np.array([one.uncertainty for one in prototypes]), population.allowance)


@runtime_checkable
class FewShotEstimator(Protocol):
    """For episodes: some labelled vectors of each class, and queries to be told apart. Nothing but arrays.

    ``isinstance`` tells it from an ``EnrollmentEstimator``; ``Mean`` is both.

    Attributes:
        name: in tables.
        paper: authors and year.
        transductive: does it look at all queries at once? Then their mixture matters
            (docs/explanation/estimators.md).
        features: what it wants: the embedding z, or the backbone's pooled non-negative features.
    """

    @property
    def name(self) -> str: ...
    @property
    def paper(self) -> str: ...
    @property
    def transductive(self) -> bool: ...
    @property
    def features(self) -> Features: ...

    def scores(self, support: Vectors, labels: NDArray[np.int64], queries: Vectors) -> NDArray[np.float64]:
        """How near every query is to every class; larger is nearer.

        Args:
            support: shape (n, d).
            labels: 0..n_way-1, every class at least once, shape (n,).
            queries: shape (q, d); q may be 0.

        Returns:
            Shape (q, n_way).

        Raises:
            UsageError: labels that leave out a class, or are not one for each vector.
            DimensionMismatch: support and queries were made by different networks.
        """
        ...


@runtime_checkable
class EnrollmentEstimator(Protocol):
    """For a student among classmates: what ``hierarchical_prototypes`` is to the running system.

    Attributes:
        name: in tables.
        paper: authors and year.
    """

    @property
    def name(self) -> str: ...
    @property
    def paper(self) -> str: ...

    def prototypes(
        self, population: Population, own: SupportSet | None, classmates: Sequence[SupportSet]
    ) -> list[Prototype]:
        """The prototypes by which one student is read.

        Args:
            population: mu_e and the variances.
            own: photos of the student, None or empty if there are none.
            classmates: photos of the others of the class, one set a student.

        Returns:
            One of each emotion of the population, in its order, then the student's own states in alphabetical order.
        """
        ...
