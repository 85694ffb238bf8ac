"""The window on displays that work, do not work, or would end the process."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fewshot.commands.doctor import _window
from fewshot.live.sinks.base import WindowError
from fewshot.live.sinks.window import check_display

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux") or not shutil.which("Xvfb"), reason="needs Linux and Xvfb (apt install xvfb)"
)


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    """A display that works."""
    reader, writer = os.pipe()
    words = ["Xvfb", "-displayfd", str(writer), "-screen", "0", "640x480x24", "-nolisten", "tcp"]
    with subprocess.Popen(words, pass_fds=[writer], stderr=subprocess.DEVNULL) as server:
        os.close(writer)
        with os.fdopen(reader) as numbers:
            yield f":{numbers.readline().strip()}"
        server.terminate()


@pytest.mark.parametrize("platform", [None, "xcb"])
def test_a_window_that_opens(display: str, platform: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", display)
    monkeypatch.delenv("QT_QPA_PLATFORM", raising=False)
    if platform:
        monkeypatch.setenv("QT_QPA_PLATFORM", platform)
    check_display()
    assert _window().state == "ok"


@pytest.mark.parametrize("platform", ["wayland", "wayland-egl", "eglfs", "no such platform"])
def test_a_platform_that_opencv_does_not_have(
    display: str, platform: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DISPLAY", display)
    monkeypatch.setenv("QT_QPA_PLATFORM", platform)
    with pytest.raises(WindowError, match=f"QT_QPA_PLATFORM is {platform}"):
        check_display()
    assert _window().state == "warning"
