"""The annotated video, the window, and a run's end: whatever happens, what was written can be read."""

from __future__ import annotations

import json
import shutil
from collections import namedtuple
from pathlib import Path

import cv2
import pytest
from live_fakes import FakePerception, FakeReader, blank, face, result, write_video

from fewshot.errors import FewshotError, SourceError, UsageError
from fewshot.live.loop import Loop
from fewshot.live.play import play
from fewshot.live.sinks.base import OutputError, Stop, WindowError
from fewshot.live.sinks.jsonl import JsonLines
from fewshot.live.sinks.video import AnnotatedVideo, letterbox
from fewshot.live.sinks.window import check_display
from fewshot.live.sources import FrameSource, open_source
from fewshot.types import Frame, FrameResult

Usage = namedtuple("Usage", "total used free")


def read_back(path: Path) -> tuple[list[Frame], float]:
    video = cv2.VideoCapture(str(path))
    frames = []
    while (got := video.read())[0]:
        frames.append(got[1])
    return frames, video.get(cv2.CAP_PROP_FPS)


@pytest.mark.parametrize("name", ["out.mp4", "out.avi", "Übung.mkv"])
def test_a_file_has_the_frames_and_the_rate_of_its_source(tmp_path: Path, name: str) -> None:
    write_video(tmp_path / "in.mp4", frames=20, fps=12.5)
    source = open_source(tmp_path / "in.mp4")
    sink = AnnotatedVideo.for_source(tmp_path / name, source)
    outcome = play(Loop(FakePerception([face()]), FakeReader()), [source], [sink])
    frames, fps = read_back(tmp_path / name)
    assert (len(frames), outcome.frames, frames[0].shape) == (20, 20, (48, 64, 3)) and fps == pytest.approx(12.5)


def test_a_live_source_is_written_in_real_time(tmp_path: Path) -> None:
    sink = AnnotatedVideo(tmp_path / "out.mp4", fps=10, live=True)
    for index, time in enumerate([0.0, 0.01, 0.5, 0.55, 2.0]):
        sink.write(result(index=index, time=time), blank(value=20 * index))
    sink.close()
    frames, _ = read_back(tmp_path / "out.mp4")
    assert len(frames) == 21  # 0 to 2.0 s at 10 frames a second
    assert frames[4].mean() < frames[5].mean() + 1 and frames[20].mean() > 70


def test_frames_of_another_size_are_fitted_in(tmp_path: Path) -> None:
    sink = AnnotatedVideo(tmp_path / "out.mp4", fps=10)
    for size in [(65, 49), (128, 48), (30, 90)]:
        sink.write(FrameResult("a", 0, 0.0, *size), blank(*size, value=200))
    sink.close()
    frames, _ = read_back(tmp_path / "out.mp4")
    assert [frame.shape for frame in frames] == [(48, 64, 3)] * 3
    fitted = letterbox(blank(128, 48, 200), (64, 48))
    assert fitted[0].max() == 0 and fitted[24].min() == 200


@pytest.mark.parametrize("name", ["out.txt", "out", "nowhere/out.mp4"])
def test_videos_that_cannot_be_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputError, match="out"):
        AnnotatedVideo(tmp_path / name, fps=10)


def test_the_source_is_not_written_over(tmp_path: Path) -> None:
    write_video(tmp_path / "in.mp4")
    with pytest.raises(UsageError, match="is read"):
        AnnotatedVideo.for_source(tmp_path / "in.mp4", open_source(tmp_path / "in.mp4"))


def test_a_disk_that_fills_up_leaves_a_readable_video(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free = iter([10**12, 10**12, 10**12, 0])
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**12, 0, next(free)))
    sinks = [JsonLines(tmp_path / "out.jsonl"), AnnotatedVideo(tmp_path / "out.mp4", fps=25)]
    with pytest.raises(FewshotError, match=r"out\.mp4: the disk is full"):
        play(Loop(FakePerception(), FakeReader()), [FrameSource([blank()] * 100)], sinks)
    assert len(read_back(tmp_path / "out.mp4")[0]) == 60
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 61


def interrupted(after: int, by: BaseException):
    for index in range(100):
        if index == after:
            raise by
        yield blank(value=index)


def test_ctrl_c_leaves_readable_files(tmp_path: Path) -> None:
    sinks = [JsonLines(tmp_path / "out.jsonl"), AnnotatedVideo(tmp_path / "out.mp4", fps=25)]
    outcome = play(Loop(FakePerception(), FakeReader()), [FrameSource(interrupted(7, KeyboardInterrupt()))], sinks)
    assert outcome.stopped and outcome.frames == 7
    assert [json.loads(line)["frame"] for line in (tmp_path / "out.jsonl").open()] == list(range(7))
    assert len(read_back(tmp_path / "out.mp4")[0]) == 7


class Sink:
    def __init__(self, error: Exception | None = None) -> None:
        self.error, self.closed, self.frames = error, 0, 0

    def write(self, result: FrameResult, frame: Frame) -> None:
        self.frames += 1
        if self.error and self.frames == 3:
            raise self.error

    def close(self) -> None:
        self.closed += 1


@pytest.mark.parametrize("error", [OutputError("x is full"), OSError(28, "No space left")])
def test_a_failing_sink_closes_the_others(error: Exception) -> None:
    good, bad = Sink(), Sink(error)
    with pytest.raises(FewshotError):
        play(Loop(FakePerception(), FakeReader()), [FrameSource([blank()] * 9)], [good, bad])
    assert good.closed == bad.closed == 1 and good.frames == 3


def test_closing_the_window_ends_the_run() -> None:
    window, other = Sink(Stop()), Sink()
    outcome = play(Loop(FakePerception(), FakeReader()), [FrameSource([blank()] * 9)] * 2, [other, window])
    assert outcome.stopped and outcome.frames == 2 and other.closed == 1


def test_several_sources_and_their_notes() -> None:
    first, second = FrameSource([blank()] * 3, name="a"), FrameSource([blank()] * 2, name="b")
    first.lost, second.dropped = "a was lost.", 4
    seen = []
    outcome = play(
        Loop(FakePerception(), FakeReader()), [first, second], [], lambda source, step: seen.append(source.name)
    )
    assert (outcome.frames, outcome.dropped, outcome.notes) == (5, 4, ["a was lost."])
    assert seen == ["a"] * 3 + ["b"] * 2 and outcome.rate > 0 and not outcome.stopped


def test_a_source_that_fails_closes_the_sinks() -> None:
    sink = Sink()
    with pytest.raises(SourceError):
        play(Loop(FakePerception(), FakeReader()), [FrameSource(interrupted(2, SourceError("gone")))], [sink])
    assert sink.closed == 1 and sink.frames == 2


def test_no_display_is_said_before_opencv_aborts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("QT_QPA_PLATFORM", raising=False)
    for display in (None, ":987"):
        if display is None:
            monkeypatch.delenv("DISPLAY", raising=False)
        else:
            monkeypatch.setenv("DISPLAY", display)
        with pytest.raises(WindowError, match="--no-show"):
            check_display()
