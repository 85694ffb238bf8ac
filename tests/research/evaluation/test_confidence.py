"""Whether a shown confidence can be believed: the rows of the table, and the temperature that keeps the promise."""

from __future__ import annotations

import numpy as np
import pytest

from fewshot.prototypes.calibration import fit_temperature, softmax
from fewshot.prototypes.verdict import Verdict
from fewshot.research.evaluation.confidence import (
    SURE,
    cautious_temperature,
    coverage_at,
    emotion_rows,
    honesty_row,
    outcome,
    reliable,
)
from fewshot.research.evaluation.runtime_class import Verdicts


def verdicts(said: list[tuple[str, str, float]]) -> Verdicts:
    """Of (truth, most probable, confidence); the rest of the probability is the other emotion's."""
    read, other = Verdicts(), {"happy": "sad", "sad": "happy"}
    for number, (truth, best, sure) in enumerate(said):
        verdict = Verdict(None, sure, {best: sure, other[best]: 1 - sure}, "population")
        read.add([f"s{number}"], [truth], [verdict])
    return read


def test_a_face_counts_with_its_most_probable_emotion_even_if_it_was_unsure() -> None:
    confidence, right = outcome(verdicts([("happy", "happy", 0.9), ("sad", "happy", 0.6)]))
    assert confidence.tolist() == [0.9, 0.6] and right.tolist() == [True, False]


def test_coverage_is_the_largest_share_of_the_surest_that_is_right_often_enough() -> None:
    confidence = np.array([0.9, 0.8, 0.7, 0.6, 0.5])
    assert coverage_at(confidence, np.array([True, True, True, True, False])) == 1.0
    assert coverage_at(confidence, np.array([True, False, False, True, True])) == pytest.approx(0.2)
    assert coverage_at(confidence, np.zeros(5, bool)) == 0.0


def test_a_row_says_how_much_is_sure_and_how_right_that_is() -> None:
    read = verdicts([("happy", "happy", 0.9)] * 3 + [("sad", "happy", 0.85)] + [("sad", "sad", 0.6)] * 4)
    row = honesty_row("toy", "nobody", read)
    assert row["faces"] == 8 and row["right"] == 7 / 8
    assert row[f"shown at {SURE:.0%} or more".replace("%", " %")] == 0.5 and row["right of these"] == 0.75
    assert row["share with 80 % right"] == 1.0


def test_an_emotion_can_be_relied_on_only_if_every_data_set_says_so() -> None:
    good = verdicts([("happy", "happy", 0.9)] * 20 + [("sad", "sad", 0.9)] * 19)
    bad = verdicts([("sad", "happy", 0.9)] * 10 + [("happy", "happy", 0.9)] * 10)
    assert reliable({"good": good, "too": good}, ["happy", "sad"]) == ("happy",)  # of sad there are too few
    assert reliable({"good": good}, ["happy", "sad"]) == ()  # one set may be easy
    assert reliable({"good": good, "bad": bad}, ["happy", "sad"]) == ()
    (happy, sad) = emotion_rows({"good": good, "bad": bad}, ["happy", "sad"])
    assert happy["bad: found"] == 1.0 and happy["bad: shown, right"] == "20, 0.500"
    assert sad["bad: found"] == 0.0 and sad["bad: shown, right"] == "0"


def world(wrong: float, count: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Distances to two prototypes, as clear for wrong readings as for right ones."""
    rng = np.random.default_rng(0)
    near = rng.uniform(0.1, 0.3, count)
    distances = np.stack([near, near + rng.uniform(0.1, 0.5, count)], axis=1)
    return distances, (np.arange(count) < wrong * count).astype(np.int64)


def test_the_temperature_keeps_its_promise_on_the_hardest_data_set() -> None:
    easy, hard = world(0.0), world(0.3)
    temperature = cautious_temperature([easy, hard])
    both = np.concatenate([easy[0], hard[0]]), np.concatenate([easy[1], hard[1]])
    assert temperature > fit_temperature(*both)
    assert (softmax(-hard[0] / temperature).max(axis=1) >= SURE).sum() < 100
    # Where the most likely temperature keeps it, it stays.
    assert cautious_temperature([world(0.1)]) == pytest.approx(fit_temperature(*world(0.1)))


def test_few_sure_readings_do_not_decide() -> None:
    few = world(0.3, count=50)
    assert cautious_temperature([few]) == pytest.approx(fit_temperature(*few))
