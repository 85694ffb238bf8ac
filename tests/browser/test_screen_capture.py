"""A call's gallery on a virtual display, watched through "this computer's screen": the right names on the tiles."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from fewshot.demo.sample import PEOPLE, sample_picture
from fewshot.research.bench.virtual_display import virtual_display
from fewshot.session.lessons import LessonStore
from fewshot.types import Frame
from tests.browser.conftest import Served, acknowledge, finish
from tests.browser.steps import choose_source, start_lesson, stop_lesson, wait_in_view

WIDTH, HEIGHT, PORTRAIT = 1280, 720, 330
SHOW = """
import sys, time
from pathlib import Path
import cv2
path, shown = Path(sys.argv[1]), 0.0
cv2.namedWindow("call", cv2.WINDOW_AUTOSIZE | cv2.WINDOW_GUI_NORMAL)
cv2.moveWindow("call", 0, 0)
while True:
    if path.stat().st_mtime_ns != shown:
        picture = cv2.imread(str(path))
        if picture is not None:
            cv2.imshow("call", picture)
            shown = path.stat().st_mtime_ns
            cv2.waitKey(50)
            print("shown", flush=True)
    cv2.waitKey(50)
"""


class Call:
    """A gallery in a window; people come and go."""

    def __init__(self, display: str, folder: Path, environment: dict[str, str]) -> None:
        self._file, self._picture = folder / "gallery.png", sample_picture()
        self._write(())
        self._window = subprocess.Popen(
            [sys.executable, "-c", SHOW, str(self._file)],
            env={**environment, "DISPLAY": display},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._wait()

    def show(self, *people: str) -> None:
        """Show these, a tile each, on dark ground; return when they are on the screen."""
        self._write(people)
        self._wait()

    def close(self) -> None:
        self._window.kill()
        self._window.wait()

    def _write(self, people: Sequence[str]) -> None:
        new = self._file.with_name("new.png")
        cv2.imwrite(str(new), gallery(self._picture, people))
        new.replace(self._file)

    def _wait(self) -> None:
        assert self._window.stdout is not None
        assert self._window.stdout.readline() == "shown\n", "no window could be opened on the virtual display"


def gallery(picture: Frame, people: Sequence[str]) -> Frame:
    """Two rows of three places; an empty place is one whose camera is off."""
    screen = np.full((HEIGHT, WIDTH, 3), (40, 36, 32), np.uint8)
    for place, name in enumerate(people):
        (person,) = [person for person in PEOPLE if person.name == name]
        x0, y0, x1, y1 = person.box
        half = round(0.95 * max(x1 - x0, y1 - y0))
        x, y = (x0 + x1) // 2, (y0 + y1) // 2
        cut = picture[max(0, y - half) : y + half, max(0, x - half) : x + half]
        size = round(PORTRAIT * cut.shape[1] / max(cut.shape[:2])), round(PORTRAIT * cut.shape[0] / max(cut.shape[:2]))
        left, top = 50 + (place % 3) * 410, 20 + (place // 3) * 350
        screen[top : top + size[1], left : left + size[0]] = cv2.resize(cut, size, interpolation=cv2.INTER_CUBIC)
    return screen


@pytest.fixture(scope="module")
def display(chromium: str) -> Iterator[str]:
    with ExitStack() as stack:
        try:
            name, _ = stack.enter_context(virtual_display(WIDTH, HEIGHT))
        except FileNotFoundError as error:
            pytest.skip(str(error))
        yield name


@pytest.fixture(scope="module")
def desktop(display: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The app on a computer with that screen, and a class of four in it."""
    app = Served(tmp_path_factory.mktemp("home"), DISPLAY=display, XDG_SESSION_TYPE="x11")
    try:
        app.enroll_sample("Online", tmp_path_factory.mktemp("photos"))
        yield app
    finally:
        finish(app)


@pytest.fixture
def call(display: str, desktop: Served, tmp_path: Path) -> Iterator[Call]:
    window = Call(display, tmp_path, desktop.environment)
    yield window
    window.close()


def test_whoever_is_in_the_gallery_is_on_the_tiles(desktop: Served, browse: Callable[..., Any], call: Call) -> None:
    page = browse()
    acknowledge(page, desktop.address)
    choose_source(page, "Online", "This computer's screen")
    call.show("asha", "guest 1", "chidi")
    start_lesson(page)
    wait_in_view(page, ["asha", "chidi"])
    page.get_by_text("2 of 4 in view").wait_for()
    call.show("guest 2", "dana", "guest 1", "ben")
    wait_in_view(page, ["ben", "dana"])
    call.show("asha", "ben", "chidi", "dana")
    wait_in_view(page, ["asha", "ben", "chidi", "dana"])
    stop_lesson(page)

    store = LessonStore(desktop.database())
    (info,) = store.lessons("Online")
    readings = store.load(info.id).readings
    assert info.state == "ended" and info.source == "screen"
    assert set(readings.student.tolist()) >= {0, 1, 2, 3}  # everybody's readings are kept, by name
    page.get_by_role("button", name="New lesson").click()


def choose_region(page: Any, left: int, top: int, width: int, height: int) -> None:
    choose_source(page, "Online", "This computer's screen")
    page.get_by_text("The whole screen").click()
    for label, value in (("Left", left), ("Top", top), ("Width", width), ("Height", height)):
        field = page.get_by_label(label, exact=True)
        field.fill(str(value))
        field.press("Enter")


def test_a_region_of_the_screen(desktop: Served, browse: Callable[..., Any], call: Call) -> None:
    page = browse()
    acknowledge(page, desktop.address)
    choose_region(page, 420, 0, 420, 360)
    call.show("asha", "ben", "chidi", "dana")
    start_lesson(page)
    wait_in_view(page, ["ben"])
    stop_lesson(page)
    page.get_by_role("button", name="New lesson").click()


def test_a_region_that_is_not_on_the_screen_is_a_sentence(desktop: Served, browse: Callable[..., Any]) -> None:
    page = browse()
    acknowledge(page, desktop.address)
    choose_region(page, 900, 0, 400, 400)
    page.get_by_role("button", name="Start the lesson").click()
    page.get_by_text("is not on the screen, which spans 0,0 to 1280,720").wait_for()
    page.get_by_role("button", name="New lesson").click()
