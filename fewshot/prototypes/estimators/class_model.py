"""What the photos of a class say about themselves, and the prototypes that follow: how far to trust a photo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from fewshot.prototypes.calibration import softmax
from fewshot.prototypes.estimators.base import Level, Prototype, cells_of, weighted_cells
from fewshot.prototypes.estimators.class_gate import helpful_shares, lesson_rates, lesson_weights, log_likelihood
from fewshot.prototypes.estimators.hierarchical import hierarchical_prototypes
from fewshot.prototypes.estimators.photo_spread import cautious, extra_variance
from fewshot.prototypes.estimators.shrinkage import (
    ClassEffect,
    effect_of,
    shrunken_means,
    student_offset,
    uncertainties,
    witness,
)
from fewshot.prototypes.population import Population, Variances
from fewshot.prototypes.space import squared_distances
from fewshot.prototypes.supports import SupportSet
from fewshot.types import Vectors

MISLEADING, LEAST_MISLEADING = 0.2, 0.02
"""Prior share of photos that show what is frequent in a lesson instead of their label: among photos that are worth
nothing, and among those of a laboratory. Who takes photos with care also takes care of their labels."""
CORRECTION = "correction "
"""How the names of faces begin that a teacher named in a lesson; other names are hashes of photos."""
ROUNDS = 2
"""Trust depends on the class effect and the class effect on trust."""
FEWEST_PAIRS, MOST_PAIRS = 8, 300
"""Photos that have another photo of the same student and emotion: fewer than this are no evidence, more are thinned."""
WORTH_SAYING = 0.25
"""Least weight of a student's own photos in a prototype for a reading to be called personal."""

