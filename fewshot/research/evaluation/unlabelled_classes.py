"""Classes of mixed and of mostly neutral faces, in which unlabelled adaptation is measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from fewshot.prototypes.population import Population
from fewshot.prototypes.supports import NEUTRAL
from fewshot.research.evaluation.album import Album, Rows
from fewshot.research.evaluation.controls import Readings, by_subject
from fewshot.research.evaluation.everyday import macro
from fewshot.research.evaluation.intervals import Interval, paired_difference
from fewshot.research.evaluation.unlabelled import Adapt

MIXED, MOSTLY_NEUTRAL = "mixed", "mostly neutral"
NEUTRAL_SHARE = {MIXED: 0.25, MOSTLY_NEUTRAL: 0.8}
"""Of the faces of a class."""
FIRST = 10
"""Faces that a class has shown in its first minute or so."""
LEAST_SAFE = -0.005
"""A way whose mean difference is lower somewhere is not chosen."""


@dataclass(frozen=True, eq=False)
class Class:
    """Rows of an album: the faces seen so far, in their order, and other faces of the same class."""

    seen: Rows
    tested: Rows


def classes_of(album: Album, kind: str, size: int, draws: int, seed: int = 0) -> list[Class]:
    """Random classes; half of their faces are seen, the other half is tested, both with the same share of neutral ones.

    Args:
        album: faces of one kind.
        kind: ``MIXED`` or ``MOSTLY_NEUTRAL``.
        size: people in a class; fewer if the album has fewer.
        draws: how often everybody is divided into classes.
        seed: of the draws.
    """
    subjects, made = np.array(album.subjects), list[Class]()
    for draw in range(draws):
        rng = np.random.default_rng([seed, draw])
        people = rng.permutation(album.people())
        for part in np.array_split(people, max(1, round(len(people) / size))):
            rows = rng.permutation(np.flatnonzero(np.isin(subjects, part)))
            halves = (rows[: len(rows) // 2], rows[len(rows) // 2 :])
            seen, tested = (composed(album, half.tolist(), NEUTRAL_SHARE[kind]) for half in halves)
            if seen and tested:
                made.append(Class(rng.permutation(seen).tolist(), tested))
    return made


def composed(album: Album, rows: Rows, neutral: float) -> Rows:
    """As many of the rows, in their order, as have this share of neutral faces; none if one kind is missing."""
    calm = [row for row in rows if album.emotions[row] == NEUTRAL]
    other = [row for row in rows if album.emotions[row] != NEUTRAL]
    whole = min(len(calm) / neutral, len(other) / (1 - neutral))
    kept = {*calm[: round(whole * neutral)], *other[: round(whole * (1 - neutral))]}
    return [row for row in rows if row in kept]


@dataclass(eq=False)
class Outcome:
    """Readings of the same faces, before and after adaptation."""

    before: Readings = field(default_factory=Readings)
    after: Readings = field(default_factory=Readings)

    def difference(self, seed: int = 0, resamples: int = 2000) -> Interval:
        """Accuracy after less before, people weighted equally, paired by person."""
        after, before = by_subject(self.after), by_subject(self.before)
        return paired_difference([after[who] for who in before], list(before.values()), seed, resamples)

    @property
    def macros(self) -> tuple[float, float]:
        """Mean recall over the emotions with at least 20 faces, before and after; NaN without one."""
        return macro(self.before), macro(self.after)


def measured(
    population: Population, album: Album, parts: Sequence[Class], before: Adapt, after: Adapt, first: int | None
) -> Outcome:
    """The tested faces of all classes, each class adapted to its own faces.

    Args:
        population: of the network that embedded the album.
        parts: of ``classes_of``.
        before, after: two ways to adapt.
        first: how many of the faces seen are used; None uses all.
    """
    outcome = Outcome()
    for part in parts:
        seen = part.seen[:first]
        whose = [album.subjects[row] for row in seen]
        for way, readings in ((before, outcome.before), (after, outcome.after)):
            found = way(population, album.vectors[seen], whose).nearest(population, album.vectors[part.tested])
            readings.subjects += [album.subjects[row] for row in part.tested]
            readings.truth += [album.emotions[row] for row in part.tested]
            readings.predicted += [population.classes[place] for place in found]
    return outcome


def chosen_elsewhere(differences: Mapping[str, Mapping[str, Sequence[float]]], held: str) -> str:
    """The way that gains most on the other data sets, of those that lose on none of them; "" if none gains.

    Args:
        differences: way -> data set -> mean differences in that data set's classes of every kind.
        held: the data set that has no say.
    """
    gains = {
        way: float(np.mean([np.mean(values) for data, values in of.items() if data != held]))
        for way, of in differences.items()
        if min(min(values) for data, values in of.items() if data != held) >= LEAST_SAFE
    }
    best = max(gains, key=gains.__getitem__, default="")
    return best if best and gains[best] > 0 else ""
