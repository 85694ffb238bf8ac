"""Exact lags on hand-made labels."""

from __future__ import annotations

import math

import pytest

from fewshot.research.bench.lag import frames_until, measure_lags, settled
from fewshot.research.bench.scoring import Observation
from fewshot.research.simulation.truth import Seat, Segment, TrueFace, Truth
from fewshot.types import Reading

BOX = (0.0, 0.0, 10.0, 10.0)


def lesson(labels: str, *segments: Segment) -> tuple[Truth, list[Observation]]:
    """One seat at 10 frames a second; a letter a frame: h(appy), s(ad), ? unsure, . not found."""
    words = {"h": "happy", "s": "sad", "?": None}
    truth = Truth(100, 100, 10.0, len(labels), (Seat((0, 0, 100, 100), "asha", True, segments, (BOX,) * len(labels)),))
    true = TrueFace(0, "asha", True, "happy", BOX)
    return truth, [
        Observation(frame, true, None if letter == "." else Reading(0, BOX, 0.9, emotion=words[letter]))
        for frame, letter in enumerate(labels)
    ]


def change(after: int = 30) -> tuple[Segment, Segment]:
    return Segment(0, 30, "happy", "h.png"), Segment(30, 30 + after, "sad", "s.png")


@pytest.mark.parametrize(
    ("labels", "stay", "expected"),
    [
        ([], 2, None),
        (["s"], 2, 0),
        (["h", "s", "s"], 2, 1),
        (["s", "h", "h", "s", "s"], 3, 3),
        (["h", "h", "s"], 2, 2),
        (["h"], 1, None),
    ],
)
def test_frames_until(labels: list[str | None], stay: int, expected: int | None) -> None:
    assert frames_until(labels, "s", stay) == expected


def test_settled_is_the_majority_of_the_end() -> None:
    assert settled(["h", "h", "h", "s", "s"], 3) == "s"
    assert settled([None, None, "s"], 3) is None
    assert settled([], 3) is None


@pytest.mark.parametrize(
    ("new_labels", "expected"),
    [
        ("s" * 30, 0.0),
        ("h" * 7 + "s" * 23, 0.7),
        ("h?." + "s" * 27, 0.3),
        # A single right label in the noise is not yet the label that follows.
        ("hshh" + "s" * 26, 0.4),
        ("h" * 5 + "ssss?" + "s" * 20, 0.5),
        ("h" * 5 + "sss??" + "s" * 20, 1.0),
    ],
)
def test_lag(new_labels: str, expected: float) -> None:
    lags = measure_lags(*lesson("h" * 30 + new_labels, *change()), {"h.png": "happy", "s.png": "sad"})
    assert lags.seconds == (expected,)
    assert (lags.changes, lags.followed) == (1, 1)
    assert lags.percentile(50) == expected


@pytest.mark.parametrize(
    ("new_labels", "stills", "changes"),
    [
        # The still picture is read as what the label was before, or as nothing: no change to follow.
        ("s" * 30, {"s.png": "happy"}, 0),
        ("s" * 30, {"s.png": None}, 0),
        # It counts as a change, but the label never comes to the verdict of the still picture.
        ("h" * 30, {"s.png": "sad"}, 1),
        ("s" * 24 + "?" * 6, {"s.png": "sad"}, 1),
        # Shown for too short a time.
        ("s" * 24, {"s.png": "sad"}, 0),
    ],
)
def test_no_lag(new_labels: str, stills: dict[str, str | None], changes: int) -> None:
    lags = measure_lags(*lesson("h" * 30 + new_labels, *change(len(new_labels))), stills)
    assert (lags.seconds, lags.changes) == ((), changes)
    assert math.isnan(lags.percentile(95))


def test_coming_back_is_no_change() -> None:
    first, second = change()
    truth, seen = lesson("h" * 25 + "." * 5 + "s" * 30, Segment(0, 25, "happy", "h.png"), second)
    assert measure_lags(truth, seen, {"s.png": "sad"}).changes == 0
    assert first.stop == second.start
