"""The screen as source, and a window on it: on a virtual display where there is one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice

import pytest

from fewshot.errors import SourceError
from fewshot.live.sources import open_source
from fewshot.live.sources.screen import ScreenSource, parse_region
from fewshot.research.bench.virtual_display import virtual_display

WINDOW = """
import time
import numpy as np
from fewshot.live.sinks.window import Window
from fewshot.live.sources import open_source
from fewshot.types import FrameResult

window, source, end = Window(), open_source("screen"), time.monotonic() + 4
# On a busy machine a window takes its time to be drawn.
for index, captured in enumerate(source):
    seen = (np.abs(captured.frame.astype(int) - (10, 200, 90)).max(axis=2) < 12).sum()
    if seen > 10_000 or time.monotonic() > end:
        break
    window.write(FrameResult("a", index, 0.0, 300, 200, ()), np.full((200, 300, 3), (10, 200, 90), np.uint8))
source.close()
window.close()
window.close()
print("pixels of the window on the screen:", seen)
raise SystemExit(0 if seen > 10_000 else 1)
"""


@contextmanager
def small_display() -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Its name and its server; skipped where there is none."""
    with ExitStack() as stack:
        try:
            found = stack.enter_context(virtual_display(640, 480))
        except FileNotFoundError as error:
            pytest.skip(str(error))
        yield found


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    with small_display() as (name, _):
        yield name


@pytest.fixture
def on_display(display: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", display)
    monkeypatch.delenv("XDG_SESSION_TYPE", raising=False)


@pytest.mark.usefixtures("on_display")
def test_screen_and_region() -> None:
    for what, shape in [("screen", (480, 640, 3)), ("screen:10,20,200,100", (100, 200, 3))]:
        source = open_source(what)
        taken = list(islice(source, 3))
        source.close()
        assert source.live and [captured.frame.shape for captured in taken] == [shape] * 3
        assert [captured.index for captured in taken] == [0, 1, 2] and taken[0].time < taken[1].time < taken[2].time


@pytest.mark.usefixtures("on_display")
@pytest.mark.parametrize("region", ["600,400,100,100", "-5,0,20,20", "0,0,641,10", "5000,5000,10,10"])
def test_a_region_off_the_screen(region: str) -> None:
    with pytest.raises(SourceError, match="not on the screen, which spans 0,0 to 640,480"):
        open_source(f"screen:{region}")


@pytest.mark.usefixtures("on_display")
def test_no_more_pictures_than_asked_for() -> None:
    now, pauses = [0.0], []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        now[0] += seconds

    source = ScreenSource("screen:0,0,32,32", fps=4, clock=lambda: now[0], sleep=sleep)
    times = [captured.time for captured in islice(source, 4)]
    source.close()
    assert times == pytest.approx([0, 0.25, 0.5, 0.75]) and len(pauses) == 3


def test_a_screen_that_goes_away_ends_the_lesson_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_SESSION_TYPE", raising=False)
    with small_display() as (name, server):
        monkeypatch.setenv("DISPLAY", name)
        source, taken = ScreenSource("screen", fps=50), 0
        for taken, _ in enumerate(source, 1):
            if taken == 3:
                server.kill()
                server.wait()
    assert taken == 3 and source.lost is not None
    assert re.fullmatch(r"The screen could no longer be captured after \d+\.\d s \(.+\)\..*", source.lost)


@pytest.mark.usefixtures("on_display")
def test_a_window_shows_the_picture(display: str) -> None:
    # In a process of its own: Qt ends the one it runs in when its display goes away.
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "DISPLAY": display}
    command = [sys.executable, "-c", WINDOW]
    # On a busy machine a display without a window manager now and then never draws a new Qt window, whatever is shown
    # in it afterwards; the next process has better luck.
    for _ in range(4):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode == 0:
            return
    pytest.fail(done.stdout + done.stderr)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems always have a screen")
def test_no_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    with pytest.raises(SourceError, match="no display"):
        open_source("screen")


def test_region_texts() -> None:
    assert parse_region("screen") is None
    assert parse_region("screen: 1, 2, 30, 40") == (1, 2, 30, 40)
    assert parse_region("screen:-100,0,3,4") == (-100, 0, 3, 4)
