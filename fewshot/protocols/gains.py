"""What one way of reading gains over another, on the same people."""

from __future__ import annotations

from fewshot.errors import UsageError
from fewshot.protocols.controls import ANOTHER, CLASSMATES, NO_PHOTO, OWN, Readings, by_subject
from fewshot.protocols.intervals import Interval, paired_difference

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
