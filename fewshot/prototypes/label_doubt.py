"""Finds photos whose label is probably wrong, with the population and the photos of all other students in the class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fewshot.prototypes.calibration import softmax
from fewshot.prototypes.estimators.base import Cells
from fewshot.prototypes.estimators.shrinkage import effect_of, witness
from fewshot.prototypes.population import Population
from fewshot.prototypes.space import squared_distances
from fewshot.prototypes.store import PrototypeStore
from fewshot.prototypes.supports import NEUTRAL, SupportSet, emotion_weights
from fewshot.types import Vectors

WRONG = 0.05
"""Prior share of wrong labels."""
DOUBTFUL = 0.2
"""A label is reported if it is right with less than this probability. On development data (one photo per student and
emotion, a tenth of the labels made wrong, classes of 5 to 30) this reports 87 % of the wrong labels of CK+, 38 % of
those of Taiwan and 41 % of press photos, and at most 0.5 % of the right ones."""
ROUNDS = 2
FEWEST, MANY = 2, 0.25
"""If at least so many photos, and this share of all, are labelled neutral and cannot be neutral according to the
population, the folders of the whole class are probably mixed up. Of the right neutral labels of five development sets
none is doubted so."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """The opinion on the label of one photo, from the photos of others.

    Attributes:
        right: probability that the label is right, 0..1; 1 for a photo without one of the population's labels.
        looks: the emotion that the photo most likely shows.
    """

    right: float
    looks: str

    @property
    def doubtful(self) -> bool:
        """Whether the label is probably wrong."""
        return self.right < DOUBTFUL


def opinions(population: Population, students: Sequence[SupportSet]) -> list[list[Opinion]]:
    """Opinions on every photo of every student, in order.

    The model: a label is right, or it is one of the other labels with equal probability (noise completely at random,
    Frenay and Verleysen 2014). What a photo shows is predicted with the population prototypes, shifted by the class
    effect that is estimated from the photos of all other students; each photo counts as much as its label is trusted. A
    student's own photos are not used. So a label is also doubted if the student shows an emotion in an unusual way.

    Args:
        population: prototypes, variances and temperature.
        students: photos of all students in the class.
    """
    parts = [_Photos.of(population, photos) for photos in students]
    alone = [photos.opinions(population.classes) for photos in parts]
    neutral = [
        opinion.doubtful
        for row, photos in zip(alone, students, strict=True)
        for opinion, label in zip(row, photos.emotions, strict=True)
        if label == NEUTRAL
    ]
    if sum(neutral) >= max(FEWEST, MANY * len(neutral)):
        # The class agrees on labels that cannot be: folders were mixed up, and the photos of others confirm each other.
        return alone
    for _ in range(ROUNDS):
        said = [witness(population, *photos.cells()) for photos in parts]
        everything = [np.sum([pair[part] for pair in said], axis=0) for part in (0, 1)]
        for photos, (information, evidence) in zip(parts, said, strict=True):
            photos.ask(
                population, effect_of(population, [(everything[0] - information, everything[1] - evidence)]).shift
            )
    return [photos.opinions(population.classes) for photos in parts]


def doubted_photos(population: Population, store: PrototypeStore) -> dict[str, str]:
    """Hash of each photo with a doubtful label -> the emotion that it most likely shows."""
    supports = [store.supports_of(student) for student in store.students()]
    return {
        sha256: opinion.looks
        for photos, thought in zip(supports, opinions(population, supports), strict=True)
        for sha256, opinion in zip(photos.photos, thought, strict=True)
        if opinion.doubtful
    }


@dataclass(eq=False, slots=True)
class _Photos:
    """The photos of one student and the opinions so far: vectors (n, d), the others (n, k) or (n,)."""

    vectors: Vectors
    weights: NDArray[np.float64]
    labelled: NDArray[np.bool_]
    shares: NDArray[np.float64]
    right: NDArray[np.float64]

    @classmethod
    def of(cls, population: Population, photos: SupportSet) -> _Photos:
        labelled = np.array([emotion in population.classes for emotion in photos.emotions], np.bool_)
        weights = emotion_weights(photos, population)
        made = cls(population.transform(photos.vectors), weights, labelled, weights, np.ones(len(photos)))
        made.ask(population, np.zeros(population.prototypes.shape))
        return made

    def ask(self, population: Population, effect: NDArray[np.float64]) -> None:
        """Update the opinions, given the class effect on the prototypes, shape (k, d)."""
        distances = squared_distances(self.vectors, population.prototypes + effect)
        self.shares = softmax(-distances / population.calibration.at(0).temperature)
        share = (self.shares * (self.weights > 0)).sum(axis=1)
        right, wrong = (1 - WRONG) * share, WRONG * (1 - share) / (len(population.classes) - 1)
        self.right = np.where(self.labelled, right / np.maximum(right + wrong, 1e-300), 1.0)

    def cells(self) -> tuple[Cells, NDArray[np.float64]]:
        """Means of the photos, weighted by trust, and how much each mean is trusted, shape (k,)."""
        trusted = self.weights * self.right[:, None]
        counts, believed = self.weights.sum(axis=0), trusted.sum(axis=0)
        means = trusted.T @ self.vectors.astype(np.float64) / np.where(believed > 0, believed, 1.0)[:, None]
        return Cells(counts, means), believed / np.where(counts > 0, counts, 1.0)

    def opinions(self, classes: Sequence[str]) -> list[Opinion]:
        looks = self.shares.argmax(axis=1)
        return [Opinion(right, classes[place]) for right, place in zip(self.right.tolist(), looks, strict=True)]
