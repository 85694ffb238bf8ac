"""Numbers with 95 % intervals: bootstrap over people, because pictures of one person are no independent witnesses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fewshot.errors import UsageError

TAILS = (0.025, 0.975)
_BLOCK = 500
"""Resamples drawn at once: what is in memory stays small for thousands of subjects or pictures."""


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its 95 % interval.

    Attributes:
        value: of the sample itself.
        low, high: percentiles 2.5 and 97.5 of the resamples.
    """

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        # "-0.108--0.056" is hard to read.
        return self.signed if self.low < 0 else f"{self.value:.3f} ({self.low:.3f}-{self.high:.3f})"

    @property
    def signed(self) -> str:
        """For differences: "+0.085 (+0.054 to +0.116)"."""
        return f"{self.value:+.3f} ({self.low:+.3f} to {self.high:+.3f})"


def bootstrap_mean(values: ArrayLike, seed: int = 0, resamples: int = 5000) -> Interval:
    """Mean over subjects, with a percentile bootstrap over them (Efron 1979).

    Args:
        values: one number a subject, shape (n,).
        seed: of the resampling.
        resamples: how many.

    Raises:
        UsageError: no values, or some that are not finite.
    """
    numbers = _checked(values)
    return bootstrap_ratio(numbers, np.ones(len(numbers)), seed, resamples)


def paired_difference(first: ArrayLike, second: ArrayLike, seed: int = 0, resamples: int = 5000) -> Interval:
    """Mean of ``first - second`` over subjects; a drawn subject brings both numbers.

    Args:
        first, second: one number a subject, in the same order, shape (n,).

    Raises:
        UsageError: different numbers of subjects, none, or values that are not finite.
    """
    one, other = _checked(first), _checked(second)
    if len(one) != len(other):
        raise UsageError(
            f"{len(one)} and {len(other)} values cannot be compared in pairs. Give one of each for every subject."
        )
    return bootstrap_mean(one - other, seed, resamples)


def bootstrap_ratio(sums: ArrayLike, counts: ArrayLike, seed: int = 0, resamples: int = 5000) -> Interval:
    """Sum of ``sums`` over sum of ``counts``, with a cluster bootstrap: a drawn subject brings all their trials.

    With hits and trials of every subject it is the accuracy over all trials; with ones it is ``bootstrap_mean``.

    Args:
        sums, counts: one number a subject, shape (n,); counts >= 0, not all 0.

    Raises:
        UsageError: no subject, no trial, or values that are not finite.
    """
    numbers, trials = _checked(sums), _checked(counts)
    if len(numbers) != len(trials) or trials.sum() <= 0:
        raise UsageError(
            f"{len(numbers)} sums over {len(trials)} counts, {trials.sum():g} trials in all: nothing to average. "
            "Give the hits and the trials of every subject."
        )
    rng, people = np.random.default_rng(seed), len(numbers)
    means: list[NDArray[np.float64]] = []
    for start in range(0, resamples, _BLOCK):
        drawn = rng.integers(0, people, (min(_BLOCK, resamples - start), people))
        weights = trials[drawn].sum(axis=1)
        # A draw of nothing but subjects without a trial says nothing.
        means.append(numbers[drawn].sum(axis=1)[weights > 0] / weights[weights > 0])
    low, high = np.quantile(np.concatenate(means), TAILS)
    return Interval(float(numbers.sum() / trials.sum()), float(low), float(high))


def by_subject(values: ArrayLike, subjects: list[str]) -> tuple[list[str], NDArray[np.float64], NDArray[np.float64]]:
    """Trials summed up by whose they are.

    Args:
        values: one number a trial (1 for a hit), shape (n,).
        subjects: of each trial, length n.

    Returns:
        (names in alphabetical order, sums and counts in that order).
    """
    names = sorted(set(subjects))
    place = {name: row for row, name in enumerate(names)}
    rows = np.array([place[subject] for subject in subjects], dtype=np.int64)
    sums, counts = np.zeros(len(names)), np.zeros(len(names))
    np.add.at(sums, rows, np.asarray(values, dtype=np.float64))
    np.add.at(counts, rows, 1.0)
    return names, sums, counts


def _checked(values: ArrayLike) -> NDArray[np.float64]:
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.ndim != 1 or not len(numbers):
        raise UsageError(f"No interval over values of shape {numbers.shape}. Give one number for at least one subject.")
    if not np.isfinite(numbers).all():
        raise UsageError("Some values are not finite numbers. Leave out the subjects that have none.")
    return numbers
