"""Estimates a student's prototypes by shrinkage to class and population."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from fewshot.prototypes.estimators.assemble import named, own_states
from fewshot.prototypes.estimators.base import Level, Prototype, cells_of
from fewshot.prototypes.estimators.shrinkage import (
    ClassEffect,
    class_effect,
    shrunken_means,
    student_offset,
    uncertainties,
)
from fewshot.prototypes.population import Population, Variances
from fewshot.prototypes.supports import SupportSet, emotion_weights


def hierarchical_prototypes(
    population: Population,
    supports: SupportSet | None = None,
    effect: ClassEffect | None = None,
    *,
    student: bool = True,
    personal: bool = True,
    variances: Variances | None = None,
    trust: NDArray[np.float64] | None = None,
) -> list[Prototype]:
    """The prototypes of one student from population, class and own photos, each weighted according to its variance.

    Args:
        population: mu_e and the variances.
        supports: support set of the student; None or empty gives the prototypes of the class or population.
        effect: c_e from ``class_effect``; None without a class.
        student: False leaves out the student's offset delta.
        personal: False leaves out the student's own means m_e.
        variances: for the population's emotions, where they are not the population's own. The student's own states keep
            those of the population: nothing is known about the spread of a state.
        trust: weight of each photo, 0..1, shape (n,); None is 1.

    Returns:
        One prototype per emotion of the population, in its order, then the student's own states in alphabetical order.
    """
    states = [] if supports is None else own_states(population, supports)
    population = population if variances is None else replace(population, variances=variances)
    shift = np.zeros(population.prototypes.shape) if effect is None else effect.shift
    centres = population.prototypes + shift
    level: Level = "class" if np.any(shift) else "population"
    cells = None if supports is None or not len(supports) else cells_of(supports, population, trust)
    if cells is None or not cells.counts.any() or not (student or personal):
        unknown = uncertainties(population, None, effect)
        return named(population, centres, np.zeros(len(centres)), level, unknown) + states
    expected = centres + student_offset(cells, centres, population.variances) if student else centres
    vectors = shrunken_means(cells, expected, population.variances) if personal else expected
    unknown = uncertainties(population, cells, effect, student=student, personal=personal)
    counts = cells.counts if trust is None or supports is None else emotion_weights(supports, population).sum(axis=0)
    return named(population, vectors, counts, "personal", unknown) + states


@dataclass(frozen=True)
class Hierarchical:
    """Empirical Bayes over population, class and student (best linear unbiased prediction, Henderson 1975).

    A photo depends on the camera of the class, on the student's face, and on the way this student shows an emotion.
    Variances estimated on other people tell how much of a few photos is due to each of them.

    A level that is switched off is left out of the sum. The other levels are estimated as if it were used, because the
    variances do not change with the choice of levels.

    Attributes:
        classroom: c_e, from the photos of all students of the class, including the student's own.
        student: delta, the student's own offset.
        personal: the student's own mean m_e of each emotion. A student's own states are always used, because nothing
            else is known about them.
    """

    classroom: bool = True
    student: bool = True
    personal: bool = True
    paper: ClassVar[str] = "Henderson 1975; this project"

    @property
    def name(self) -> str:
        """Name in tables; it lists the levels that are left out."""
        levels = {"classroom": self.classroom, "student": self.student, "personal": self.personal}
        without = [level for level, on in levels.items() if not on]
        return "hierarchical" + (f" without {', '.join(without)}" if without else "")

    def prototypes(
        self, population: Population, own: SupportSet | None, classmates: Sequence[SupportSet]
    ) -> list[Prototype]:
        """See ``EnrollmentEstimator``."""
        effect = None
        if self.classroom:
            everybody = [*classmates, *([] if own is None else [own])]
            effect = class_effect(population, [cells_of(photos, population) for photos in everybody])
        return hierarchical_prototypes(population, own, effect, student=self.student, personal=self.personal)
