"""One enrolled class, and the prototypes by which each of its students would be read."""

from __future__ import annotations

import zlib
from dataclasses import replace

import numpy as np

from fewshot.prototypes.estimators import (
    AdaptiveHierarchical,
    ClassModel,
    Hierarchical,
    Prototype,
    cells_of,
    fit_class,
    hierarchical_prototypes,
)
from fewshot.prototypes.estimators.class_model import Sums
from fewshot.prototypes.estimators.shrinkage import effect_of, witness
from fewshot.prototypes.population import Population
from fewshot.prototypes.supports import SupportSet
from fewshot.research.evaluation.album import Album
from fewshot.research.evaluation.estimators.base import EnrollmentEstimator
from fewshot.research.evaluation.support_draws import Draw

FOLDS = 5


class Room:
    """The photos of one draw, with what is the same for all of its students worked out once.

    Attributes:
        own: photos of each student who brings some, as the one who is read.
        brought: photos of each who brings some, as a classmate.
    """

    def __init__(self, population: Population, estimator: EnrollmentEstimator, album: Album, draw: Draw) -> None:
        self.population, self.estimator = population, estimator
        self.own = {who: album.supports(rows, draw.labelled) for who, rows in draw.own.items() if rows}
        self.brought = {who: album.supports(rows, draw.labelled) for who, rows in draw.brought.items() if rows}
        self._witnesses = {}
        if isinstance(estimator, Hierarchical) and estimator.classroom:
            self._witnesses = {who: witness(population, cells_of(s, population)) for who, s in self.brought.items()}
        self._sums = [np.sum([pair[part] for pair in self._witnesses.values()], axis=0) for part in (0, 1)]
        self._nobody: list[Prototype] | None = None
        self._folds: dict[int, tuple[ClassModel, dict[str, Sums]]] = {}

    def prototypes(self, student: str, giver: str | None, classmates: bool) -> list[Prototype]:
        """By which a student would be read.

        Args:
            student: who is read; nothing of theirs counts but what ``giver`` gives.
            giver: whose photos pass for the student's: the student, another, or None for nobody's. Whoever lends their
                photos sits in the one's place, not in two.
            classmates: do the photos of the others count?
        """
        photos = None if giver is None else self.own.get(giver)
        if not classmates:
            return self._nobodys() if photos is None else self.estimator.prototypes(self.population, photos, [])
        if isinstance(self.estimator, AdaptiveHierarchical):
            return self._cross_fitted(student, giver).prototypes(photos)
        if isinstance(self.estimator, Hierarchical):
            return self._quickly(self.estimator, photos, {student, giver})
        mates = [supports for who, supports in self.brought.items() if who not in (student, giver)]
        return self.estimator.prototypes(self.population, photos, mates)

    def _cross_fitted(self, student: str, giver: str | None) -> ClassModel:
        """The class without student and giver, trusted as far as the photos of other students justify.

        Cross-fitting by subject: a fifth of the students, the tested one among them, has no say in how far photos are
        trusted. Their photos still show the camera of the class.
        """
        fold = _fold(student)
        if fold not in self._folds:
            model = fit_class(self.population, [s for who, s in self.brought.items() if _fold(who) != fold])
            parts = {who: model.contribution(supports) for who, supports in self.brought.items()}
            self._folds[fold] = model, parts
        model, parts = self._folds[fold]
        there = [part for who, part in parts.items() if who not in (student, giver)]
        zeros = np.zeros_like(model.sums[0]), np.zeros_like(model.sums[1])
        return replace(model, sums=(sum((p[0] for p in there), zeros[0]), sum((p[1] for p in there), zeros[1])))

    def _nobodys(self) -> list[Prototype]:
        """Those of the population, the same for everybody."""
        if self._nobody is None:
            self._nobody = self.estimator.prototypes(self.population, None, [])
        return self._nobody

    def _quickly(self, estimator: Hierarchical, photos: SupportSet | None, away: set[str | None]) -> list[Prototype]:
        """What ``Hierarchical.prototypes`` gives, without adding up the whole class for each of its students anew."""
        effect = None
        if estimator.classroom:
            parts = [np.array(part, np.float64) for part in self._sums]
            for who in sorted(str(name) for name in away & self._witnesses.keys()):
                parts = [part - gone for part, gone in zip(parts, self._witnesses[who], strict=True)]
            there = [(parts[0], parts[1])] if self._witnesses.keys() - away else []
            if photos is not None:
                there.append(witness(self.population, cells_of(photos, self.population)))
            effect = effect_of(self.population, there)
        return hierarchical_prototypes(
            self.population, photos, effect, student=estimator.student, personal=estimator.personal
        )


def _fold(student: str) -> int:
    return zlib.crc32(student.encode()) % FOLDS
