"""``fewshot report`` as a user types it."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_frames import everybody
from typer.testing import CliRunner

from fewshot.app.reports import Reports
from fewshot.classroom.consent import make_consent
from fewshot.classroom.store import ClassStore
from fewshot.cli import app
from fewshot.research.simulation.made_lessons import make_lesson
from fewshot.session.lesson import EARLIER_LESSONS, Lesson
from fewshot.session.lessons import LessonStore
from fewshot.session.recorder import LessonRecorder
from fewshot.session.report.html import html_report
from fewshot.session.settings import Settings

NAMES = ["asha", "bela", "chen", "dora", "emre"]


def fewshot(*words: object, code: int = 0) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == code and "Traceback" not in result.output, result.output
    return " ".join(result.output.split())


@pytest.fixture
def kept() -> int:
    """A lesson of five, 40 seconds."""
    classes = ClassStore()
    classes.create("physics")
    for name in NAMES:
        classes.record_consent("physics", name, make_consent("the parents"))
    with LessonRecorder.start("physics", NAMES, title="Optics", network="net") as recorder:
        for second in range(40):
            recorder.write(everybody(float(second), dict.fromkeys(NAMES, "happy" if second < 20 else None)))
    return recorder.lesson


def test_what_a_user_can_get_wrong(tmp_path: Path) -> None:
    assert "No lesson has been recorded yet" in fewshot("report", "last", "--out", tmp_path / "a.html", code=2)
    assert "no lesson 7" in fewshot("report", "7", "--out", tmp_path / "a.html", code=2)
    assert "is not the number of a lesson" in fewshot("report", "physics", "--out", tmp_path / "a.html", code=2)
    assert ".html, .pdf, .csv, .parquet" in fewshot("report", "last", "--out", tmp_path / "a.txt", code=2)
    fewshot("report", "last", code=2)
    assert list(tmp_path.glob("a.*")) == []


def test_a_kept_lesson_becomes_files(kept: int, tmp_path: Path) -> None:
    assert "Report:" in fewshot("report", "last", "--out", tmp_path / "a.html")
    text = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert "Optics" in text and "dora" in text and "Not enough lessons yet" in text
    fewshot("report", kept, "--out", tmp_path / "a.csv")
    rows = (tmp_path / "a.csv").read_text(encoding="utf-8-sig").splitlines()
    assert len(rows) == 1 + 5 * 40 and (tmp_path / "a.csv-metadata.json").exists()
    assert "does not exist" in fewshot("report", kept, "--out", tmp_path / "no" / "a.csv", code=2)


def test_aggregate_by_option_and_by_setting(kept: int, tmp_path: Path) -> None:
    fewshot("report", kept, "--out", tmp_path / "a.csv", "--aggregate")
    Settings(LessonStore().database).aggregate_only = True
    assert "aggregated reports only" in fewshot("report", kept, "--out", tmp_path / "b.csv")
    for path in tmp_path.glob("*.csv*"):
        assert "dora" not in path.read_text(encoding="utf-8-sig")
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Lesson:
    """The last of 22 made-up lessons of one class, a week apart, in which three students are unlike their usual."""
    unlike = {"Fatima": {"sad": 0.3}, "Bela": {"angry": 0.3}, "Hana": {"fear": 0.3}}
    made = {number: make_lesson(12, 900, 1, number=number) for number in range(1, 22)}
    made[22] = make_lesson(12, 900, 1, number=22, unlike=unlike)
    newest_first = sorted((lesson.info for lesson in made.values()), key=lambda info: info.started, reverse=True)
    monkeypatch.setattr(LessonStore, "lessons", lambda self, classroom=None: newest_first)
    monkeypatch.setattr(LessonStore, "load", lambda self, number: made[number])
    monkeypatch.setattr(LessonStore, "stamp", lambda self, number: (number,))
    monkeypatch.setattr(LessonStore, "info", lambda self, number: made[number].info)
    return made[22]


def test_app_and_command_line_look_back_on_the_same_lessons(made: Lesson, tmp_path: Path) -> None:
    _, contents = Reports().of(LessonStore(), made.info.id, aggregate=False)
    assert contents.checks is not None and contents.checks.found, "something must stand on the list to be compared"
    assert contents.course is not None and len(contents.course.lessons) == EARLIER_LESSONS + 1
    fewshot("report", made.info.id, "--out", tmp_path / "a.html")
    assert (tmp_path / "a.html").read_text(encoding="utf-8") == html_report(contents)
