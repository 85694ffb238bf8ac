"""Counts and the timeline picture."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from fewshot.errors import FewshotError
from fewshot.live.colours import EMOTION_COLOURS
from fewshot.session.summary import BINS, MOST_PEOPLE, Summary, clock
from fewshot.session.timeline import draw_timeline, save_timeline
from fewshot.types import EMOTIONS, FrameResult, Reading

SURE = dict.fromkeys(EMOTIONS, 1 / 7)


def reading(student: str | None, emotion: str | None, readable: bool = True) -> Reading:
    return Reading(0, (0, 0, 9, 9), 0.9, student, 0.7, emotion, 0.5, SURE if readable else {})


def frame(time: float, *readings: Reading, source: str = "a.mp4") -> FrameResult:
    return FrameResult(source, round(time * 10), time, 64, 48, readings)


def test_nothing_seen() -> None:
    summary = Summary(["asha"])
    assert summary.duration == 0 and summary.counts()[0].faces == 0
    assert draw_timeline(summary).ndim == 3 and draw_timeline(Summary()).ndim == 3
    summary.write(frame(0))
    assert set(summary.strips()[1][0]) == {-1}


def test_counts_per_student() -> None:
    summary = Summary(["zoe"])
    for index in range(10):
        readings = [reading("asha", "happy" if index < 6 else None), reading(None, "sad"), reading(None, "sad")]
        summary.write(frame(index / 10, *(readings if index < 8 else [reading("asha", None, readable=False)])))
    asha, zoe, strangers = summary.counts()
    assert (asha.faces, asha.in_view, asha.emotions, asha.unsure, asha.not_readable) == (10, 1.0, {"happy": 6}, 2, 2)
    assert (zoe.student, zoe.faces, zoe.in_view) == ("zoe", 0, 0.0)
    assert (strangers.student, strangers.faces, strangers.in_view) == (None, 16, 0.8)
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(summary.table())
    text = console.export_text()
    assert "happy 75 %" in text and "never" in text and "not enrolled" in text and "10 frames, 0:01" in text


def test_why_a_student_was_not_readable() -> None:
    summary = Summary(["ben"])
    dark, both = (
        ("too dark: mean grey level 3, at least 6 needed",),
        ("too dark: mean grey level 2", "too blurred: 0.01"),
    )
    for index, reasons in enumerate([(), (), dark, both]):
        readings = [Reading(0, (0, 0, 9, 9), 0.9, "asha", 0.7, "happy" if not reasons else None, reasons=reasons,
                            probabilities={} if reasons else SURE)]  # fmt: skip
        summary.write(frame(index / 10, *readings))
    assert summary.counts()[0].reasons == {"too dark": 2, "too blurred": 1}
    console = Console(width=140, record=True, file=io.StringIO())
    console.print(summary.table())
    text = console.export_text()
    assert "In view, not readable" in text and "50 %: too dark 50 %, too blurred 25 %" in text


def test_one_frame_is_one_frame() -> None:
    summary = Summary()
    titles = [summary.table().title]
    for time in (0, 0.1):
        summary.write(frame(time))
        titles.append(summary.table().title)
    assert [str(title).partition(",")[0] for title in titles] == ["0 frames", "1 frame", "2 frames"]


def test_own_states_get_a_column_late() -> None:
    summary = Summary()
    summary.write(frame(0.0, reading("asha", "happy")))
    summary.write(frame(0.1, reading("asha", "confused"), reading("ben", "confused")))
    assert summary.counts()[0].emotions == {"happy": 1, "confused": 1}
    assert [summary.labels[i] for i in summary.strips()[1][0]] == ["happy", "confused"]


def test_a_long_lesson_stays_small() -> None:
    summary = Summary()
    for second in range(3000):
        summary.write(frame(float(second), reading("asha", "happy" if second < 1500 else "sad")))
    _, strips = summary.strips()
    assert strips.shape[1] <= BINS and summary.width == pytest.approx(3.2)
    assert summary.counts()[0].faces == 3000
    names = [summary.labels[i] for i in strips[0]]
    assert set(names) == {"happy", "sad"} and names == sorted(names)
    assert abs(names.index("sad") / len(names) - 0.5) < 0.01


def test_a_slow_camera_leaves_no_holes_but_absence_does() -> None:
    summary = Summary()
    for second in range(10):
        summary.write(frame(float(second), *([reading("asha", "happy")] if second < 5 else [])))
    strip = summary.strips()[1][0]
    assert (strip[:50] >= 0).all() and (strip[50:] == -1).all()


def test_sources_and_pictures_lie_end_to_end() -> None:
    summary = Summary()
    for number, emotion in enumerate(["happy", "sad", "fear"]):
        summary.write(frame(0.0, reading("asha", emotion), source=f"{number}.jpg"))
    assert summary.duration == pytest.approx(3)
    assert [summary.labels[i] for i in summary.strips()[1][0][[0, 15, 29]]] == ["happy", "sad", "fear"]


def test_the_picture_has_a_row_a_student_in_its_colours(tmp_path: Path) -> None:
    summary = Summary(["ben"])
    for index in range(100):
        summary.write(frame(index / 10, reading("Владимир", "happy" if index < 50 else None)))
    picture = draw_timeline(summary)
    happy = (picture == np.array(EMOTION_COLOURS["happy"], np.uint8)).all(2)
    assert 0.4 < happy.any(0).sum() / 1024 < 0.7
    taller = draw_timeline(summary, {"ben": "Ben"}).shape[0]
    assert taller == picture.shape[0] > draw_timeline(Summary()).shape[0]
    save_timeline(summary, tmp_path / "timeline.png")
    assert (tmp_path / "timeline.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(FewshotError, match="cannot be written"):
        save_timeline(summary, tmp_path / "nowhere" / "timeline.png")


def test_clock() -> None:
    assert [clock(s) for s in (0, 75, 3723)] == ["0:00", "1:15", "1:02:03"]


def stranger(track: int, person: int | None, emotion: str = "sad") -> Reading:
    return Reading(track, (0, 0, 9, 9), 0.9, None, None, emotion, 0.5, SURE, person=person)


def test_each_person_who_is_not_enrolled_has_a_row() -> None:
    summary = Summary(["asha"])
    for index in range(20):
        # Track 0 is known as person 1 from its fifth frame on, track 1 never; track 2 is person 1 in another place.
        known = 1 if index >= 4 else None
        seen = [stranger(0, known), stranger(1, None, "happy")] if index < 15 else [stranger(2, 1)]
        summary.write(frame(index / 10, *seen))
    asha, first, others = summary.counts()
    assert (asha.student, asha.faces) == ("asha", 0)
    assert (first.student, first.person, first.faces, first.in_view, first.emotions) == (None, 1, 20, 1.0, {"sad": 20})
    assert (others.student, others.person, others.faces, others.in_view) == (None, None, 15, 0.75)
    assert summary.strips()[0] == ["asha", 1, None]
    assert draw_timeline(summary).shape[1] > 1024
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(summary.table())
    assert "person 1" in console.export_text()


def test_the_row_of_the_others_is_gone_when_everybody_is_known() -> None:
    summary = Summary()
    for index in range(10):
        summary.write(frame(index / 10, stranger(0, 1 if index >= 5 else None), stranger(1, 2 if index >= 7 else None)))
    assert [(row.person, row.faces, row.in_view) for row in summary.counts()] == [(1, 10, 1.0), (2, 10, 1.0)]


def test_what_is_long_ago_stays_where_it_is() -> None:
    summary = Summary()
    for index in range(100):
        summary.write(frame(index / 10, stranger(0, 1 if index >= 90 else None)))
    first, others = summary.counts()
    assert (first.faces, others.faces) == (41, 59) or (first.faces, others.faces) == (40, 60)
    assert first.in_view + others.in_view == pytest.approx(1.0)


def test_very_many_people_share_the_last_row() -> None:
    summary = Summary()
    for person in range(1, MOST_PEOPLE + 11):
        summary.write(frame(person / 10, stranger(person, person)))
    rows = summary.counts()
    assert len(rows) == MOST_PEOPLE + 1 and rows[-1].person is None and rows[-1].faces == 10
