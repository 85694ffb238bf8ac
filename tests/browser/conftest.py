"""A served app and a real browser. Skipped, with the reason, where there is no Chromium or no Playwright."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
PATIENCE = 60_000
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


class Served:
    """The app in a process of its own.

    Args:
        home: folder for all that it keeps.
        **more: of its environment, besides this process's own.
    """

    def __init__(self, home: Path, **more: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.address = f"http://localhost:{self.port}"
        self.home, self.log = home, home / "server.log"
        home.mkdir(parents=True, exist_ok=True)
        # OpenVINO, where it is installed, would compile its networks anew in every home.
        self.environment = {**os.environ, "FEWSHOT_ENGINE": "onnxruntime", **more, "FEWSHOT_HOME": str(home)}
        if (SHARED / "models").is_dir():
            self.environment["FEWSHOT_SHARED"] = str(SHARED)
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "fewshot", "app", "--port", str(self.port), "--no-browser"],
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
            )
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + PATIENCE / 1000
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"{self.address}/_stcore/health", timeout=1):
                    return
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.2)
        self.stop()
        raise AssertionError(self.log.read_text())

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

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()


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


def acknowledge(page: Any, address: str) -> None:
    """Open the start page and acknowledge the terms, if nobody has yet."""
    page.goto(address)
    page.get_by_text("Where this may not be used").wait_for()
    button = page.get_by_role("button", name="I have read this")
    page.get_by_text("Acknowledged on").or_(button).first.wait_for()
    if button.count():
        button.click()
        page.get_by_text("Acknowledged on").wait_for()


def to(page: Any, name: str) -> None:
    """Go to a page by its name in the navigation, without loading the app anew."""
    page.get_by_role("link", name=name, exact=False).first.click()
