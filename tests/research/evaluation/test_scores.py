"""Accuracy, macro-F1 and calibration error against values computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from fewshot.errors import UsageError
from fewshot.research.evaluation.scores import (
    accuracies,
    calibrated,
    confusion,
    macro_f1s,
    reliability,
    score,
    temperature_of,
)


def test_nothing_to_score() -> None:
    empty = np.zeros(0, np.int64)
    with pytest.raises(UsageError):
        score(empty, empty, 7)
    with pytest.raises(UsageError):
        reliability(np.zeros((0, 7)), empty)


def test_measures_of_a_table() -> None:
    table = confusion(np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1]), 3)
    assert table.tolist() == [[2, 1, 0], [0, 1, 0], [0, 0, 0]]
    assert accuracies(table) == pytest.approx(0.75)
    assert macro_f1s(table) == pytest.approx((4 / 5 + 2 / 3) / 2)  # the class that does not occur does not count


def test_a_class_that_is_never_right_counts_with_zero() -> None:
    assert macro_f1s(confusion(np.array([0, 1]), np.array([0, 0]), 2)) == pytest.approx((2 / 3 + 0) / 2)


def test_score_has_intervals_around_its_values() -> None:
    truth = np.repeat(np.arange(7), 20)
    predicted = np.where(np.arange(140) % 4 == 0, (truth + 1) % 7, truth)
    found = score(truth, predicted, 7, seed=1, resamples=400)
    assert found.n == 140 and found.accuracy.value == pytest.approx(0.75)
    assert found.accuracy.low < 0.75 < found.accuracy.high
    assert (found.accuracy.high - found.accuracy.low) == pytest.approx(2 * 1.96 * np.sqrt(0.75 * 0.25 / 140), rel=0.15)
    assert found.macro_f1.low < found.macro_f1.value < found.macro_f1.high
    again = score(truth, predicted, 7, seed=1, resamples=400)
    assert (again.accuracy, again.macro_f1) == (found.accuracy, found.macro_f1)


def test_bins_hold_equally_many_readings() -> None:
    confidence = np.linspace(0.5, 0.99, 30)
    found = reliability(np.column_stack([confidence, 1 - confidence]), np.zeros(30, np.int64), bins=15)
    assert found.share == pytest.approx(np.full(15, 1 / 15))
    assert found.accuracy == pytest.approx(np.ones(15))
    assert found.error == pytest.approx(1 - confidence.mean())


def test_error_of_two_bins_by_hand() -> None:
    probabilities = np.array([[0.6, 0.4], [0.6, 0.4], [0.9, 0.1], [0.9, 0.1]])
    found = reliability(probabilities, np.array([0, 1, 0, 0]), bins=2)
    assert found.error == pytest.approx(0.5 * abs(0.6 - 0.5) + 0.5 * abs(0.9 - 1.0))
    assert len(reliability(probabilities, np.array([0, 1, 0, 0]), bins=15).share) == 4


def test_temperature_undoes_a_scale() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2.0, (4000, 5))
    honest = calibrated(logits, 1.0)
    truth = (honest.cumsum(axis=1) > rng.random((4000, 1))).argmax(axis=1)
    assert temperature_of(logits * 3.0 + 5.0, truth) == pytest.approx(3.0, rel=0.08)
    assert reliability(calibrated(logits * 3.0, 3.0), truth).error < 0.03
