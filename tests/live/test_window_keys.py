"""The keys of the window, on a window that is not there: what they start, stop and save."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from fewshot.live.sinks import window as windows
from fewshot.live.sinks.base import OutputError, Stop
from fewshot.live.sinks.video import AnnotatedVideo
from fewshot.live.sinks.window import Window
from fewshot.types import FrameResult

Show = Callable[..., None]


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The keys that will be pressed, one for each frame; a space between them means none."""
    pressed: list[str] = []
    monkeypatch.setattr(windows, "check_display", lambda: None)
    for name in ("namedWindow", "resizeWindow", "imshow", "destroyWindow"):
        monkeypatch.setattr(cv2, name, lambda *_: None)
    monkeypatch.setattr(cv2, "getWindowProperty", lambda *_: 1.0)
    monkeypatch.setattr(
        cv2, "waitKey", lambda _: ord(pressed.pop(0)) if pressed and pressed[0] != "." else _none(pressed)
    )
    return pressed


def _none(pressed: list[str]) -> int:
    if pressed:
        pressed.pop(0)
    return -1


def play(window: Window, keys: list[str], pressed: str, start: float = 300.0) -> None:
    """One frame for each key, ten per second; the source has been running for ``start`` seconds."""
    keys[:] = list(pressed)
    for number in range(len(pressed)):
        frame = np.full((48, 64, 3), 20 + 8 * number, np.uint8)
        window.write(FrameResult("camera 0", number, start + number / 10, 64, 48), frame)
    window.close()


def length(path: Path) -> int:
    video = cv2.VideoCapture(str(path))
    frames = 0
    while video.read()[0]:
        frames += 1
    video.release()
    return frames


@pytest.mark.parametrize("on", ["r", "R"])
def test_r_records_from_here_to_the_next_r(
    keys: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], on: str
) -> None:
    play(Window(snapshots=tmp_path), keys, f"..{on}.........r....")
    (path,) = tmp_path.glob("*.mp4")
    said = capsys.readouterr().out.splitlines()
    assert said == [f"Recording to {path}. To stop, press r.", f"Video: {path}"]
    # Ten frames of a tenth of a second, at 15 per second: no minutes before the key was pressed.
    assert 14 <= length(path) <= 16


def test_each_recording_has_a_file_of_its_own(keys: list[str], tmp_path: Path) -> None:
    play(Window(snapshots=tmp_path), keys, "r...r..r...r.")
    assert len(list(tmp_path.glob("*.mp4"))) == 2


def test_a_recording_ends_with_the_run(keys: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Stop):
        play(window := Window(snapshots=tmp_path), keys, "r....q")
    assert not capsys.readouterr().out.count("Video:")
    window.close()
    window.close()
    assert re.findall(r"Video: .*\.mp4", capsys.readouterr().out) and length(*tmp_path.glob("*.mp4")) >= 5


def test_a_held_picture_does_not_hold_the_recording(keys: list[str], tmp_path: Path) -> None:
    play(Window(snapshots=tmp_path), keys, "r..p......s.p..r")
    (path,) = tmp_path.glob("*.mp4")
    assert length(path) >= 20 and len(list(tmp_path.glob("*.png"))) == 1


def test_nothing_came(keys: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    window = Window(snapshots=tmp_path)
    play(window, keys, ".")
    window = Window(snapshots=tmp_path)
    keys[:] = ["."]
    window.write(FrameResult("camera 0", 0, 0.0, 64, 48), np.zeros((48, 64, 3), np.uint8))
    for key in "rr":
        keys[:] = [key]
        window.idle()
    assert "there is no video" in capsys.readouterr().out and not list(tmp_path.iterdir())


@pytest.mark.parametrize("step", ["__init__", "write", "close"])
def test_a_file_that_cannot_be_written_does_not_end_the_run(
    keys: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], step: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OutputError("the disk is full")

    monkeypatch.setattr(AnnotatedVideo, step, fail)
    play(Window(snapshots=tmp_path), keys, "r....r..")
    assert "the disk is full" in capsys.readouterr().out


def test_a_folder_that_is_gone(keys: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    play(Window(snapshots=tmp_path / "gone"), keys, "r..r")
    assert "there is no folder" in capsys.readouterr().out
