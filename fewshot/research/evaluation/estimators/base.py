"""The two kinds of estimators that protocols compare: for episodes, and for a student among classmates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from fewshot.prototypes.estimators import Prototype
from fewshot.prototypes.population import Population
from fewshot.prototypes.supports import SupportSet
from fewshot.types import Vectors

Features = Literal["embedding", "backbone"]


@runtime_checkable
class FewShotEstimator(Protocol):
    """An estimator for episodes: a labelled support set for each class, and queries to classify. Only arrays.

    ``isinstance`` distinguishes it from an ``EnrollmentEstimator``; ``Mean`` is both.

    Attributes:
        name: name in tables.
        paper: authors and year.
        transductive: whether it uses all queries together. Then their mixture matters, see
            docs/explanation/estimators.md.
        features: its input: the embedding z, or the backbone's pooled non-negative features.
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
        """Score of every query for every class; larger is nearer.

        Args:
            support: shape (n, d).
            labels: 0..n_way-1, every class at least once, shape (n,).
            queries: shape (q, d); q may be 0.

        Returns:
            Shape (q, n_way).

        Raises:
            UsageError: a class has no label, or there is not exactly one label per vector.
            DimensionMismatch: different networks made the support set and the queries.
        """
        ...


@runtime_checkable
class EnrollmentEstimator(Protocol):
    """An estimator for a student among classmates, like ``hierarchical_prototypes`` in the running system.

    Attributes:
        name: name in tables.
        paper: authors and year.
    """

    @property
    def name(self) -> str: ...
    @property
    def paper(self) -> str: ...

    def prototypes(
        self, population: Population, own: SupportSet | None, classmates: Sequence[SupportSet], /
    ) -> list[Prototype]:
        """The prototypes for classifying one student.

        Args:
            population: mu_e and the variances.
            own: support set of the student; None or empty if there are no photos.
            classmates: support sets of the other students in the class.

        Returns:
            One prototype per emotion of the population, in its order, then the student's own states in alphabetical
            order.
        """
        ...
