"""Whose photos it was: the same pictures read without photos, by the classmates', by somebody else's, and by one's own.

A personal prototype may help because it is the person's, or only because it shows the same camera. The controls tell
these apart: classmates' photos know the camera and not the person, another subject's know a person, but the wrong one.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from fewshot.errors import UsageError
from fewshot.prototypes.estimators import Prototype, compared_distances
from fewshot.prototypes.population import Population
from fewshot.prototypes.supports import NEUTRAL
from fewshot.research.evaluation.album import Album
from fewshot.research.evaluation.enrolled_class import Room
from fewshot.research.evaluation.estimators.base import EnrollmentEstimator
from fewshot.research.evaluation.intervals import Interval, paired_difference
from fewshot.research.evaluation.support_draws import Draw
from fewshot.types import Vectors

NO_PHOTO = "no photo"
NO_NEUTRAL = "no photo, neutral prototype removed"
CLASSMATES = "classmates' photos"
ANOTHER = "another subject's photos"
OWN = "own photos"
LOOKS = "own photos, ten looks at each"
"""For an album whose photos are enrolled by the mean of several looks; everybody's are."""
OWN_NO_NEUTRAL = "own photos, neutral prototype removed"
CONTROLS = (NO_PHOTO, NO_NEUTRAL, CLASSMATES, ANOTHER, OWN, OWN_NO_NEUTRAL)


@dataclass(eq=False)
class Readings:
    """What was read, query by query; the lists have one length.

    Attributes:
        subjects: whose picture.
        truth, predicted: emotions.
    """

    subjects: list[str] = field(default_factory=list)
    truth: list[str] = field(default_factory=list)
    predicted: list[str] = field(default_factory=list)

    def add(self, subject: str, truth: Sequence[str], predicted: Sequence[str]) -> None:
        """Add pictures of one subject: what they show, and what was predicted."""
        self.subjects += [subject] * len(truth)
        self.truth += truth
        self.predicted += predicted

    def __len__(self) -> int:
        return len(self.subjects)


def read_class(
    population: Population,
    estimator: EnrollmentEstimator,
    album: Album,
    draws: Sequence[Draw],
    controls: Sequence[str] = CONTROLS,
    others: int = 5,
    seed: int = 0,
) -> dict[str, Readings]:
    """Read every query of every draw by the nearest prototype, without the reject option.

    Args:
        controls: some of ``CONTROLS``, or ``LOOKS``.
        others: for ``ANOTHER``: by the photos of so many others in turn, who are the same in every run.

    Returns:
        By control; in that of ``ANOTHER`` each query occurs once for each of the others. Of a single person there is
        nobody else to be taken for, and ``ANOTHER`` is left out.
    """
    found = {control: Readings() for control in controls}
    for number, draw in enumerate(draws):
        room = Room(population, estimator, album, draw)
        for subject, rows in draw.queries.items():
            if not rows:
                continue
            truth, vectors = [album.emotions[row] for row in rows], album.vectors[rows]
            for control, readings in found.items():
                without = [NEUTRAL] if control in (NO_NEUTRAL, OWN_NO_NEUTRAL) else []
                for giver in _givers(control, subject, sorted(room.own), others, seed + number):
                    prototypes = room.prototypes(subject, giver, control not in (NO_PHOTO, NO_NEUTRAL))
                    readings.add(subject, truth, nearest(population, prototypes, vectors, without))
    return {control: readings for control, readings in found.items() if len(readings) or control != ANOTHER}


def nearest(
    population: Population, prototypes: Sequence[Prototype], vectors: Vectors, without: Sequence[str] = ()
) -> list[str]:
    """The emotion of the nearest prototype of each of these vectors z (n, d), what is not known of it allowed for.

    Those ``without`` are no candidates.
    """
    kept = [prototype for prototype in prototypes if prototype.emotion not in without]
    places = compared_distances(population, kept, vectors).argmin(axis=1)
    return [kept[place].emotion for place in places]


def by_subject(readings: Readings, balanced: bool = False) -> dict[str, float]:
    """Accuracy of each subject, sorted by key.

    Args:
        balanced: the mean over the subject's emotions of the share that is right, so that many neutral pictures do not
            outweigh the rest; otherwise the share of all pictures.
    """
    names, who = np.unique(readings.subjects, return_inverse=True)
    kinds, what = np.unique(readings.truth, return_inverse=True)
    right = np.array(readings.truth) == np.array(readings.predicted)
    asked, hits = (
        np.bincount(who * len(kinds) + what, weights, len(names) * len(kinds)).reshape(len(names), len(kinds))
        for weights in (None, right)
    )
    if balanced:
        scores = (hits / np.maximum(asked, 1)).sum(axis=1) / (asked > 0).sum(axis=1)
    else:
        scores = hits.sum(axis=1) / asked.sum(axis=1)
    return dict(zip(names.tolist(), scores.tolist(), strict=True))


def false_neutral(readings: Readings) -> dict[str, float]:
    """Share of each subject's pictures of an emotion that are called neutral; who has none is left out."""
    kept = [row for row, truth in enumerate(readings.truth) if truth != NEUTRAL]
    called: dict[str, list[float]] = {}
    for row in kept:
        called.setdefault(readings.subjects[row], []).append(float(readings.predicted[row] == NEUTRAL))
    return {subject: float(np.mean(values)) for subject, values in sorted(called.items())}


def _givers(control: str, subject: str, people: list[str], others: int, seed: int) -> list[str | None]:
    """Whose photos a subject is read by; None for nobody's."""
    if control in (OWN, LOOKS, OWN_NO_NEUTRAL):
        return [subject]
    if control != ANOTHER:
        return [None]
    candidates = [who for who in people if who != subject]
    rng = np.random.default_rng([seed, zlib.crc32(subject.encode())])
    return [candidates[place] for place in rng.permutation(len(candidates))[:others]]


PAIRS = ((OWN, CLASSMATES), (OWN, ANOTHER), (OWN, NO_PHOTO), (CLASSMATES, NO_PHOTO), (ANOTHER, CLASSMATES))
SHORT = {OWN: "own", CLASSMATES: "classmates'", ANOTHER: "another's", NO_PHOTO: "no photo"}


class Gain(Interval):
    """A difference, written with its sign."""

    __slots__ = ()

    def __str__(self) -> str:
        return self.signed


def differences(one: Readings, other: Readings) -> tuple[list[float], list[float]]:
    """Balanced accuracy of the subjects who were read both ways, in the same order."""
    mine, theirs = by_subject(one, balanced=True), by_subject(other, balanced=True)
    both = sorted(mine.keys() & theirs.keys())
    return [mine[subject] for subject in both], [theirs[subject] for subject in both]


def gained(one: Readings, other: Readings, seed: int, resamples: int) -> tuple[Gain, int]:
    """Difference of balanced accuracy, paired by subject with its bootstrap interval, and how many subjects.

    Raises:
        UsageError: no subject is in both.
    """
    mine, theirs = differences(one, other)
    if not mine:
        raise UsageError("No subject was read both ways, so nothing can be compared in pairs.")
    gain = paired_difference(mine, theirs, seed, resamples)
    return Gain(gain.value, gain.low, gain.high), len(mine)
