"""Prototypes of one student by shrinkage towards class and population."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fewshot.prototypes.estimators.assemble import named, own_states
from fewshot.prototypes.estimators.base import Level, Prototype, cells_of
from fewshot.prototypes.estimators.shrinkage import (
    ClassEffect,
    class_effect,
    shrunken_means,
    student_offset,
    uncertainties,
)
from fewshot.prototypes.population import Population
from fewshot.prototypes.supports import SupportSet


def hierarchical_prototypes(
    population: Population,
    supports: SupportSet | None = None,
    effect: ClassEffect | None = None,
    *,
    student: bool = True,
    personal: bool = True,
) -> list[Prototype]:
    """The prototypes of one student: population, class and own photos, each trusted as far as it has proved right.

    Args:
        population: mu_e and the variances.
        supports: photos of the student; None or empty gives what the class or the population has.
        effect: c_e from ``class_effect``; None without a class.
        student: False leaves out the student's offset delta.
        personal: False leaves out the student's own means m_e.

    Returns:
        One of each emotion of the population, in its order, then the student's own states in alphabetical order.
    """
    shift = np.zeros(population.prototypes.shape) if effect is None else effect.shift
    centres = population.prototypes + shift
    level: Level = "class" if np.any(shift) else "population"
    states = [] if supports is None else own_states(population, supports)
    cells = None if supports is None or not len(supports) else cells_of(supports, population)
    if cells is None or not cells.counts.any() or not (student or personal):
        unknown = uncertainties(population, None, effect)
        return named(population, centres, np.zeros(len(centres)), level, unknown) + states
    expected = centres + student_offset(cells, centres, population.variances) if student else centres
    vectors = shrunken_means(cells, expected, population.variances) if personal else expected
    unknown = uncertainties(population, cells, effect, student=student, personal=personal)
    return named(population, vectors, cells.counts, "personal", unknown) + states


@dataclass(frozen=True)
class Hierarchical:
    """Empirical Bayes over population, class and student (best linear unbiased prediction, Henderson 1975).

    A photo tells about the camera of the class, about the student's face and about how this student shows one emotion.
    Variances estimated on other people say how much of what a few photos show is due to which.

    A level that is switched off is left out of the sum; the others are estimated as if it were there, because the world
    that the variances describe does not change with what we choose to use.

    Attributes:
        classroom: c_e, from the photos of all students of the class, the student's own among them.
        student: delta, the student's own offset.
        personal: the student's own mean m_e of each emotion. A state that the population never had stays either way:
            nothing else is known of it.
    """

    classroom: bool = True
    student: bool = True
    personal: bool = True
    paper: ClassVar[str] = "Henderson 1975; this project"

    @property
    def name(self) -> str:
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
