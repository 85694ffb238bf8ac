"""A served app and a real browser. Skipped, with the reason, where there is no Chromium or no Playwright."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fewshot.demo.sample import enrollment_photos, sample_picture
from fewshot.research.bench.browser_steps import acknowledge, to
from fewshot.research.bench.served_app import ServedApp

__all__ = ["PATIENCE", "ROOT", "SHARED", "Served", "acknowledge", "finish", "to"]
ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
PATIENCE = 120_000
"""Milliseconds; a machine that is busy with other tests is slow to import."""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "core: browser tests that continuous integration runs, about three minutes")


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the browser."""
    pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install playwright")
    pytest.importorskip("streamlit", reason="needs the extra app")
    found = os.environ.get("FEWSHOT_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not found:
        pytest.skip("needs Chromium (apt-get install chromium, or FEWSHOT_CHROMIUM=path)")
    return found


class Served(ServedApp):
    """The app in a process of its own.

    Args:
        home: folder for all that it keeps.
        **more: of its environment, besides this process's own.
    """

    def __init__(self, home: Path, **more: str) -> None:
        # OpenVINO, where it is installed, would compile its networks anew in every home.
        shared = {"FEWSHOT_SHARED": str(SHARED)} if (SHARED / "models").is_dir() else {}
        super().__init__(home, PATIENCE / 1000, **({"FEWSHOT_ENGINE": "onnxruntime"} | shared | more))

    def database(self) -> Any:
        """What it keeps, looked at from this process."""
        from fewshot.database.engine import in_folder

        return in_folder(self.home)

    def enroll(self, classroom: str, photos: Path) -> None:
        """Enroll PHOTOS/<student>/* from the command line, a third process on the same store."""
        command = [sys.executable, "-m", "fewshot", "enroll", classroom, str(photos), "--consent-by", "the test"]
        done = subprocess.run(
            command, env=self.environment, cwd=ROOT, capture_output=True, text=True, timeout=90, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def enroll_sample(self, classroom: str, folder: Path) -> None:
        """Enroll the four people of the demo's picture, with their photos in a new folder."""
        enrollment_photos(sample_picture(), folder)
        self.enroll(classroom, folder)


@pytest.fixture(scope="session")
def served(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server for all tests of a process; classes have names of their own."""
    app = Served(tmp_path_factory.mktemp("home"))
    yield app
    finish(app)


def finish(app: Served) -> None:
    """End a server; whatever a test did, nothing went wrong in it."""
    app.stop()
    assert "Traceback" not in app.log.read_text(), app.log.read_text()[-3000:]


@pytest.fixture
def browse(chromium: str) -> Iterator[Callable[..., Any]]:
    """Opens pages: ``browse(flags..., scheme="dark", permissions=[...])``."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browsers = []

        def open_page(*flags: str, scheme: str = "light", **context: Any) -> Any:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", *flags])
            browsers.append(browser)
            made = browser.new_context(
                viewport={"width": 1280, "height": 720}, color_scheme=scheme, accept_downloads=True, **context
            )
            made.set_default_timeout(PATIENCE)
            return made.new_page()

        yield open_page
        for browser in browsers:
            browser.close()
