"""Exact numbers on tiny hand-made cases."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fewshot.research.bench import scoring
from fewshot.research.bench.scoring import Observation, compare, match, share, switches
from fewshot.research.simulation.truth import Seat, Segment, TrueFace, Truth
from fewshot.types import FrameResult, Reading

LEFT, RIGHT = (0.0, 0.0, 10.0, 10.0), (100.0, 0.0, 110.0, 10.0)


def reading(
    box: tuple[float, float, float, float] = LEFT,
    student: str | None = None,
    emotion: str | None = None,
    track: int = 0,
) -> Reading:
    return Reading(track=track, box=box, score=0.9, student=student, emotion=emotion)


def result(index: int, *readings: Reading) -> FrameResult:
    return FrameResult("v.mp4", index, index / 10, 200, 100, readings)


def observation(
    frame: int, said: Reading | None, seat: int = 0, student: str = "asha", enrolled: bool = True
) -> Observation:
    return Observation(frame, TrueFace(seat, student, enrolled, "happy", LEFT), said)


def test_match_is_one_to_one_and_needs_half() -> None:
    true = np.array([LEFT, RIGHT])
    found = np.array([(0, 0, 10, 4), (100, 0, 110, 6), (100, 0, 110, 9)], float)
    assert match(true, found) == [(1, 2)]
    assert match(true, np.empty((0, 4))) == []
    assert match(np.empty((0, 4)), found) == []
    assert match(true[:1], np.array([(0, 0, 10, 5)], float)) == [(0, 0)]


def test_a_pair_below_the_limit_does_not_pull_a_good_one_apart() -> None:
    # Together 0.49 + 0.49 is more than 0.9, but neither is a match.
    true = np.array([(0, 0, 100, 1), (0, 0, 49, 1)], float)
    found = np.array([(0, 0, 90, 1), (51, 0, 100, 1)], float)
    assert match(true, found) == [(0, 0)]


def two_seats() -> Truth:
    seats = (
        Seat((0, 0, 50, 50), "asha", True, (Segment(0, 3, "happy", "a.png"),), (LEFT, LEFT, LEFT)),
        Seat((90, 0, 120, 50), "guest", False, (Segment(0, 2, "sad", "g.png"),), (RIGHT, RIGHT, None)),
    )
    return Truth(200, 100, 10.0, 3, seats)


def test_compare_counts_missed_and_false_faces() -> None:
    results = [
        result(0, reading(RIGHT, "asha", "happy"), reading(LEFT, "asha", "happy")),
        result(2, reading(RIGHT), reading(LEFT, None, None)),
    ]
    seen = compare(two_seats(), results)
    assert [(one.frame, one.true.student, one.reading is not None) for one in seen.observations] == [
        (0, "asha", True),
        (0, "guest", True),
        (1, "asha", False),
        (1, "guest", False),
        (2, "asha", True),
    ]
    assert seen.false_faces == 1
    assert share(seen.observations, scoring.is_found).value == pytest.approx(3 / 5)
    names = share(seen.observations, scoring.has_right_name, scoring.is_enrolled)
    assert (names.value, names.count) == (pytest.approx(1 / 3), 3)
    assert share(seen.observations, scoring.is_named, scoring.is_stranger).value == pytest.approx(1 / 2)
    assert share(seen.observations, scoring.has_right_emotion).value == pytest.approx(1 / 5)
    assert scoring.balanced_emotion_accuracy(seen.observations) == pytest.approx((1 / 3 + 0) / 2)


def test_share_interval_is_over_subjects() -> None:
    # One subject always right, one always wrong: however many frames, whole subjects are drawn.
    rows = [observation(frame, reading(student="asha"), student="asha") for frame in range(50)]
    rows += [observation(frame, reading(), seat=1, student="ben") for frame in range(50)]
    found = share(rows, scoring.has_right_name)
    assert (found.value, found.low, found.high, found.count) == (0.5, 0.0, 1.0, 100)
    assert str(found) == "50.0 (0.0-100.0)"


def test_share_of_nothing_is_nan() -> None:
    nothing = share([], scoring.is_found)
    assert math.isnan(nothing.value)
    assert str(nothing) == "-"


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([], 0),
        (["asha", "asha"], 0),
        ([None, "asha", None, "asha"], 0),
        (["asha", "ben", "asha"], 2),
        (["asha", None, "ben", "ben"], 1),
    ],
)
def test_switches_ignore_silence(names: list[str | None], expected: int) -> None:
    rows = [observation(frame, reading(student=name)) for frame, name in enumerate(names)]
    assert switches(rows, lambda said: said.student) == expected


def test_switches_are_counted_for_each_person_and_in_order_of_time() -> None:
    rows = [observation(1, reading(track=2)), observation(0, reading(track=1)), observation(2, None)]
    rows += [observation(frame, reading(track=7), seat=1) for frame in range(3)]
    assert switches(rows, lambda said: said.track) == 1
