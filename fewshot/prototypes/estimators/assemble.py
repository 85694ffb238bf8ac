"""Builds ``Prototype`` objects from vectors: for the population's emotions and for a student's own states."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fewshot.prototypes.estimators.base import Level, Prototype
from fewshot.prototypes.population import Population
from fewshot.prototypes.supports import SupportSet, has_neutral_reference
from fewshot.types import Vectors
from fewshot.unit_vectors import unit_rows

SPREAD_PRIOR = 4.0
"""Number of photos of a state at which their own spread counts as much as the population's s_w^2."""

REACH = 3.0
"""The radius of a student's own state, in expected squared distances of a new photo of it. It is the largest value at
which at most 0.1 % of other pictures on CK+ are assigned to the state (development; ``experiments/population.py`` shows
it); CK+ films people in one session. Results for other data sets: experiments/results/open_set.md."""


def named(
    population: Population,
    vectors: NDArray[np.floating],
    counts: NDArray[np.floating],
    level: Level,
    uncertainty: NDArray[np.floating] | None = None,
) -> list[Prototype]:
    """Prototypes of the population's k emotions.

    Args:
        population: the population with these emotions.
        vectors: in the transformed space, shape (k, d).
        counts: number of photos of each, shape (k,).
        level: whose photos were used.
        uncertainty: see ``Prototype``, shape (k,); None is 0 for all.
    """
    unsure = np.zeros(len(counts)) if uncertainty is None else uncertainty
    return [
        Prototype(emotion, vector, float(shots), level, uncertainty=float(unknown))
        for emotion, vector, shots, unknown in zip(
            population.classes, _finished(population, vectors), counts, unsure, strict=True
        )
    ]


def own_states(population: Population, supports: SupportSet) -> list[Prototype]:
    """Prototypes of the student's own states, which the population does not have: m_e and its radius."""
    words = sorted({word for word in supports.emotions if word is not None} - set(population.classes))
    if not words:
        return []
    reliable = has_neutral_reference(supports, population)
    vectors, within = population.transform(supports.vectors), population.variances.within
    states = []
    for word in words:
        own = vectors[[emotion == word for emotion in supports.emotions]]
        mean = own.mean(axis=0)
        # Spread of a new photo around a mean of n photos: the photo's own spread, plus 1/n of it for the mean.
        spread = (SPREAD_PRIOR * within + ((own - mean) ** 2).sum()) / (SPREAD_PRIOR + len(own) - 1)
        radius = float(REACH * spread * (1.0 + 1.0 / len(own)))
        vector, unknown = _finished(population, mean[None])[0], float(spread / len(own))
        states.append(Prototype(word, vector, float(len(own)), "personal", radius, reliable, unknown))
    return states


def _finished(population: Population, vectors: NDArray[np.floating]) -> Vectors:
    if population.rescale:
        vectors = unit_rows(vectors)
    return vectors.astype(np.float32)
