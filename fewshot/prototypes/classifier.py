"""Nearest prototype with a temperature and the right to say nothing (Snell et al. 2017; Chow 1970 for the reject)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fewshot.prototypes.calibration import softmax
from fewshot.prototypes.estimators import Level, Prototype, hierarchical_prototypes
from fewshot.prototypes.index import Row
from fewshot.prototypes.population import Population
from fewshot.prototypes.store import PrototypeStore
from fewshot.types import Vectors

_Rows = Sequence[Row | Prototype]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the prototypes say about one face in one frame, and what is needed to decide again after smoothing.

    Attributes:
        emotion: the nearest prototype's, or None: too far from all, too close to the second, or not reliable yet.
        confidence: probability of the nearest prototype's emotion, 0..1.
        probabilities: over the population's emotions and this student's own states; sums to 1.
        prototypes: whose prototypes decided.
        distances: squared distance to each of them; infinite for a vector that says nothing.
        limits: largest distance at which each may be named; negative for a state that is not reliable yet.
        margin: smallest lead over the second at which one may be named.
    """

    emotion: str | None
    confidence: float
    probabilities: dict[str, float]
    prototypes: Level
    distances: Mapping[str, float] = field(default_factory=dict)
    limits: Mapping[str, float] = field(default_factory=dict)
    margin: float = 0.0

    def decide(self, probabilities: Mapping[str, float]) -> tuple[str | None, float]:
        """Decide again, from probabilities smoothed in time: (emotion or None, confidence)."""
        return decide(probabilities, self.distances, self.limits, self.margin)


def decide(
    probabilities: Mapping[str, float], distances: Mapping[str, float], limits: Mapping[str, float], margin: float
) -> tuple[str | None, float]:
    """The most probable emotion, or None where naming it would be a guess.

    Args:
        probabilities: at least one.
        distances: squared, of this frame.
        limits, margin: see ``Verdict``.

    Returns:
        (emotion or None, probability of the most probable one).
    """
    best = max(probabilities, key=lambda emotion: probabilities[emotion])
    confidence = probabilities[best]
    second = max((p for emotion, p in probabilities.items() if emotion != best), default=0.0)
    too_far = distances.get(best, 0.0) > limits.get(best, np.inf)
    return (None if too_far or confidence - second < margin else best), confidence


@dataclass(frozen=True, slots=True)
class _Card:
    """What one student is read by; all arithmetic is done on the rows, the rest labels it."""

    emotions: tuple[str, ...]
    first_row: int
    level: Level
    limits: dict[str, float]
    margin: float
    temperature: float
    reach: NDArray[np.float64]


class Classifier:
    """Reads faces by the prototypes of whoever they belong to: personal, else the class's, else the population's.

    A snapshot: build a new one after the store has changed.
    """

    def __init__(self, population: Population, store: PrototypeStore | None = None) -> None:
        """Gather all prototypes into one matrix.

        Raises:
            StoreError: the store's vectors were made by another network than the population's.
        """
        self.population = population
        decks = dict(_decks(population, store))
        self._widest = max(len(rows) for rows, _ in decks.values())
        self._matrix = np.concatenate([matrix for _, matrix in decks.values()])
        self._cards: dict[str | None, _Card] = {}
        first = 0
        for student, (rows, _) in decks.items():
            self._cards[student] = self._card(rows, first)
            first += len(rows)

    def read(self, vectors: Vectors, students: Sequence[str | None]) -> list[Verdict]:
        """Read all faces of a frame at once.

        Args:
            vectors: z of the expression network, shape (n, d).
            students: whose face each is; None, or a key that is not in the store, is read as the class is.

        Returns:
            One verdict a face.

        Raises:
            DimensionMismatch: vectors of another network.
            ValueError: not one student a vector.
        """
        transformed = self.population.transform(vectors)
        stranger = self._cards[None]
        cards = [self._cards.get(student, stranger) for _, student in zip(transformed, students, strict=True)]
        if not cards:
            return []
        distances = self._distances(transformed, cards)
        # A state of the student's own is no candidate beyond its radius, or it would attract its owner's every face.
        # Within it, one that is not reliable yet competes all the same: its photos are then no other emotion either.
        candidates = distances <= np.stack([card.reach for card in cards])
        temperatures = np.array([[card.temperature] for card in cards])
        probabilities = softmax(np.where(candidates, -distances / temperatures, -np.inf))
        distances[~transformed.any(axis=1)] = np.inf
        return [
            _verdict(card, row, far)
            for card, row, far in zip(cards, probabilities.tolist(), distances.tolist(), strict=True)
        ]

    def _distances(self, transformed: Vectors, cards: Sequence[_Card]) -> NDArray[np.float64]:
        """Squared distances to each face's own prototypes, shape (n, widest); inf where a student has fewer."""
        columns = np.arange(self._widest)
        width = np.array([[len(card.emotions)] for card in cards])
        first = np.array([[card.first_row] for card in cards])
        differences = self._matrix[first + np.minimum(columns, width - 1)] - transformed[:, None, :]
        squared = np.einsum("nkd,nkd->nk", differences, differences).astype(np.float64)
        return np.where(columns < width, squared, np.inf)

    def _card(self, rows: _Rows, first_row: int) -> _Card:
        known = len(self.population.classes)
        thresholds = self.population.calibration.at(sum(row.shots for row in rows[:known]) / known)
        limits = {row.emotion: thresholds.far for row in rows[:known]}
        reach = np.full(self._widest, -1.0)
        reach[:known] = np.inf
        for column, row in enumerate(rows[known:], start=known):
            reach[column] = row.radius or 0.0
            limits[row.emotion] = float(reach[column]) if row.reliable else -1.0
        return _Card(
            emotions=tuple(row.emotion for row in rows),
            first_row=first_row,
            level=rows[0].level,
            limits=limits,
            margin=thresholds.margin,
            temperature=thresholds.temperature,
            reach=reach,
        )


def _decks(
    population: Population, store: PrototypeStore | None
) -> Iterator[tuple[str | None, tuple[_Rows, NDArray[np.float32]]]]:
    """The prototypes of strangers (None), then of every student."""
    if store is not None:
        store.require(network=population.network)
        if store.built_with != population.fingerprint:
            store.rebuild(population)
    for student in (None, *(store.students() if store is not None else ())):
        found = store.prototypes_of(student) if store is not None else None
        if found is not None:
            yield student, (found.rows, found.matrix)
        elif student is None:
            made = hierarchical_prototypes(population)
            yield student, (made, np.stack([prototype.vector for prototype in made]))


def _verdict(card: _Card, probabilities: list[float], distances: list[float]) -> Verdict:
    named = dict(zip(card.emotions, probabilities, strict=False))
    far = dict(zip(card.emotions, distances, strict=False))
    emotion, confidence = decide(named, far, card.limits, card.margin)
    return Verdict(emotion, confidence, named, card.level, far, card.limits, card.margin)
