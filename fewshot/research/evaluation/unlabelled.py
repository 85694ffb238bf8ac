"""Unlabelled adaptation: what the faces that a class has shown so far say about its camera, without any photo.

Every way below gives a shift of the population prototypes, shape (k, d), or another b. It is estimated on some faces of
a class and tested on other faces of it. The product uses none of them (``experiments/results/unlabelled.md``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fewshot.prototypes.calibration import softmax
from fewshot.prototypes.estimators.base import weighted_cells
from fewshot.prototypes.estimators.class_gate import lesson_rates
from fewshot.prototypes.estimators.shrinkage import effect_of, witness
from fewshot.prototypes.population import Population
from fewshot.prototypes.space import squared_distances, transform
from fewshot.prototypes.supports import NEUTRAL
from fewshot.types import Vectors

ROUNDS = 4
"""What a face shows depends on the shift, and the shift on what the faces show."""
PRIOR_FACES = 10.0
"""The rates of a usual lesson count as much as so many faces of the class."""


@dataclass(frozen=True, eq=False)
class Adapted:
    """A class after some faces.

    Attributes:
        mean: b of the transform, shape (d,).
        shift: of the population prototypes, shape (k, d).
    """

    mean: NDArray[np.float32]
    shift: NDArray[np.float64]

    def nearest(self, population: Population, vectors: Vectors) -> NDArray[np.int64]:
        """Index of the nearest shifted prototype for each vector z (n, d), shape (n,)."""
        moved = (population.prototypes + self.shift).astype(np.float32)
        return np.asarray(squared_distances(transform(vectors, self.mean), moved).argmin(axis=1))


Adapt = Callable[[Population, Vectors, Sequence[str]], Adapted]
"""From the vectors z of the faces seen, shape (n, d), n > 0, and whose they are, length n."""


def nothing(population: Population, _seen: Vectors, _whose: Sequence[str]) -> Adapted:
    """The population prototypes as they are."""
    return Adapted(population.mean, np.zeros(population.prototypes.shape))


@dataclass(frozen=True)
class Recentred:
    """The mean of the faces seen takes the place of b, as if every emotion were as frequent as any other.

    Attributes:
        prior: b counts as much as so many faces; 0 forgets it.
    """

    prior: float = 0.0

    def __call__(self, population: Population, seen: Vectors, _whose: Sequence[str]) -> Adapted:
        """See ``Adapt``."""
        total = seen.sum(axis=0) + self.prior * population.mean
        return Adapted((total / (len(seen) + self.prior)).astype(np.float32), np.zeros(population.prototypes.shape))


@dataclass(frozen=True)
class Offset:
    """One shift for all emotions: the mean of what the predicted emotions do not explain, shrunk.

    The model of the class effect with only its common part, u = mu_e + c + d_s + g_se + noise. The emotions, how
    frequent they are, and c are estimated together (expectation maximisation; Dempster et al. 1977). c is shrunk by the
    number of people and faces (expected error beside prior variance), and by how far the class looks unlike the
    population: less than chance explains is no shift (positive part of James and Stein 1961).

    Attributes:
        strength: share of the shift that is used.
    """

    strength: float = 1.0

    def __call__(self, population: Population, seen: Vectors, whose: Sequence[str]) -> Adapted:
        """See ``Adapt``."""
        u = population.transform(seen).astype(np.float64)
        _, person = np.unique(np.array(whose), return_inverse=True)
        rates = lesson_rates(population.classes)
        shares, shift = rates, np.zeros(u.shape[1])
        for _ in range(ROUNDS):
            shown = probable(population, u, shift, shares)
            shares = _frequencies(shown, rates)
            shift = shrunk_offset(population, u - shown @ population.prototypes, person)
        return Adapted(population.mean, np.tile(self.strength * shift, (len(population.classes), 1)))


@dataclass(frozen=True)
class ClassFromPredictions:
    """The product's class effect, with predicted emotions in place of the labels of photos.

    Every emotion has its own shift; how much is believed follows from people, faces and the population's variances.

    Attributes:
        strength: share of the shift that is used.
        least_neutral: nothing is used unless at least this share of the faces looks neutral.
    """

    strength: float = 1.0
    least_neutral: float = 0.0

    def __call__(self, population: Population, seen: Vectors, whose: Sequence[str]) -> Adapted:
        """See ``Adapt``."""
        u = population.transform(seen).astype(np.float64)
        rates = lesson_rates(population.classes)
        shares, shift = rates, np.zeros(population.prototypes.shape)
        rows = [np.flatnonzero(np.array(whose) == person) for person in np.unique(whose)]
        plain = probable(population, u, shift, np.full(len(rates), 1 / len(rates)))
        if plain[:, population.classes.index(NEUTRAL)].mean() < self.least_neutral:
            return nothing(population, seen, whose)
        for _ in range(ROUNDS):
            shown = probable(population, u, shift, shares)
            shares = _frequencies(shown, rates)
            cells = [weighted_cells(shown[own], u[own].astype(np.float32)) for own in rows]
            # A hundredth of a face is no witness of an emotion: it counts as far as there is a whole one.
            shift = effect_of(
                population, (witness(population, one, np.minimum(one.counts, 1.0)) for one in cells)
            ).shift
        return Adapted(population.mean, self.strength * shift)


def shrunk_offset(
    population: Population, residuals: NDArray[np.float64], person: NDArray[np.int64]
) -> NDArray[np.float64]:
    """The shift that faces have in common, shrunk; see ``Offset``.

    Args:
        residuals: of the faces, shape (n, d).
        person: whose each is, numbered from 0, shape (n,).

    Returns:
        Shape (d,).
    """
    v, faces = population.variances, np.bincount(person)
    means = np.zeros((len(faces), residuals.shape[1]))
    np.add.at(means, person, residuals / faces[person][:, None])
    precision = 1.0 / np.maximum(v.student + v.interaction + v.within / faces, 1e-12)
    error = 1.0 / precision.sum()
    found = precision @ means * error
    beyond_chance = max(0.0, 1.0 - error / max(float(found @ found), 1e-12))
    # What the emotions do not have in common is part of what is seen, and says nothing about the others.
    own = v.classroom * float((lesson_rates(population.classes) ** 2).sum())
    return np.asarray(found * beyond_chance * v.common / max(v.common + own + error, 1e-12))


def probable(
    population: Population, u: NDArray[np.float64], shift: NDArray[np.float64], shares: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Probability of each emotion for each face.

    Args:
        u: transformed vectors, shape (n, d).
        shift: of the prototypes, shape (d,) or (k, d).
        shares: how frequent each emotion is, shape (k,).

    Returns:
        Shape (n, k); rows sum to 1.
    """
    distances = squared_distances(u.astype(np.float32), (population.prototypes + shift).astype(np.float32))
    return softmax(np.log(shares) - distances / population.calibration.at(0).temperature)


def _frequencies(shown: NDArray[np.float64], rates: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray((shown.sum(axis=0) + PRIOR_FACES * rates) / (len(shown) + PRIOR_FACES))
