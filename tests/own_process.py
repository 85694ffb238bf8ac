"""Runs the tests of a file that fork in a program of their own.

A fork copies one thread. If another one, left by an earlier test, holds a lock at that moment, the child waits for
ever. A program that has just begun has no such threads.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
REPORTS = "FEWSHOT_TEST_REPORTS"
"""In the environment of such a program: the file to which it writes how each test ended."""
PATIENCE = 400.0
"""Seconds for the marked tests of a file; a quiet machine needs a tenth."""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "own_process: the test forks, so it runs in a separate program")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Look up how a marked test ended in its own program, instead of calling it here."""
    if pyfuncitem.get_closest_marker("own_process") is None or REPORTS in os.environ:
        return None
    found, printed = _ended(pyfuncitem.path)
    outcome, words = found.get(pyfuncitem.nodeid.partition("::")[2], ("missing", printed))
    if outcome == "skipped":
        pytest.skip(words)
    if outcome != "passed":
        pytest.fail(f"{outcome}, in a separate program:\n{words}", pytrace=False)
    return True


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """In such a program: note how a test ended. What goes wrong before or after it counts too."""
    target = os.environ.get(REPORTS)
    if target is None or (report.when != "call" and report.outcome == "passed"):
        return
    skipped = report.outcome == "skipped" and isinstance(report.longrepr, tuple)
    words = str(report.longrepr[2]) if skipped else report.longreprtext  # type: ignore[index]
    with Path(target).open("a", encoding="utf-8") as file:
        file.write(json.dumps([report.nodeid.partition("::")[2], report.outcome, words]) + "\n")


@functools.cache
def _ended(file: Path) -> tuple[dict[str, tuple[str, str]], str]:
    """How the marked tests of a file ended, and what their program printed."""
    with tempfile.TemporaryDirectory() as folder:
        reports = Path(folder) / "reports"
        reports.touch()
        command = [sys.executable, "-m", "pytest", str(file), "-m", "own_process", "-p", "no:cacheprovider", "--no-cov"]
        environment = {**os.environ, REPORTS: str(reports)}
        # Workers of xdist tell their children that they are workers.
        for name in [name for name in environment if name.startswith("PYTEST_")]:
            del environment[name]
        try:
            done = subprocess.run(
                command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
            )
            printed = (done.stdout + done.stderr)[-3000:]
        except subprocess.TimeoutExpired as error:
            printed = f"It did not end within {PATIENCE:.0f} s. {error.stdout!r}"[-3000:]
        found: dict[str, tuple[str, str]] = {}
        for line in reports.read_text(encoding="utf-8").splitlines():
            name, outcome, words = json.loads(line)
            if found.get(name, ("passed",))[0] != "failed":
                found[name] = (outcome, words)
        return found, printed
