"""Nearest-prototype classification with a temperature (Snell et al. 2017)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fewshot.prototypes.calibration import softmax
from fewshot.prototypes.estimators import Level, hierarchical_prototypes
from fewshot.prototypes.index import PrototypeIndex, PrototypeSet, Row
from fewshot.prototypes.population import Population
from fewshot.prototypes.space import allowed_distances
from fewshot.prototypes.store import PrototypeStore
from fewshot.prototypes.verdict import Verdict, decide_all
from fewshot.types import Vectors

__all__ = ["Classifier", "Verdict"]


@dataclass(frozen=True, slots=True)
class _Card:
    """The parameters for classifying one student's faces.

    ``number`` is the student's row in the tables that ``Classifier`` computes once for all frames.
    """

    number: int
    emotions: tuple[str, ...]
    level: Level
    limits: dict[str, float]
    margin: float
    temperature: float
    reach: NDArray[np.float64]
    uncertainties: NDArray[np.float64]


class Classifier:
    """Classifies faces with their student's own prototypes, or with those of the class or of the population.

    It is a snapshot: create a new one after the store has changed.
    """

    def __init__(self, population: Population, store: PrototypeStore | None = None) -> None:
        """Find the positions of all prototypes in the index.

        Args:
            population: the population prototypes.
            store: supports and prototypes of the students; None without students.

        Raises:
            StoreError: store and population belong to different networks.
        """
        self.population = population
        self._index, decks = _decks(population, store)
        self._decks = decks
        self._widest = max(len(deck.rows) for deck in decks.values())
        self._cards = {student: self._card(deck.rows, number) for number, (student, deck) in enumerate(decks.items())}
        cards = list(self._cards.values())
        self._positions = np.array([_padded(deck.positions.tolist(), self._widest, -1) for deck in decks.values()])
        self._uncertainties = np.stack([card.uncertainties for card in cards])
        self._reach = np.stack([card.reach for card in cards])
        self._limits = np.array([_padded(list(card.limits.values()), self._widest, np.inf) for card in cards])
        self._margins = np.array([card.margin for card in cards])
        self._temperatures = np.array([[card.temperature] for card in cards])

    def prototype_sets(self) -> dict[str | None, PrototypeSet]:
        """Student -> the prototypes for this student; the key None is for all other faces."""
        return dict(self._decks)

    def read(self, vectors: Vectors, students: Sequence[str | None]) -> list[Verdict]:
        """Classify all faces of a frame at once.

        Args:
            vectors: z of the expression network, shape (n, d).
            students: student of each face; None or an unknown key uses the prototypes of the class.

        Returns:
            One verdict per face.

        Raises:
            DimensionMismatch: another network made the vectors.
            ValueError: there is not exactly one student per vector.
        """
        transformed = self.population.transform(vectors)
        stranger = self._cards[None]
        cards = [self._cards.get(student, stranger) for _, student in zip(transformed, students, strict=True)]
        if not cards:
            return []
        numbers = np.array([card.number for card in cards])
        distances = self._index.distances(transformed, self._positions[numbers]).astype(np.float64)
        # A student's own state is a candidate only within its radius; otherwise it would attract all faces of this
        # student. Within the radius a state that is not reliable yet is still compared, so that faces of this state are
        # not classified as another emotion.
        candidates = distances <= self._reach[numbers]
        compared = allowed_distances(distances, self._uncertainties[numbers], self.population.allowance)
        probabilities = softmax(np.where(candidates, -compared / self._temperatures[numbers], -np.inf))
        distances[~transformed.any(axis=1)] = np.inf
        decided = decide_all(probabilities, distances, self._limits[numbers], self._margins[numbers])
        return [
            Verdict(
                card.emotions[best] if named else None,
                confidence,
                dict(zip(card.emotions, row, strict=False)),
                card.level,
                dict(zip(card.emotions, far, strict=False)),
                card.limits,
                card.margin,
            )
            for card, best, named, confidence, row, far in zip(
                cards, *decided, probabilities.tolist(), distances.tolist(), strict=True
            )
        ]

    def _card(self, rows: Sequence[Row], number: int) -> _Card:
        known = len(self.population.classes)
        thresholds = self.population.calibration.at(sum(row.shots for row in rows[:known]) / known)
        limits = {row.emotion: thresholds.far for row in rows[:known]}
        reach = np.full(self._widest, -1.0)
        reach[:known] = np.inf
        for column, row in enumerate(rows[known:], start=known):
            reach[column] = row.radius or 0.0
            limits[row.emotion] = float(reach[column]) if row.reliable else -1.0
        return _Card(
            number=number,
            emotions=tuple(row.emotion for row in rows),
            level=rows[0].level,
            limits=limits,
            margin=thresholds.margin,
            temperature=thresholds.temperature,
            reach=reach,
            uncertainties=np.array([row.uncertainty for row in rows] + [0.0] * (self._widest - len(rows))),
        )


def _decks(
    population: Population, store: PrototypeStore | None
) -> tuple[PrototypeIndex, dict[str | None, PrototypeSet]]:
    """The index, and student -> prototypes in it; the key None is for strangers."""
    if store is not None:
        store.require(network=population.network)
        if store.built_with != population.fingerprint:
            store.rebuild(population)
        if (of_class := store.prototypes_of(None)) is not None:
            own = {student: store.prototypes_of(student) for student in store.students()}
            return store.index.snapshot(), {None: of_class, **{key: one for key, one in own.items() if one is not None}}
    index = PrototypeIndex(len(population.mean))
    made = hierarchical_prototypes(population)
    index.fill([(None, prototype) for prototype in made], population.network, population.variances)
    strangers = index.of(None)
    assert strangers is not None  # nosec B101: for the type checker
    return index, {None: strangers}


def _padded(values: list[Any], count: int, filler: float) -> list[Any]:
    return values + [filler] * (count - len(values))
