"""Intervals over people: exact values, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest

from fewshot.errors import UsageError
from fewshot.research.evaluation.intervals import (
    Interval,
    bootstrap_mean,
    bootstrap_ratio,
    by_subject,
    paired_difference,
)


@pytest.mark.parametrize("values", [[], [[1.0, 2.0]], [1.0, float("nan")]])
def test_no_interval_without_finite_numbers_of_subjects(values: list[float]) -> None:
    with pytest.raises(UsageError):
        bootstrap_mean(values)


def test_mean_of_equal_values_is_certain() -> None:
    assert bootstrap_mean([0.5, 0.5, 0.5]) == Interval(0.5, 0.5, 0.5)


def test_interval_has_the_width_of_the_standard_error() -> None:
    values = np.random.default_rng(1).normal(0.3, 1.0, 400)
    found = bootstrap_mean(values)
    error = values.std() / np.sqrt(len(values))
    assert found.value == pytest.approx(values.mean())
    assert (found.high - found.low) / (2 * 1.96 * error) == pytest.approx(1.0, abs=0.06)


def test_same_seed_same_interval_other_seed_another() -> None:
    values = np.random.default_rng(2).random(20)
    assert bootstrap_mean(values, seed=3) == bootstrap_mean(values, seed=3)
    assert bootstrap_mean(values, seed=3) != bootstrap_mean(values, seed=4)


def test_pairs_are_compared_within_subjects() -> None:
    easy = np.linspace(0.0, 1.0, 30)
    found = paired_difference(easy + 0.1, easy)
    assert found.value == pytest.approx(0.1)
    assert found.low == pytest.approx(0.1) and found.high == pytest.approx(0.1)
    with pytest.raises(UsageError, match="pairs"):
        paired_difference([1.0, 2.0], [1.0])


def test_ratio_weighs_subjects_by_their_trials() -> None:
    # One person right in 1 of 1, one right in 0 of 3: a quarter of the trials, though half of the mean over people.
    assert bootstrap_ratio([1, 0], [1, 3]).value == pytest.approx(0.25)
    assert bootstrap_mean([1.0, 0.0]).value == pytest.approx(0.5)


def test_ratio_leaves_out_draws_without_a_trial() -> None:
    found = bootstrap_ratio([2.0, 0.0], [4.0, 0.0], resamples=200)
    assert found == Interval(0.5, 0.5, 0.5)
    with pytest.raises(UsageError, match="nothing to average"):
        bootstrap_ratio([0.0], [0.0])


def test_trials_are_summed_up_by_whose_they_are() -> None:
    names, sums, counts = by_subject([1, 0, 1], ["b", "a", "b"])
    assert (names, sums.tolist(), counts.tolist()) == (["a", "b"], [0.0, 2.0], [1.0, 2.0])
    assert by_subject([], [])[0] == []


def test_words() -> None:
    assert str(Interval(0.5, 0.25, 0.75)) == "0.500 (0.250-0.750)"
    assert Interval(0.1, -0.05, 0.25).signed == "+0.100 (-0.050 to +0.250)"
    assert str(Interval(-0.1, -0.2, 0.0)) == "-0.100 (-0.200 to +0.000)"
