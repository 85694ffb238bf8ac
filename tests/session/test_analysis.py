"""Mood, bands, visibility, aggregate view: counted by hand on tiny lessons."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from fewshot.research.simulation.made_lessons import make_lesson
from fewshot.session.analysis.grid import AWAY, NOT_READABLE, NOT_WATCHED, counts_in_blocks, make_grid
from fewshot.session.analysis.mood import class_mood
from fewshot.session.analysis.students import Band, bands, coarse, visibility
from fewshot.session.analysis.words import counted, how_sure, minutes, percent, wilson
from fewshot.session.lesson import Lesson, LessonInfo, Readings

LABELS = ["happy", "sad"]
LETTERS = {"h": 0, "s": 1, "?": -1, "x": -2}


def drawn(*rows: str, watched: str = "", network: str = "net", number: int = 1, names: str = "abcdefghij") -> Lesson:
    """A lesson as letters: a row a student, a letter a second: happy, sad, ? unsure, x unreadable, space away."""
    seconds = max((len(row) for row in rows), default=0)
    cells = [(s, i, LETTERS[row[s]]) for s in range(seconds) for i, row in enumerate(rows) if row[s : s + 1].strip()]
    second, student, emotion = np.array(cells, np.int32).reshape(-1, 3).T
    readable = np.where(emotion == -2, 0, 4).astype(np.int32)
    faces = np.full(len(cells), 4, np.int32)
    confidence = np.where(readable > 0, 0.7, np.nan).astype(np.float32)
    probabilities = np.where(readable[:, None] > 0, 0.5, 0).astype(np.float32) * np.ones((1, 2), np.float32)
    frames = np.array([4 if (watched or "1" * seconds)[s] == "1" else 0 for s in range(seconds)], np.int32)
    when = datetime(2026, 9, number, 8, tzinfo=UTC)
    info = LessonInfo(number, "physics", "", when, None, "ended", "made", network, False, float(seconds))
    rows_of = Readings(second, student, faces, readable, faces, emotion, confidence, probabilities)
    return Lesson(info, list(names[: len(rows)]), LABELS, rows_of, frames)


@pytest.mark.parametrize(
    ("lesson", "shown"),
    [
        (drawn(), np.zeros((0, 0))),
        (drawn("", ""), np.zeros((2, 0))),
        (drawn("hs?x "), [[0, 1, 2, NOT_READABLE, AWAY]]),
        (drawn("h   h", watched="11001"), [[0, AWAY, NOT_WATCHED, NOT_WATCHED, 0]]),
    ],
)
def test_the_grid_spreads_rows_out(lesson: Lesson, shown: object) -> None:
    grid = make_grid(lesson)
    np.testing.assert_array_equal(grid.shown, shown)
    assert grid.states == ["happy", "sad", "unsure"]


def test_counts_in_blocks() -> None:
    counts = counts_in_blocks(make_grid(drawn("hhs?x", "s    ")), 2)
    assert counts.tolist() == [[[2, 0, 0], [0, 1, 1], [0, 0, 0]], [[0, 1, 0], [0, 0, 0], [0, 0, 0]]]


def test_mood_of_nothing() -> None:
    for lesson in (drawn(), drawn("", ""), drawn("xxxx", "    ")):
        mood = class_mood(make_grid(lesson))
        assert np.isnan(mood.share).all() and not mood.students.any()


def test_each_student_counts_once() -> None:
    # One is readable all the time and happy; two for a quarter of it, and sad: two thirds of the class are sad.
    mood = class_mood(make_grid(drawn("h" * 60, "s" * 15 + " " * 45, " " * 45 + "s" * 15)), width=120, step=60)
    assert mood.share[0].tolist() == pytest.approx([1 / 3, 2 / 3, 0])
    assert (mood.students[0], mood.in_view[0]) == (3, 3)


def test_unsure_is_a_state_and_unreadable_is_none() -> None:
    mood = class_mood(make_grid(drawn("h?" * 30, "x" * 60, " " * 60)), width=60, step=60)
    assert mood.share[0].tolist() == pytest.approx([0.5, 0, 0.5])
    assert (mood.students[0], mood.in_view[0]) == (1, 2)


def test_windows_follow_the_time() -> None:
    mood = class_mood(make_grid(drawn(*["h" * 300 + "s" * 300] * 6)), width=60, step=30)
    happy = mood.share[:, 0]
    assert (happy[mood.time < 270] == 1).all() and (happy[mood.time > 330] == 0).all()
    assert happy[mood.time == 300] == pytest.approx(0.5)


@pytest.mark.parametrize(("students", "known"), [(4, False), (5, True)])
def test_small_groups_say_nothing(students: int, known: bool) -> None:
    mood = class_mood(make_grid(drawn(*["h" * 60] * students)), minimum=5)
    assert np.isfinite(mood.share).all() == np.isfinite(mood.high).all() == known


def test_a_lesson_of_counts_has_the_mood_of_its_readings() -> None:
    whole, counts = (class_mood(make_grid(make_lesson(30, 600, 3, counts_only=kept))) for kept in (False, True))
    assert counts.crowd and not whole.crowd
    assert np.abs(counts.share - whole.share).max() < 0.12
    assert np.abs(counts.share.mean(axis=0) - whole.share.mean(axis=0)).max() < 0.02


def test_faces_of_nobody_enrolled_have_a_mood() -> None:
    lesson = drawn("h" * 60, names="")
    rows = lesson.readings
    nobody = Readings(rows.second, rows.student - 1, rows.frames, rows.readable * 3, rows.faces * 3, *_rest(rows))
    mood = class_mood(make_grid(Lesson(lesson.info, [], LABELS, nobody, lesson.frames_per_second)))
    assert mood.crowd and mood.students[0] == 3 and mood.share[0].tolist() == pytest.approx([0.5, 0.5, 0])


def _rest(rows: Readings) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return rows.emotion, rows.confidence, rows.probabilities


def test_bands_are_runs() -> None:
    found = bands(make_grid(drawn("hhs? xx", "   s   ")))
    assert found == [
        Band("a", "happy", 0, 2),
        Band("a", "sad", 2, 3),
        Band("a", "unsure", 3, 4),
        Band("a", "not readable", 5, 7),
        Band("b", "sad", 3, 4),
    ]
    assert bands(make_grid(drawn())) == []


def test_coarse_bands_show_what_was_there_most() -> None:
    grid = make_grid(drawn("hhs" + "s  " + "xxh" + "h"))
    assert coarse(grid, 3).tolist() == [[0, AWAY, NOT_READABLE, 0]]
    assert bands(grid, 3)[-1] == Band("a", "happy", 9, 10)


def test_visibility_counts_seconds() -> None:
    seen, never = visibility(make_grid(drawn("hx? h", "     ", watched="11101")))
    assert (seen.in_view, seen.readable, seen.watched) == (4, 3, 4)
    assert (seen.in_view_share, seen.readable_share, never.in_view_share) == (1.0, 0.75, 0.0)
    nothing = visibility(make_grid(drawn("", "")))[0]
    assert np.isnan(nothing.in_view_share)


def test_wilson_against_published_numbers() -> None:
    # Newcombe 1998, table I: 81 of 263 and 0 of 20.
    low, high = wilson(np.array([81 / 263, 0.0, 0.5]), np.array([263.0, 20.0, 0.0]))
    assert low[:2] == pytest.approx([0.2553, 0.0], abs=1e-4) and high[:2] == pytest.approx([0.3662, 0.1611], abs=1e-4)
    assert np.isnan([low[2], high[2]]).all()


def test_words() -> None:
    assert [minutes(s) for s in (1, 45, 60, 90, 180)] == [
        "1 second",
        "45 seconds",
        "1 minute",
        "1.5 minutes",
        "3 minutes",
    ]
    assert [percent(s) for s in (0.256, float("nan"))] == ["26 %", "-"]
    assert percent(0.0456, 1) == "4.6 %"
    assert [counted(n, "frame") for n in (0, 1, 2)] == ["0 frames", "1 frame", "2 frames"]
    assert [counted(n, "person", "people") for n in (1, 3)] == ["1 person", "3 people"]
    said = [how_sure(p) for p in (0.001, 0.005, 0.04, 0.2)]
    assert len(set(said)) == 4 and "chance" in said[3]


@pytest.mark.parametrize("marker", [300.0, 307.0, 331.4])
def test_a_rise_does_not_begin_before_its_marker(marker: float) -> None:
    turn = round(marker)
    grid = make_grid(drawn(*["h" * turn + "s" * (600 - turn)] * 6))
    mood = class_mood(grid, cuts=[100.0, marker])
    sad = mood.share[:, 1]
    assert (sad[mood.time < turn] == 0).all() and (sad[mood.time >= turn] == 1).all()
    assert mood.time[mood.time < turn].max() > turn - 0.1  # nothing between the marker and the last point before it


@pytest.mark.parametrize("gap", [(200, 210), (203, 240), (300, 420), (0, 40), (560, 600)])
@pytest.mark.parametrize("students", [1, 6])
def test_nothing_reaches_into_a_gap(gap: tuple[int, int], students: int) -> None:
    first, last = gap
    row = "h" * first + " " * (last - first) + "s" * (600 - last)
    grid = make_grid(drawn(*[row] * students, watched="1" * first + "0" * (last - first) + "1" * (600 - last)))
    mood = class_mood(grid)
    inside = (mood.time >= first) & (mood.time < last)
    assert inside.any() and np.isnan(mood.share[inside]).all() and not np.isnan(mood.share[~inside]).any()
    assert (mood.share[mood.time < first, 0] == 1).all() and (mood.share[mood.time >= last, 0] == 0).all()


@pytest.mark.parametrize("every", [2, 3])
def test_a_source_with_rare_frames_has_no_gaps(every: int) -> None:
    rows = ["".join("h" if s % every == 0 else " " for s in range(600))] * 6
    watched = "".join("1" if s % every == 0 else "0" for s in range(600))
    assert not np.isnan(class_mood(make_grid(drawn(*rows, watched=watched))).share).any()
