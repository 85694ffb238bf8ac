"""Smoothing: steady in time, quick after a change, the same at every frame rate."""

from __future__ import annotations

import dataclasses

import pytest
from live_fakes import verdict

from fewshot.live.smoothing import Smoother
from fewshot.prototypes.verdict import Verdict


def smooth(smoother: Smoother, track: int, student: str | None, one: Verdict, time: float) -> Verdict:
    """One track in one frame."""
    return smoother.smooth_all([track], [student], [one], time)[0]


def lag(fps: float, first: float = 0.9, then: float = 0.9, time_constant: float = 0.5) -> float:
    """Seconds from a change of the verdicts until the label has followed."""
    smoother = Smoother(time_constant)
    for index in range(round(5 * fps)):
        smooth(smoother, 0, "asha", verdict("neutral", first), index / fps)
    for index in range(round(5 * fps), round(10 * fps)):
        if smooth(smoother, 0, "asha", verdict("happy", then), index / fps).emotion == "happy":
            return index / fps - 5
    raise AssertionError("the label never followed")


@pytest.mark.parametrize("fps", [2, 5, 10, 25, 60])
def test_the_label_follows_within_a_second_at_any_rate(fps: float) -> None:
    assert lag(fps) <= 0.5
    assert lag(fps, first=0.9, then=0.5) < 1.0


def test_a_change_takes_ln2_time_constants() -> None:
    assert lag(200, time_constant=0.5) == pytest.approx(0.5 * 0.6931, abs=0.06)  # the margin adds a little


def test_a_single_odd_frame_changes_nothing() -> None:
    smoother = Smoother()
    for index in range(20):
        smooth(smoother, 0, None, verdict("neutral"), index / 10)
    odd = smooth(smoother, 0, None, verdict("angry"), 2.0)
    assert odd.emotion == "neutral" and odd.confidence < 0.9
    assert sum(odd.probabilities.values()) == pytest.approx(1)


def test_the_first_verdict_is_given_as_it_is() -> None:
    first = verdict("sad", sure=False)
    assert smooth(Smoother(), 0, None, first, 3.0) == first


def test_too_far_from_everything_stays_unsure() -> None:
    smoother = Smoother()
    results = [smooth(smoother, 0, None, verdict("sad", sure=False), index / 10) for index in range(5)]
    assert {one.emotion for one in results} == {None} and results[-1].confidence == pytest.approx(0.9)


def test_one_frame_too_far_does_not_make_it_unsure() -> None:
    smoother = Smoother()
    for index in range(10):
        smooth(smoother, 0, None, verdict("sad"), index / 10)
    one = verdict("sad")
    far = dataclasses.replace(one, emotion=None, distances=dict.fromkeys(one.distances, float("inf")))
    assert smooth(smoother, 0, None, dataclasses.replace(far, distances={"sad": 1.5}), 1.0).emotion == "sad"
    smooth(smoother, 0, None, far, 1.1)
    assert smooth(smoother, 0, None, one, 10.0).emotion == "sad"  # infinity did not stay for ever


def test_a_gap_forgets() -> None:
    smoother = Smoother()
    for index in range(10):
        smooth(smoother, 0, None, verdict("neutral"), index / 10)
    assert smooth(smoother, 0, None, verdict("happy"), 10.0).confidence == pytest.approx(0.9, abs=1e-3)


def test_tracks_do_not_mix_and_dead_ones_are_forgotten() -> None:
    smoother = Smoother()
    smooth(smoother, 1, None, verdict("neutral"), 0)
    assert smooth(smoother, 2, None, verdict("happy"), 0.1).emotion == "happy"
    assert smoother.held(1, None) is not None
    smoother.forget({2})
    assert smoother.held(1, None) is None and smoother.held(2, None) is not None


@pytest.mark.parametrize("change", ["student", "labels", "time"])
def test_it_starts_afresh(change: str) -> None:
    smoother = Smoother()
    for index in range(10):
        smooth(smoother, 0, None, verdict("neutral"), 5 + index / 10)
    new = verdict("happy")
    if change == "labels":
        new = dataclasses.replace(new, probabilities={**new.probabilities, "confused": 0.0})
    student, time = ("asha" if change == "student" else None), (1.0 if change == "time" else 6.0)
    assert smooth(smoother, 0, student, new, time) == new
    assert smoother.held(0, "somebody else") is None


def test_it_can_be_turned_off() -> None:
    smoother = Smoother(0)
    smooth(smoother, 0, None, verdict("neutral"), 0)
    assert smooth(smoother, 0, None, verdict("happy"), 0.01).emotion == "happy"


def test_all_tracks_at_once_is_each_track_alone() -> None:
    assert Smoother().smooth_all([], [], [], 0.0) == []
    together, alone = Smoother(), Smoother()
    words = ["happy", "sad", "angry", "neutral"]
    for index in range(12):
        time, tracks = index / 10, [0, 1, 2, 3][: 4 if index % 3 else 2]
        students = ["asha", None, "chen" if index < 6 else "béla", None][: len(tracks)]
        verdicts = [verdict(words[(index // 4 + track) % 4], 0.5 + track / 10) for track in tracks]
        own = verdicts[0].probabilities | {"confused": 0.0}
        verdicts[0] = dataclasses.replace(verdicts[0], probabilities=own)
        smoothed = together.smooth_all(tracks, students, verdicts, time)
        assert smoothed == [
            smooth(alone, track, student, one, time)
            for track, student, one in zip(tracks, students, verdicts, strict=True)
        ]
