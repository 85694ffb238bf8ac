"""A lesson with people who are not enrolled: their faces are collected, and one of them is named, without a photo."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fewshot.classroom.store import ClassStore
from fewshot.session.lessons import LessonStore
from tests.browser.conftest import Served, acknowledge
from tests.browser.steps import choose_source, make_class, share_window, start_lesson, stop_lesson, wait_in_view
from tests.browser.test_shared_window import PICK, Call

COLLECT = "Collect faces of people who are not enrolled"


def collect(page: Any) -> None:
    page.get_by_role("button", name="View", exact=True).click()
    page.get_by_text("Nothing is stored until you have written a name").wait_for()
    page.get_by_text(COLLECT).click()
    page.keyboard.press("Escape")


@pytest.mark.core
def test_a_class_without_a_photo_begins_in_its_first_lesson(served: Served, browse: Callable[..., Any]) -> None:
    page = browse(PICK)
    acknowledge(page, served.address)
    make_class(page, "No photo")
    call = Call(page.context)
    call.show("asha", "ben")
    choose_source(page, "No photo", "Shared window")
    share_window(page)
    start_lesson(page)
    page.get_by_text("2 people in view").wait_for()
    assert not page.get_by_text("People who are not enrolled").count()
    collect(page)
    who = page.get_by_role("button", name="Who is this?")
    who.nth(1).wait_for()
    who.first.click()

    enroll = page.get_by_role("button", name="Enroll 1 picture").or_(page.get_by_role("button", name="pictures"))
    fill(page, "Name of the student", "Uma")
    enroll.first.click()
    page.get_by_text("Who gave consent?").wait_for()
    assert served.database() and not ClassStore(served.database()).roster("No photo").students
    fill(page, "Consent given by", "her mother, in writing")
    enroll.first.click()
    wait_in_view(page, ["Uma"])

    page.reload()  # the faces are the lesson's, not the tab's
    who.first.wait_for()
    assert who.count() == 1
    who.first.click()
    page.get_by_role("button", name="Not a student").click()
    page.get_by_text("nobody yet").wait_for()
    stop_lesson(page)
    page.get_by_role("button", name="New lesson").click()
    call.close()

    roster = ClassStore(served.database()).roster("No photo")
    assert {name: student.consent.given_by for name, student in roster.students.items()} == {
        "Uma": "her mother, in writing"
    }
    store = LessonStore(served.database())
    (info,) = store.lessons("No photo")
    assert store.load(info.id).students == ["Uma"]


def fill(page: Any, label: str, text: str) -> None:
    page.get_by_label(label).fill(text)
    page.get_by_label(label).press("Enter")
