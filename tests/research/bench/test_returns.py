from __future__ import annotations

import pytest

from fewshot.research.bench.scoring import Return, compare, renamed_tracks, returns
from fewshot.research.simulation.truth import Box, Seat, Segment, Truth
from fewshot.types import FrameResult, Reading

LEFT: Box = (0.0, 0.0, 10.0, 10.0)
RIGHT: Box = (50.0, 0.0, 60.0, 10.0)
FRAMES = 40


def seat(student: str, box: Box, start: int, stop: int, enrolled: bool = True) -> Seat:
    faces = tuple(box if start <= frame < stop else None for frame in range(FRAMES))
    return Seat((0, 0, 20, 20), student, enrolled, (Segment(start, stop, "happy", "a.png"),), faces)


def truth(*seats: Seat) -> Truth:
    return Truth(100, 20, 10.0, FRAMES, seats)


def result(frame: int, *readings: tuple[int, Box, str | None]) -> FrameResult:
    return FrameResult("v", frame, frame / 10, 100, 20, tuple(Reading(t, box, 0.9, who) for t, box, who in readings))


def test_nobody_returns_who_never_left() -> None:
    assert returns(truth(), []) == []
    stays = truth(seat("asha", LEFT, 0, FRAMES))
    assert returns(stays, compare(stays, []).observations) == []


@pytest.mark.parametrize(
    ("named_from", "after"),
    [(20, 0.0), (24, 0.4), (FRAMES, None)],
    ids=["at once", "after four frames", "never"],
)
def test_a_student_comes_back_on_another_tile(named_from: int, after: float | None) -> None:
    moved = truth(seat("asha", LEFT, 0, 8), seat("asha", RIGHT, 20, FRAMES))
    seen = [result(frame, (1, LEFT, "asha")) for frame in range(8)]
    seen += [result(frame, (2, RIGHT, "asha" if frame >= named_from else None)) for frame in range(20, FRAMES)]
    assert returns(moved, compare(moved, seen).observations) == [Return("asha", 2.0, after)]


def test_strangers_and_blinks_are_no_returns() -> None:
    strangers = truth(seat("x", LEFT, 0, 8, enrolled=False), seat("x", RIGHT, 20, FRAMES, enrolled=False))
    assert returns(strangers, compare(strangers, []).observations) == []
    blink = truth(seat("asha", LEFT, 0, 8), seat("asha", LEFT, 12, FRAMES))
    assert returns(blink, compare(blink, []).observations) == []


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([], 0),
        (["asha", "asha"], 0),
        (["asha", None, "asha"], 0),
        (["asha", None, "ben"], 1),
        (["asha", "ben", "asha"], 2),
    ],
)
def test_names_that_change_on_a_track(names: list[str | None], expected: int) -> None:
    results = [result(frame, (1, LEFT, name), (2, RIGHT, "dana")) for frame, name in enumerate(names)]
    assert renamed_tracks(results) == expected
