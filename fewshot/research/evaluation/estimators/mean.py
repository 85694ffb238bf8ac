"""Prototypes as plain means: what every other estimator has to beat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from fewshot.prototypes.estimators.assemble import named, own_states
from fewshot.prototypes.estimators.base import Prototype, cells_of
from fewshot.prototypes.estimators.hierarchical import hierarchical_prototypes
from fewshot.prototypes.population import Population
from fewshot.prototypes.supports import SupportSet
from fewshot.research.evaluation.estimators.base import Features
from fewshot.research.evaluation.estimators.episode import checked, class_means, nearness
from fewshot.types import Vectors


def mean_prototypes(population: Population, supports: SupportSet | None = None) -> list[Prototype]:
    """The plain mean of the photos of each emotion (Snell et al. 2017); the population's where there is none.

    The baseline that ``hierarchical_prototypes`` has to beat; same arguments and order of results.
    """
    if supports is None or not len(supports):
        return hierarchical_prototypes(population)
    cells = cells_of(supports, population)
    vectors = population.prototypes + cells.residuals(population.prototypes)
    return named(population, vectors, cells.counts, "personal") + own_states(population, supports)


@dataclass(frozen=True)
class Mean:
    """Snell, Swersky & Zemel 2017, "Prototypical Networks for Few-shot Learning".

    A class is the mean of its support vectors, a query belongs to the nearest mean by squared Euclidean distance. In
    episodes the vectors are taken as the network gives them; a student's are in the population's space, as everywhere.
    """

    name: ClassVar[str] = "mean"
    paper: ClassVar[str] = "Snell et al. 2017"
    transductive: ClassVar[bool] = False
    features: ClassVar[Features] = "embedding"

    def scores(self, support: Vectors, labels: NDArray[np.int64], queries: Vectors) -> NDArray[np.float64]:
        """See ``FewShotEstimator``."""
        known, columns, asked = checked(support, labels, queries)
        return nearness(asked, class_means(known, columns))

    def prototypes(
        self, population: Population, own: SupportSet | None, _classmates: Sequence[SupportSet]
    ) -> list[Prototype]:
        """See ``EnrollmentEstimator``; classmates are not looked at."""
        return mean_prototypes(population, own)
