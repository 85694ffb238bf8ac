"""What the encryption costs in use: frames per second of a recorded lesson, and the app's first page, in turns."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from fewshot.errors import FewshotError
from fewshot.research.bench.app_in_browser import PATIENCE, first_page, timed
from fewshot.research.bench.sealing.after_erasure import Rows
from fewshot.research.bench.served_app import ServedApp

WITH, WITHOUT = "encrypted", "not encrypted"
PROGRAMS = {WITH: "fewshot", WITHOUT: "fewshot.research.bench.sealing.not_encrypted"}
CLASS = "Class of 49"


class _App(ServedApp):
    def __init__(self, home: Path, program: str) -> None:
        self.program = program
        super().__init__(home, FEWSHOT_KEYS=str(home.with_name(f"{home.name}-keys")))

    def command(self) -> list[str]:
        """See ``ServedApp``."""
        return [sys.executable, "-m", self.program, "app", "--port", str(self.port), "--no-browser"]


def use_table(lesson: Path, work: Path, chromium: str, runs: int, visits: int) -> Rows:
    """One row per measure.

    Args:
        lesson: folder of a virtual classroom with 49 faces: ``photos/neutral`` and ``video.mp4``.
        work: an empty folder.
        chromium: path of the browser.
        runs: of the lesson, each way.
        visits: of the first page, each way, each by a browser with an empty cache.
    """
    for way in PROGRAMS:
        _run(way, work, "enroll", CLASS, str(lesson / "photos/neutral"), "--consent-by", "the measurement")
    rates: dict[str, list[float]] = {way: [] for way in PROGRAMS}
    for number in range(2 * runs):
        way = _turn(number)
        rates[way].append(_rate(way, work, lesson / "video.mp4"))
    pages = first_pages(work, chromium, visits)
    return [
        _row(f"frames per second, 49 faces, a lesson that is recorded (median of {runs} runs)", rates, "{:.1f}"),
        _row(f"the app's first page, seconds (median of {visits} visits)", pages, "{:.2f}"),
    ]


def first_pages(work: Path, chromium: str, visits: int) -> dict[str, list[float]]:
    """Seconds until the first page is there, each way; the server's very first visitor is left out."""
    from playwright.sync_api import sync_playwright

    took: dict[str, list[float]] = {way: [] for way in PROGRAMS}
    with ExitStack() as stack:
        apps = {way: stack.enter_context(_App(_home(way, work), program)) for way, program in PROGRAMS.items()}
        playwright = stack.enter_context(sync_playwright())
        for number in range(2 * (visits + 1)):
            way = _turn(number)
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1280, "height": 720})
            page.set_default_timeout(PATIENCE)
            seconds = timed(partial(first_page, page, apps[way].address))
            browser.close()
            if number >= 2:
                took[way].append(seconds)
    return took


def _turn(number: int) -> str:
    """Which way has its turn: A B B A, so that a machine that gets slower or faster favours none."""
    first, second = PROGRAMS
    return first if number % 4 in (0, 3) else second


def _home(way: str, work: Path) -> Path:
    return work / f"home-{way.replace(' ', '-')}"


def _run(way: str, work: Path, *words: str) -> None:
    home = _home(way, work)
    environment = os.environ | {"FEWSHOT_HOME": str(home), "FEWSHOT_KEYS": str(home.with_name(f"{home.name}-keys"))}
    command = [sys.executable, "-m", PROGRAMS[way], *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise FewshotError(f"{' '.join(command)} failed: {done.stderr[-500:]}")


def _rate(way: str, work: Path, video: Path) -> float:
    """Frames per second of one lesson from its first to its last frame."""
    profile = work / "profile.json"
    watched = ["--source", str(video), "--class", CLASS, "--record", "--no-show", "--offline"]
    _run(way, work, "live", *watched, "--profile", str(profile))
    (run,) = json.loads(profile.read_text(encoding="utf-8"))["runs"]
    profile.unlink()
    return float(run["processed"]) / float(run["seconds"])


def _row(measure: str, found: dict[str, list[float]], shape: str) -> dict[str, str]:
    middle = {way: statistics.median(values) for way, values in found.items()}
    cells = {way: f"{shape.format(middle[way])} ({_range(values, shape)})" for way, values in found.items()}
    return {"measure": measure, **cells, "ratio": f"{middle[WITH] / middle[WITHOUT]:.3f}"}


def _range(values: Sequence[float], shape: str) -> str:
    return f"{shape.format(min(values))} to {shape.format(max(values))}"
