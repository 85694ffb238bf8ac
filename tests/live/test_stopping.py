"""Whatever ends a run, what was written can be watched, and the exit code says what it was."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from fewshot.cli import app
from fewshot.live.sinks.base import OutputError
from fewshot.live.sinks.video import AnnotatedVideo
from fewshot.live.stopping import signals_stop
from fewshot.types import FrameResult

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60.0


@pytest.fixture(scope="module")
def endless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video that takes longer than any test waits."""
    path = tmp_path_factory.mktemp("endless") / "endless.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25, (160, 120))
    for index in range(6000):
        frame = np.full((120, 160, 3), index % 250, np.uint8)
        writer.write(frame)
    writer.release()
    return path


Running = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def running() -> Iterator[Running]:
    """``fewshot analyze --save`` in its own process, after 100 frames were written. No test leaves one behind."""
    begun: list[subprocess.Popen[str]] = []

    def begin(source: Path, out: Path) -> subprocess.Popen[str]:
        lines = out.with_suffix(".jsonl")
        words = ["--save", str(out), "--jsonl", str(lines), "--detector", "cascade", "--offline"]
        process = subprocess.Popen(
            [sys.executable, "-m", "fewshot", "analyze", str(source), *words],
            env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=out.parent, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        begun.append(process)
        deadline = time.monotonic() + PATIENCE
        while not lines.exists() or lines.read_bytes().count(b"\n") < 100:
            assert time.monotonic() < deadline and process.poll() is None, "the run did not begin"
            time.sleep(0.05)
        return process

    yield begin
    for process in begun:  # also after a test that failed
        process.kill()
        process.communicate()


def frames_of(path: Path) -> int:
    capture, count = cv2.VideoCapture(str(path)), 0
    while capture.read()[0]:
        count += 1
    capture.release()
    return count


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_ends_a_run_as_ctrl_c_does(running: Running, endless: Path, tmp_path: Path, name: str) -> None:
    out = tmp_path / "out.mp4"
    process = running(endless, out)
    number = getattr(signal, name)
    process.send_signal(number)
    said, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 128 + number
    written = int(re.search(r"(\d+) frames in", said).group(1))  # type: ignore[union-attr]
    assert written >= 100 and frames_of(out) == written
    assert "Annotated video" in said and "Traceback" not in errors


def test_the_second_signal_does_not_cut_the_outputs_off(running: Running, endless: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    process = running(endless, out)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=PATIENCE)
    # Two signals at once may arrive in either order.
    assert process.returncode in (128 + signal.SIGINT, 128 + signal.SIGTERM)
    assert "frames in" in said and frames_of(out) >= 100


@pytest.mark.skipif(find_spec("av") is None, reason="needs PyAV: OpenCV's own .mp4 has its index at the end")
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
def test_a_killed_run_leaves_a_video(running: Running, endless: Path, tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"out{suffix}"
    process = running(endless, out)
    process.kill()
    process.communicate(timeout=PATIENCE)
    assert frames_of(out) >= 50


def test_a_size_limit_leaves_a_video_and_is_named(endless: Path, tmp_path: Path) -> None:
    """The limit of the shell: no file may become larger."""
    code = """
import resource, sys
import numpy as np
from fewshot.live.sinks.video import AnnotatedVideo
from fewshot.types import FrameResult
resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, 3_000_000))
video, random = AnnotatedVideo(sys.argv[1], 25.0, codec=sys.argv[2]), np.random.default_rng(0)
try:
    for index in range(3000):
        video.write(FrameResult("x", index, index / 25, 320, 240, ()), random.integers(0, 255, (240, 320, 3), np.uint8))
except Exception as error:
    print(type(error).__name__, error)
finally:
    video.close()
"""
    for codec in ["mpeg4", *(["h264"] if find_spec("av") else [])]:
        out = tmp_path / f"{codec}.mp4"
        done = subprocess.run(
            [sys.executable, "-c", code, str(out), codec], env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert "OutputError" in done.stdout and "ulimit" in done.stdout, (codec, done)
        assert frames_of(out) >= 30, codec


def test_a_full_disk_stops_before_the_index_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    video = AnnotatedVideo(tmp_path / "out.mp4", 25.0)
    frame = np.zeros((120, 160, 3), np.uint8)
    for index in range(30):
        video.write(FrameResult("x", index, index / 25, 160, 120, ()), frame)
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 1})())
    with pytest.raises(OutputError, match="full"):
        video.write(FrameResult("x", 30, 30 / 25, 160, 120, ()), frame)
    video.close()
    assert frames_of(tmp_path / "out.mp4") == 30


def test_a_signal_that_is_ignored_from_outside_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with signals_stop():
            assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
            assert signal.getsignal(signal.SIGTERM) != signal.SIG_DFL
    finally:
        signal.signal(signal.SIGHUP, before)
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_before_a_run_has_begun_has_its_own_exit_code(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    number = getattr(signal, name)

    def interrupted() -> None:
        os.kill(os.getpid(), number)
        time.sleep(PATIENCE)

    monkeypatch.setattr("fewshot.commands.doctor.run_doctor", interrupted)
    assert CliRunner().invoke(app, ["doctor"]).exit_code == 128 + number