Sums = tuple[NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class ClassModel:
    """A class with photos, as far as they can be trusted.

    Attributes:
        population: as it ships.
        variances: the population's, with the extra variance of this class's photos in ``within``.
        shares: how much of the class effect is used for each emotion, shape (k,).
        sums: information, shape (k, k), and evidence, shape (k, d), of all photos about the class effect.
        trusts: trust in each photo of each student, in the order of ``fit_class``, shape (n_s,).
    """

    population: Population
    variances: Variances
    shares: NDArray[np.float64]
    sums: Sums
    trusts: tuple[NDArray[np.float64], ...] = ()

    @property
    def worth(self) -> float:
        """Weight of a single photo in its own prototype, 0..1: near 0.7 in a laboratory, near 0.1 for press photos."""
        own = self.variances.interaction
        return own / max(own + self.variances.within, 1e-12)

    @property
    def confidence(self) -> float:
        """Share of the shipped allowance and class effect that these photos justify without further evidence, 0..1."""
        return _confidence(self.population, self.variances)

    def prototypes(
        self, supports: SupportSet | None = None, trust: NDArray[np.float64] | None = None, member: bool = False
    ) -> list[Prototype]:
        """Prototypes of one student, or of the class (``supports`` None), see ``hierarchical_prototypes``.

        Args:
            supports: photos of the student.
            trust: in each photo, shape (n,); None estimates it.
            member: whether the photos are already part of this model.
        """
        sums = [self.sums]
        if supports is not None and len(supports):
            trust = self.trust(supports) if trust is None else trust
            if not member:
                sums.append(self.contribution(supports, trust))
        effect = effect_of(self._adapted, sums)
        made = hierarchical_prototypes(
            self.population,
            supports,
            ClassEffect(effect.shift * self.shares[:, None], effect.information),
            variances=self.variances,
            trust=trust,
        )
        level = self._level(made, bool(np.any(effect.shift)))
        kinds = len(self.population.classes)
        known = [replace(p, uncertainty=p.uncertainty * self.confidence, level=level) for p in made[:kinds]]
        return known + made[kinds:]

    def contribution(self, supports: SupportSet, trust: NDArray[np.float64] | None = None) -> Sums:
        """What one student's photos say about the class effect; the contributions of a class are added up in ``sums``.

        Args:
            supports: photos of the student.
            trust: in each photo, shape (n,); None estimates it.

        Returns:
            Information, shape (k, k), and evidence, shape (k, d).
        """
        trust = self.trust(supports) if trust is None else trust
        return witness(self._adapted, cells_of(supports, self.population, trust))

    def trust(self, supports: SupportSet, sums: Sums | None = None) -> NDArray[np.float64]:
        """Probability that each photo shows its label, and not just what is frequent in a lesson: shape (n,).

        Args:
            supports: photos; one without a label of the population is trusted fully.
            sums: of the class without these photos; None uses all of ``sums``.
        """
        labels = _labels(self.population, supports)
        shift = effect_of(self._adapted, [self.sums if sums is None else sums]).shift * self.shares[:, None]
        distances = squared_distances(
            self.population.transform(supports.vectors), (self.population.prototypes + shift).astype(np.float32)
        )
        found = softmax(-distances / self.population.calibration.at(0).temperature)
        doubted = MISLEADING + (LEAST_MISLEADING - MISLEADING) * self.confidence
        right = (1 - doubted) * found[np.arange(len(labels)), np.maximum(labels, 0)]
        misleading = doubted * found @ lesson_rates(self.population.classes)
        trust = np.where(labels >= 0, right / np.maximum(right + misleading, 1e-12), 1.0)
        # Several photos with one label bear each other out; what they are worth, ``_by_pairs`` measures.
        trust = np.where((labels >= 0) & ((labels[:, None] == labels).sum(axis=1) > 1), 1.0, trust)
        # Not the extra variance of photos either: such a face counts as a photo of a laboratory does.
        return np.where(_from_lesson(supports), 1.0 / max(self.confidence, 1e-6), trust)

    @cached_property
    def _adapted(self) -> Population:
        return replace(self.population, variances=self.variances)

    def _level(self, made: Sequence[Prototype], shifted: bool) -> Level:
        shots = max(prototype.shots for prototype in made[: len(self.population.classes)])
        own = shots * self.variances.interaction
        if made[0].level == "personal" and own >= WORTH_SAYING * (own + self.variances.within):
            return "personal"
        return "class" if shifted and bool((self.shares > 0).any()) else "population"


def fit_class(population: Population, students: Sequence[SupportSet]) -> ClassModel:
    """How far the photos of a class can be trusted, from the photos themselves (empirical Bayes).

    1. The spread of the photos tells how much one photo is worth (``extra_variance``).
    2. A photo that shows what is frequent in a lesson rather than its label is trusted less.
    3. The class effect is used as far as it predicts the photos of students it was not estimated from.
    4. Where students have several photos of one emotion, leaving one out tells how much to trust own photos.

    Args:
        population: prototypes, variances and temperature.
        students: photos of every student of the class.
    """
    every = [_labels(population, photos) for photos in students]
    rows = [np.flatnonzero(of >= 0) for of in every]
    labels = [of[chosen] for of, chosen in zip(every, rows, strict=True)]
    photos = [population.transform(s.vectors)[chosen] for s, chosen in zip(students, rows, strict=True)]
    trusts = [np.ones(len(s)) for s in students]
    for _ in range(ROUNDS):
        trusted = [np.minimum(trust[chosen], 1.0) for trust, chosen in zip(trusts, rows, strict=True)]
        extra = extra_variance(photos, labels, trusted, population.variances, population.classes)
        variances = _with_extra(population.variances, cautious(extra))
        model, sums = _gated(population, variances, students, trusts, photos, labels, trusted)
        trusts = [model.trust(s, without) for s, without in zip(students, _others(model.sums, sums), strict=True)]
    model, sums = _gated(population, variances, students, trusts, photos, labels, trusted, model.shares)
    chosen_variances = _by_pairs(model, extra, photos, labels, [t[r] for t, r in zip(trusts, rows, strict=True)], sums)
    return replace(model, variances=chosen_variances, trusts=tuple(trusts))


@dataclass(frozen=True)
class AdaptiveHierarchical:
    """The estimator of the running system: ``Hierarchical``, trusted as far as the photos of the class justify."""

    name: ClassVar[str] = "adaptive hierarchical"
    paper: ClassVar[str] = "Henderson 1975, Efron and Morris 1973; this project"

    def prototypes(
        self, population: Population, own: SupportSet | None, classmates: Sequence[SupportSet]
    ) -> list[Prototype]:
        """See ``EnrollmentEstimator``."""
        everybody = [*classmates, *([] if own is None else [own])]
        model = fit_class(population, everybody)
        return model.prototypes(own, None if own is None else model.trusts[-1], member=own is not None)


def _gated(
    population: Population,
    variances: Variances,
    students: Sequence[SupportSet],
    trusts: Sequence[NDArray[np.float64]],
    photos: Sequence[Vectors],
    labels: Sequence[NDArray[np.int64]],
    trusted: Sequence[NDArray[np.float64]],
    shares: NDArray[np.float64] | None = None,
) -> tuple[ClassModel, list[Sums]]:
    """The model with these variances, and the contribution of each student to its sums; ``shares`` None finds them."""
    adapted = replace(population, variances=variances)
    sums = [witness(adapted, cells_of(s, population, t)) for s, t in zip(students, trusts, strict=True)]
    kinds, dimension = population.prototypes.shape
    total = (
        sum((one[0] for one in sums), np.zeros((kinds, kinds))),
        sum((one[1] for one in sums), np.zeros((kinds, dimension))),
    )
    confidence = _confidence(population, variances)
    if shares is None:
        shares = np.full(kinds, confidence)
        shown = np.concatenate([np.zeros(0, np.int64), *labels])
        there = np.bincount(shown, minlength=kinds) > 0
        # One emotion does not show what its shift does to the others.
        if sum(len(of) > 0 for of in labels) > 1 and there.sum() > 1:
            effects = [effect_of(adapted, [without]) for without in _others(total, sums)]
            allowance = population.allowance * confidence
            bonuses = [allowance * uncertainties(adapted, None, effect) for effect in effects]
            found = helpful_shares(
                photos, shown, np.concatenate(trusted), population.prototypes, [effect.shift for effect in effects],
                bonuses, lesson_rates(population.classes), population.calibration.at(0).temperature,
            )  # fmt: skip
            shares = np.where(there, found, confidence)
    return ClassModel(population, variances, shares, total), sums


def _by_pairs(
    model: ClassModel,
    extra: float,
    photos: Sequence[Vectors],
    labels: Sequence[NDArray[np.int64]],
    trusted: Sequence[NDArray[np.float64]],
    sums: Sequence[Sums],
) -> Variances:
    """The variances by which a student's other photos predict a photo best, of none, the measured and the cautious
    extra variance; the model's own without enough students who have several photos of an emotion."""
    population = model.population
    candidates = [_with_extra(population.variances, value) for value in (0.0, extra, cautious(extra))]
    pairs = [
        (student, photo) for student, of in enumerate(labels) for photo in range(len(of)) if (of == of[photo]).sum() > 1
    ]
    if len(pairs) < FEWEST_PAIRS:
        return model.variances
    pairs = [pairs[place] for place in np.linspace(0, len(pairs) - 1, min(len(pairs), MOST_PAIRS)).astype(int)]
    others = _others(model.sums, sums)
    shifts = {s: effect_of(model._adapted, [others[s]]).shift * model.shares[:, None] for s in {s for s, _ in pairs}}
    scores, shown, temperature = [], [], population.calibration.at(0).temperature
    for student, photo in pairs:
        kept = np.arange(len(labels[student])) != photo
        weights = np.eye(len(population.classes))[labels[student][kept]] * trusted[student][kept, None]
        cells = weighted_cells(weights, photos[student][kept])
        centres = population.prototypes + shifts[student]
        made = [shrunken_means(cells, centres + student_offset(cells, centres, v), v) for v in candidates]
        label = labels[student][photo : photo + 1]
        query = photos[student][photo : photo + 1]
        scores.append(
            [log_likelihood(squared_distances(query, p.astype(np.float32)), label, temperature)[0] for p in made]
        )
        shown.append(int(label[0]))
    rates = lesson_weights(np.array(shown), lesson_rates(population.classes))
    return candidates[int((rates @ np.array(scores)).argmax())]


def _from_lesson(photos: SupportSet) -> NDArray[np.bool_]:
    """Which photos are faces of a lesson that the teacher named: no label is surer, no photo more like the lesson."""
    return np.array([photo.startswith(CORRECTION) for photo in photos.photos], bool)


def _others(total: Sums, sums: Sequence[Sums]) -> list[Sums]:
    """The sums of a class without each of its students."""
    return [(total[0] - one[0], total[1] - one[1]) for one in sums]


def _labels(population: Population, photos: SupportSet) -> NDArray[np.int64]:
    """Index of the emotion of each photo; -1 without a label of the population, shape (n,)."""
    order = {emotion: place for place, emotion in enumerate(population.classes)}
    return np.array([-1 if emotion is None else order.get(emotion, -1) for emotion in photos.emotions], np.int64)


def _with_extra(variances: Variances, extra: float) -> Variances:
    return replace(variances, within=variances.within + extra)


def _confidence(population: Population, variances: Variances) -> float:
    return population.variances.within / variances.within if variances.within > 0 else 1.0
