"""Moments and the pace hint: planted ones are found, and chance is told from them."""

from __future__ import annotations

import numpy as np
import pytest

from fewshot.research.simulation.made_lessons import Planted, make_lesson
from fewshot.session.analysis.grid import make_grid
from fewshot.session.analysis.moments import find_moments
from fewshot.session.analysis.pace import pace_hint, trusted_states
from fewshot.session.lesson import Lesson, Readings


@pytest.mark.parametrize(
    ("lesson", "reason"),
    [
        (make_lesson(0, 0), "too short"),
        (make_lesson(20, 200), "too short"),
        (make_lesson(4, 900), "fewer than 5"),
        (make_lesson(30, 900, counts_only=True), "counts for the whole class"),
    ],
)
def test_nothing_is_looked_for_where_nothing_could_be_found(lesson: Lesson, reason: str) -> None:
    moments = find_moments(make_grid(lesson))
    assert moments.found == [] and reason in moments.reason


@pytest.mark.parametrize(
    ("event", "students"),
    [
        (Planted(900, 180, "confused", 0.4), 49),
        (Planted(600, 60, "happy", 0.6), 25),
        (Planted(1200, 300, "sad", 0.9), 12),
    ],
)
def test_a_planted_moment_is_found_at_its_time(event: Planted, students: int) -> None:
    moments = find_moments(make_grid(make_lesson(students, 1800, 4, [event])), shuffles=200)
    assert len(moments.found) <= 2  # one lesson in twenty has a false one
    moment = min(moments.found, key=lambda found: abs(found.start - event.start))
    assert (moment.state, moment.more) == (event.state, True)
    assert abs(moment.start - event.start) <= 60 and abs(moment.end - event.start - event.seconds) <= 60
    assert moment.share - moment.usual > 0.6 * event.share * 0.85
    assert moment.chance <= 0.01 and "unlikely to be chance" in moment.sure
    assert f"More {event.state} faces than usual" in moment.text and "otherwise" in moment.text


def test_a_drop_is_found() -> None:
    # All but one in five stop concentrating for three minutes: each shows something else.
    lesson = make_lesson(40, 1800, 5)
    rows, wide = lesson.readings, list(lesson.labels).index("neutral")
    emotion = rows.emotion.copy()
    neutral = (rows.second >= 800) & (rows.second < 980) & (emotion == wide) & (rows.student % 5 > 0)
    emotion[neutral] = rows.student[neutral] % wide
    changed = Readings(rows.second, rows.student, rows.frames, rows.readable, rows.faces, emotion, *_floats(rows))
    moments = find_moments(
        make_grid(Lesson(lesson.info, lesson.students, lesson.labels, changed, lesson.frames_per_second))
    )
    assert [(m.state, m.more) for m in moments.found] == [("neutral", False)]
    assert moments.found[0].text.startswith("Fewer neutral")


def _floats(rows: Readings) -> tuple[np.ndarray, np.ndarray]:
    return rows.confidence, rows.probabilities


def test_two_moments_are_told_apart_and_in_order() -> None:
    events = [Planted(1300, 60, "happy", 0.6), Planted(500, 180, "confused", 0.5)]
    found = find_moments(make_grid(make_lesson(40, 1800, 6, events)), shuffles=200).found
    assert [moment.state for moment in found] == ["confused", "happy"]


def test_a_student_who_is_always_so_is_no_moment() -> None:
    unlike = {name: {"sad": 0.8} for name in ("Asha", "Bela", "Emre")}
    assert find_moments(make_grid(make_lesson(20, 1200, 8, unlike=unlike)), shuffles=200).found == []


def test_false_alarms_stay_near_the_stated_rate() -> None:
    # Made for 1 in 20; experiments/false_alarms.py measures it. More than 6 of 40 have a chance of 0.3 % at 1 in 20.
    alarms = sum(bool(find_moments(make_grid(make_lesson(15, 900, seed)), shuffles=100).found) for seed in range(40))
    assert alarms <= 6


