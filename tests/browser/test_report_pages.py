"""A report in a real browser: a click on a strip, its address after a reload, and what paper shows."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fewshot.classroom.consent import make_consent
from fewshot.classroom.store import ClassStore
from fewshot.research.simulation.made_lessons import make_lesson
from fewshot.session.lessons import LessonStore
from fewshot.session.recorder import LessonRecorder
from fewshot.session.report import report_bytes
from fewshot.types import EMOTIONS, FrameResult, Reading
from tests.browser.conftest import Served, acknowledge

NAMES = ["Asha P.", "نور"]


def kept(served: Served) -> int:
    """A lesson of two students, 40 seconds, in the store of the app."""
    database = served.database()
    ClassStore(database).create("strips")
    ClassStore(database).record_consents("strips", NAMES, make_consent("the parents"))
    with LessonRecorder.start("strips", NAMES, database=database) as recorder:
        for second in range(40):
            faces = [
                Reading(place, (0, 0, 9, 9), 0.9, name, 0.6, "happy", 0.9, dict.fromkeys(EMOTIONS, 1 / 7))
                for place, name in enumerate(NAMES)
            ]
            recorder.write(FrameResult("cam", second, float(second), 64, 48, tuple(faces)))
    return recorder.lesson


def test_a_click_on_a_strip_leads_to_the_lesson_of_the_student_and_an_address_brings_it_back(
    served: Served, browse: Callable[..., Any]
) -> None:
    lesson = kept(served)
    number = LessonStore(served.database()).load(lesson).numbers[NAMES[1]]
    page = browse()
    acknowledge(page, served.address)
    page.goto(f"{served.address}/report?lesson={lesson}&part=students")
    marks = page.locator(".stVegaLiteChart svg .mark-rect path, [data-testid=stVegaLiteChart] .mark-rect path")
    marks.nth(1).wait_for()
    marks.nth(1).click(position={"x": 30, "y": 5}, force=True)
    page.get_by_role("heading", name=re.compile(NAMES[1])).wait_for()
    page.wait_for_url(re.compile(rf"student={number}\b"))
    assert not any(re.search(name.split()[0], page.url, re.IGNORECASE) for name in NAMES) and "%D9" not in page.url
    page.reload()
    page.get_by_role("heading", name=re.compile(NAMES[1])).wait_for()
    page.goto(f"{served.address}/report?lesson=999&part=students")
    page.get_by_text("There is no lesson 999 here").wait_for()
    assert page.get_by_text("counted at a time").count() == 0


def test_paper_shows_what_is_folded(browse: Callable[..., Any], tmp_path: Path) -> None:
    pytest.importorskip("vl_convert")
    file = tmp_path / "report.html"
    file.write_bytes(report_bytes(make_lesson(6, 400), ".html")[".html"])
    page = browse()
    page.goto(file.as_uri())
    inside = page.locator("details dl").first
    assert not inside.is_visible()
    page.emulate_media(media="print")
    assert inside.is_visible()
