"""Two tabs on one lesson, two teachers with one each; and video files, by their path and uploaded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import cv2
import pytest

from fewshot.demo.sample import FPS, SIZE, sample_picture, video
from fewshot.session.lessons import LessonStore
from tests.browser.conftest import Served, acknowledge, finish, to
from tests.browser.steps import IN_VIEW, choose_source, start_lesson, stop_lesson, wait_in_view

ENROLLED = ("asha", "ben", "chidi", "dana")


@pytest.fixture(scope="module")
def school(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The app with two classes of the same four."""
    app = Served(tmp_path_factory.mktemp("home"))
    try:
        for name in ("Maths", "Latin"):
            app.enroll_sample(name, tmp_path_factory.mktemp("photos"))
        yield app
    finally:
        finish(app)


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The demo's moving picture: a few seconds, and minutes of it."""
    folder = tmp_path_factory.mktemp("films")
    frames = [cv2.resize(frame, None, fx=0.75, fy=0.75) for frame in video(sample_picture())]
    size = round(SIZE[0] * 0.75), round(SIZE[1] * 0.75)
    made = {}
    for name, many in (("short", frames[:60]), ("long", chain.from_iterable(repeat(frames, 12)))):
        made[name] = folder / f"{name} film.mp4"
        writer = cv2.VideoWriter(str(made[name]), cv2.VideoWriter.fourcc(*"mp4v"), FPS, size)
        assert writer.isOpened(), "OpenCV cannot write a video here"
        for frame in many:
            writer.write(frame)
        writer.release()
    return made


def watch_file(page: Any, school: Served, classroom: str, film: Path | str) -> None:
    acknowledge(page, school.address)
    choose_file(page, classroom, film)


def choose_file(page: Any, classroom: str, film: Path | str) -> None:
    choose_source(page, classroom, "Video file")
    field = page.get_by_label("or a file on this computer")
    field.fill(str(film))
    field.press("Enter")


def mark(page: Any, text: str) -> None:
    page.get_by_role("button", name="Mark", exact=True).click()
    page.get_by_role("button", name=text).click()
    page.get_by_text(f"Marked: {text}").wait_for()
    page.keyboard.press("Escape")


def test_two_tabs_show_one_lesson(school: Served, browse: Callable[..., Any], films: dict[str, Path]) -> None:
    first, second = browse(), browse()
    watch_file(first, school, "Maths", films["long"])
    start_lesson(first)
    second.goto(school.address)
    to(second, "Live")
    second.get_by_text("You have joined a lesson that is already running").wait_for()
    # What is watched is named, where it lies on the computer is not.
    said = second.locator(".st-key-joined").inner_text()
    assert "long film.mp4" in said and films["long"].parent.name not in said
    second.get_by_role("button", name="Stay and watch").click()
    second.get_by_text("You have joined").wait_for(state="detached")
    for page in (first, second):
        wait_in_view(page, ENROLLED)
    mark(first, "Question")
    second.locator("li", has_text="Question").wait_for()
    mark(second, "Exercise")
    first.locator("li", has_text="Exercise").wait_for()
    second.get_by_role("button", name="Pause").click()
    first.get_by_text("● paused").wait_for()
    first.get_by_role("button", name="Resume").click()
    second.get_by_text("● live").wait_for()
    second.get_by_role("button", name="View", exact=True).click()
    second.get_by_text("Whole class only: no names, no tiles").click()  # in this tab alone
    second.locator("button.tile").first.wait_for(state="detached")
    second.keyboard.press("Escape")
    assert first.locator(IN_VIEW).count() == 4
    stop_lesson(first)
    second.get_by_text("● ended").wait_for()
    second.get_by_role("button", name="Report").first.wait_for()

    store = LessonStore(school.database())
    (info,) = store.lessons("Maths")
    lesson = store.load(info.id)
    assert info.state == "ended" and [marker.text for marker in lesson.markers] == ["Question", "Exercise"]
    first_mark, last_mark = (marker.second for marker in lesson.markers)
    seconds = lesson.readings.second
    assert seconds.min() <= first_mark < last_mark <= seconds.max() + 1, "readings around the marks are missing"
    assert sorted(lesson.students[i] for i in set(lesson.readings.student.tolist()) if i >= 0) == sorted(ENROLLED)
    first.get_by_role("button", name="New lesson").click()


def test_two_teachers_have_a_lesson_each(school: Served, browse: Callable[..., Any], films: dict[str, Path]) -> None:
    one, other = browse(), browse()
    watch_file(one, school, "Maths", films["long"])
    start_lesson(one)
    other.goto(school.address)
    to(other, "Class")
    other.get_by_text("4 students, 4 with consent on file").wait_for()
    choose_file(other, "Latin", films["long"])  # whoever has looked at a class of their own joins no other's lesson
    start_lesson(other)
    mark(other, "Group work")
    other.reload()  # two lessons run: this tab comes back to its own
    other.locator("li", has_text="Group work").wait_for()
    assert other.get_by_role("heading", level=1).inner_text() == "Latin"
    assert one.get_by_role("heading", level=1).inner_text() == "Maths"
    assert one.locator("li", has_text="Group work").count() == 0
    stop_lesson(other)
    one.get_by_text("● live").wait_for()
    stop_lesson(one)
    for page in (one, other):
        page.get_by_role("button", name="New lesson").click()


def test_an_uploaded_film_ends_by_itself(school: Served, browse: Callable[..., Any], films: dict[str, Path]) -> None:
    page = browse()
    acknowledge(page, school.address)
    choose_source(page, "Latin", "Video file")
    page.locator("input[type=file]").first.set_input_files(str(films["short"]))
    page.get_by_text("short film.mp4").wait_for()
    page.get_by_text("Play at normal speed").click()
    page.get_by_role("button", name="Start the lesson").click()
    page.get_by_text("● ended").wait_for()
    page.get_by_role("button", name="Report").first.wait_for()
    store = LessonStore(school.database())
    info = max(store.lessons("Latin"), key=lambda info: info.id)
    lesson = store.load(info.id)
    assert info.state == "ended" and info.source == "short film.mp4"  # not where the upload lay
    assert lesson.frames_per_second.sum() == 60, "a film that is not paced is read frame by frame"
    names = {lesson.students[i] for i in lesson.readings.student.tolist() if i >= 0}
    assert names == set(ENROLLED)
    page.get_by_role("button", name="New lesson").click()


@pytest.mark.parametrize(
    ("what", "words", "then"),
    [
        ("", "There is nothing to watch yet", "Start the lesson"),
        ("nowhere.mp4", "No file or folder nowhere.mp4", "New lesson"),
    ],
)
def test_a_film_that_is_not_there_is_a_sentence(
    school: Served, browse: Callable[..., Any], what: str, words: str, then: str
) -> None:
    page = browse()
    watch_file(page, school, "Latin", what)
    page.get_by_role("button", name="Start the lesson").click()
    page.get_by_text(words).wait_for()
    page.get_by_role("button", name=then).click()
