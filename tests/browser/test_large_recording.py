"""A recording of 100 MB from a browser: it becomes a lesson, leaves the disk again, and a refusal is said in words."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import psutil
import pytest

from fewshot.demo.sample import FPS, SIZE, sample_picture, video
from fewshot.session.lessons import LessonStore
from tests.browser.conftest import Served, acknowledge, finish
from tests.browser.steps import choose_source

MEGABYTES = 100
ALLOWED = """
import sys
from fewshot.app import upload_files
from fewshot.__main__ import main
upload_files.MOST_TOGETHER = 150
sys.argv = ["fewshot", *sys.argv[1:]]
main()
"""


class WithLittleRoom(Served):
    """The app in which the files of a teacher may have 150 MB together."""

    def command(self) -> list[str]:
        """What starts it."""
        return [sys.executable, "-c", ALLOWED, *super().command()[3:]]


@pytest.fixture(scope="module")
def little(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WithLittleRoom]:
    folder = tmp_path_factory.mktemp("tmp")
    app = WithLittleRoom(tmp_path_factory.mktemp("home"), TMPDIR=str(folder))
    try:
        app.enroll_sample("Latin", tmp_path_factory.mktemp("photos"))
        yield app
    finally:
        finish(app)
    assert not list(folder.glob("fewshot-upload-*"))


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of the demo's moving picture, with so much empty space behind them that it is a large file."""
    path = tmp_path_factory.mktemp("films") / "long lesson.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), FPS, SIZE)
    assert writer.isOpened(), "OpenCV cannot write a video here"
    for frame in list(video(sample_picture()))[:60]:
        writer.write(frame)
    writer.release()
    size = MEGABYTES << 20
    with path.open("ab") as file:
        file.write(size.to_bytes(4, "big") + b"free" + bytes(size - 8))
    return path


def test_a_large_recording_becomes_a_lesson_and_the_next_one_is_refused_in_words(
    little: WithLittleRoom, browse: Callable[..., Any], film: Path, tmp_path: Path
) -> None:
    page = browse()
    acknowledge(page, little.address)
    choose_source(page, "Latin", "Video file")
    process = psutil.Process(little.process.pid)
    before = process.memory_info().rss
    page.locator("input[type=file]").first.set_input_files(str(film))
    page.get_by_text("long lesson.mp4").wait_for()
    page.get_by_text("Play at normal speed").click()
    assert process.memory_info().rss - before < MEGABYTES << 19
    page.get_by_text("Recording", exact=True).scroll_into_view_if_needed()
    page.screenshot(path=tmp_path / "uploaded.png")

    other = browse()
    acknowledge(other, little.address)
    choose_source(other, "Latin", "Video file")
    other.locator("input[type=file]").first.set_input_files(str(film))
    said = other.get_by_text("Too many uploaded files wait: more than 150 MB")
    said.wait_for()
    other.screenshot(path=tmp_path / "refused.png")
    assert other.get_by_role("alertdialog").filter(has=said).count() == 1  # a screen reader says it
    assert other.get_by_text("What to watch").is_visible()  # the page stays

    page.get_by_role("button", name="Start the lesson").click()
    page.get_by_text("● ended").wait_for()
    store = LessonStore(little.database())
    info = max(store.lessons("Latin"), key=lambda info: info.id)
    assert info.state == "ended" and info.source == "long lesson.mp4"
    assert store.load(info.id).frames_per_second.sum() == 60
