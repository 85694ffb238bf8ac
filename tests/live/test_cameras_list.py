"""Which cameras there are, by number and name; devices by their path; pipes are refused at once."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from fewshot.commands.cameras import show_cameras
from fewshot.errors import SourceError
from fewshot.live.sources import cameras, open_source, opening


class Camera:
    """A capture that answers or not."""

    def __init__(self, answers: bool) -> None:
        self.answers = answers

    def isOpened(self) -> bool:
        return self.answers

    def grab(self) -> bool:
        return self.answers

    def release(self) -> None:
        """Nothing is open."""


@pytest.mark.parametrize(("there", "found"), [({0, 1}, [0, 1]), ({0}, [0]), (set(), [])])
def test_cameras_that_answer_are_listed(there: set[int], found: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    tried: list[int] = []

    def open_camera(number: int, _platform: str) -> Camera:
        tried.append(number)
        return Camera(number in there)

    monkeypatch.setattr(cameras, "open_camera", open_camera)
    assert [number for number, _ in cameras.list_cameras()] == found
    assert tried == [*found, len(found)]


def test_what_is_printed_names_the_number_to_type(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("fewshot.commands.cameras.list_cameras", lambda: [(2, "HD [front] camera"), (4, "")])
    show_cameras()
    said = capsys.readouterr().out
    assert "HD [front] camera" in said and "fewshot live --source 2" in said
    monkeypatch.setattr("fewshot.commands.cameras.list_cameras", list)
    show_cameras()
    assert "No camera gives a picture" in capsys.readouterr().out


@pytest.mark.parametrize(("name", "number"), [("/dev/video0", 0), ("/dev/video12", 12)])
def test_a_camera_by_its_path_is_the_camera(name: str, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(opening, "open_webcam", asked.append)
    open_source(name)
    assert asked == [number]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.parametrize("name", ["pipe", "pipe.mp4", "pipe.png"])
def test_a_pipe_is_refused_at_once(name: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(SourceError, match="is a pipe or a device"):
        open_source(tmp_path / name)