def hint(lesson: Lesson, now: float, **settings: object) -> object:
    return pace_hint(lesson.readings, now, lesson.labels, **settings)


def test_no_hint_without_ground() -> None:
    confused = Planted(500, 200, "confused", 0.7)
    assert hint(make_lesson(0, 0), 0) is None
    assert hint(make_lesson(30, 900), 900) is None
    assert hint(make_lesson(30, 900, planted=[Planted(200, 200, "confused", 0.7)]), 400) is None  # too early
    assert hint(make_lesson(7, 900, planted=[confused]), 690) is None  # too few
    assert hint(make_lesson(30, 900, planted=[confused]), 495) is None  # not yet
    assert hint(make_lesson(30, 900, planted=[Planted(500, 200, "happy", 0.7)]), 690) is None  # no reason to slow down


def test_a_hint_has_its_evidence() -> None:
    found = pace_hint(*_so_far(make_lesson(30, 1800, 2, [Planted(900, 190, "confused", 0.5)]), 1085))
    assert found is not None and (found.state, found.since, found.until) == ("confused", 905, 1085)
    assert found.share > 0.3 and found.usual < 0.15 and found.students >= 25 and found.chance < 0.05
    assert "More confused faces than usual in the last 3 minutes" in found.text and "chance" in found.sure


def _so_far(lesson: Lesson, now: int) -> tuple[Readings, float, list[str]]:
    return lesson.readings, now, lesson.labels


def test_only_what_was_before_now_counts() -> None:
    lesson = make_lesson(30, 1800, 2, [Planted(900, 190, "confused", 0.5)])
    assert hint(lesson, 890) is None and hint(lesson, 1085, watch=["sad"]) is None
    assert hint(lesson, 1085, watch=["confused"]) is not None


@pytest.mark.parametrize("event", [Planted(900, 600, "sad", 0.6), Planted(300, 500, "confused", 0.7)])
@pytest.mark.parametrize("seed", [4, 9])
def test_a_long_event_does_not_make_the_rest_of_the_lesson_stand_out(event: Planted, seed: int) -> None:
    found = find_moments(make_grid(make_lesson(40, 1800, seed, [event])), shuffles=200).found
    inside = [m for m in found if m.start < event.start + event.seconds and m.end > event.start]
    assert inside and {(m.state, m.more) for m in inside} == {(event.state, True)}
    assert not [m for m in found if m.state in ("neutral", "unsure")]


def test_a_list_has_one_usual_per_state_and_no_contradictions() -> None:
    events = [Planted(300, 180, "sad", 0.6), Planted(900, 60, "sad", 0.5), Planted(1400, 120, "happy", 0.6)]
    found = find_moments(make_grid(make_lesson(40, 1800, 6, events)), shuffles=200).found
    assert [m.state for m in found].count("sad") >= 2
    for state in {m.state for m in found}:
        assert len({m.usual for m in found if m.state == state}) == 1
    for moment in found:
        assert (moment.share > moment.usual) == moment.more
        words = [text.split()[1] for text in moment.also]
        assert len(set(words)) == len(words) and moment.state not in words


def test_a_hint_names_only_states_that_can_be_relied_on() -> None:
    known = ("angry", "happy", "sad", "surprise", "neutral")
    photographed = [
        {"neutral": 1, "sad": 2, None: 1},
        {"sad": 1, "bored": 3},
        {"neutral": 1, "angry": 1},
        {"neutral": 1},
    ]
    assert trusted_states((), known, photographed) is None  # nobody measured it: all states, as without a list
    assert trusted_states(("happy", "surprise"), known, photographed) == ["surprise", "sad", "bored"]
    assert trusted_states(("happy",), known, []) == []
    lesson = make_lesson(30, 1800, 2, [Planted(900, 190, "confused", 0.5)])
    assert hint(lesson, 1085, watch=[]) is None
