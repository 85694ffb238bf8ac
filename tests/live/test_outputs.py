"""The annotated video, the window, and a run's end: whatever happens, what was written can be read."""

from __future__ import annotations

import json
import shutil
import sys
from collections import namedtuple
from pathlib import Path

import cv2
import numpy as np
import pytest
from live_fakes import FakePerception, FakeReader, blank, face, reading, result, write_timed_video, write_video

from fewshot.errors import FewshotError, SourceError, UsageError
from fewshot.live.colours import EMOTION_COLOURS
from fewshot.live.loop import Loop
from fewshot.live.play import play
from fewshot.live.sinks.base import OutputError, Stop, WindowError
from fewshot.live.sinks.encoders import open_encoder
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


@pytest.mark.parametrize("codec", ["h264", "mpeg4"])
@pytest.mark.parametrize("name", ["out.mp4", "out.avi", "Übung.mkv", "out.mov"])
def test_a_file_has_the_frames_and_the_rate_of_its_source(tmp_path: Path, name: str, codec: str) -> None:
    if codec == "h264":
        pytest.importorskip("av", reason="PyAV is an extra")
    write_video(tmp_path / "in.mp4", frames=20, fps=12.5)
    source = open_source(tmp_path / "in.mp4")
    sink = AnnotatedVideo.for_source(tmp_path / name, source, codec=codec)
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


def shown(path: Path) -> list[tuple[float, float]]:
    """Time in seconds and mean grey level of every frame."""
    video, seen = cv2.VideoCapture(str(path)), []
    while (got := video.read())[0]:
        seen.append((video.get(cv2.CAP_PROP_POS_MSEC) / 1000, float(got[1].mean())))
    return seen


TIMES = {
    "steady": [index / 25 for index in range(50)],
    "a browser's": [round(index / 25 + 0.008 * (index % 3), 3) for index in range(50)],
    "with a pause": [index / 25 for index in [*range(25), *range(75, 100)]],
    "of three rates": [*np.arange(25) / 25, *(1 + np.arange(30) / 30), *(2 + np.arange(60) / 60)],
    "that begins late": [7 + index / 25 for index in range(50)],
}


@pytest.mark.parametrize("codec", ["h264", "mpeg4"])
@pytest.mark.parametrize("name", ["out.mp4", "out.mkv", "out.avi"])
@pytest.mark.parametrize("times", TIMES.values(), ids=TIMES.keys())
def test_a_video_is_as_long_as_its_source(tmp_path: Path, times: list[float], name: str, codec: str) -> None:
    write_timed_video(tmp_path / "in.mkv", times)
    source = open_source(tmp_path / "in.mkv")
    sink = AnnotatedVideo.for_source(tmp_path / name, source, codec=codec)
    play(Loop(FakePerception(), FakeReader()), [source], [sink])
    seen = shown(tmp_path / name)
    assert seen[-1][0] == pytest.approx(times[-1] - times[0], abs=0.05, rel=0.02)
    # At every moment of the source the video shows the frame of that moment, or one a twentieth of a second from it.
    for moment in np.arange(0, times[-1] - times[0], 0.1):
        level = [grey for time, grey in seen if time <= moment + 1e-6][-1]
        near = [index for index, time in enumerate(times) if moment - 0.05 <= time - times[0] <= moment + 0.05]
        before = [index for index, time in enumerate(times) if time - times[0] <= moment + 1e-6][-1:]
        assert any(abs(level - 5 - 3 * (index % 80)) < 7 for index in (*near, *before)), (moment, level, near, before)


def test_a_browsers_recording_keeps_its_length(tmp_path: Path, shared: Path) -> None:
    for name, length in [("mediarecorder_real.webm", 6.0), ("vfr.mp4", 6.0)]:
        source = open_source(shared / "cases/video" / name)
        sink = AnnotatedVideo.for_source(tmp_path / "out.mp4", source)
        play(Loop(FakePerception(), FakeReader()), [source], [sink])
        video = cv2.VideoCapture(str(tmp_path / "out.mp4"))
        seconds = video.get(cv2.CAP_PROP_FRAME_COUNT) / video.get(cv2.CAP_PROP_FPS)
        assert seconds == pytest.approx(length, rel=0.05) and 10 < video.get(cv2.CAP_PROP_FPS) < 61


def test_pictures_and_sources_follow_each_other(tmp_path: Path) -> None:
    sink = AnnotatedVideo(tmp_path / "out.mp4", fps=10)
    for source, time in [("a", 0.0), ("a", 0.1), ("a", 0.2), ("b", 0.0), ("b", 0.1), ("c.png", 0.0), ("d.png", 0.0)]:
        sink.write(FrameResult(source, 0, time, 64, 48), blank(value=90))
    sink.close()
    assert [time for time, _ in shown(tmp_path / "out.mp4")] == pytest.approx([index / 10 for index in range(7)])


def test_frames_of_another_size_are_fitted_in(tmp_path: Path) -> None:
    sink = AnnotatedVideo(tmp_path / "out.mp4", fps=10)
    for size in [(65, 49), (128, 48), (30, 90)]:
        sink.write(FrameResult("a", 0, 0.0, *size), blank(*size, value=200))
    sink.close()
    frames, _ = read_back(tmp_path / "out.mp4")
    assert [frame.shape for frame in frames] == [(48, 64, 3)] * 3
    fitted = letterbox(blank(128, 48, 200), (64, 48))
    assert fitted[0].max() == 0 and fitted[24].min() == 200


@pytest.mark.parametrize("codec", ["h264", "mpeg4"])
def test_what_is_read_back_is_what_was_written(tmp_path: Path, codec: str) -> None:
    if codec == "h264":
        pytest.importorskip("av", reason="PyAV is an extra")
    encoder = open_encoder(tmp_path / "a.mp4", 29.97, (64, 48), codec)
    written = [np.full((48, 64, 3), colour, np.uint8) for colour in [(200, 40, 30), (30, 180, 60), (20, 60, 220)]]
    for frame in written:
        encoder.write(frame)
    encoder.close()
    frames, fps = read_back(tmp_path / "a.mp4")
    assert fps == pytest.approx(29.97, abs=0.01) and len(frames) == 3
    for frame, other in zip(frames, written, strict=True):
        assert np.abs(frame.astype(int) - other).mean() < 4


@pytest.mark.parametrize(
    ("installed", "name", "codec", "used"),
    [
        (True, "a.mp4", "auto", "H.264"),
        (True, "a.avi", "auto", "Motion JPEG"),
        (True, "a.mp4", "mpeg4", "MPEG-4"),
        (False, "a.mp4", "auto", "MPEG-4"),
    ],
)
def test_the_codec_is_what_this_machine_can_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installed: bool, name: str, codec: str, used: str
) -> None:
    if installed:
        pytest.importorskip("av", reason="PyAV is an extra")
    monkeypatch.setattr("fewshot.live.sinks.encoders.has_h264", lambda: installed)
    encoder = open_encoder(tmp_path / name, 10, (64, 48), codec)
    assert encoder.codec == used
    encoder.close()


def test_h264_without_pyav_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(OutputError, match="pip install"):
        open_encoder(tmp_path / "a.mp4", 10, (64, 48), "h264")


def test_a_smaller_video_has_its_labels_in_place(tmp_path: Path) -> None:
    one = FrameResult("a", 0, 0.0, 1280, 960, (reading(box=(400.0, 300.0, 800.0, 700.0)),))
    for height, shape in [(480, (480, 640)), (2000, (960, 1280)), (None, (960, 1280))]:
        sink = AnnotatedVideo(tmp_path / f"{height}.avi", fps=10, height=height)
        sink.write(one, blank(1280, 960, value=90))
        sink.close()
        ((frame,), _) = read_back(tmp_path / f"{height}.avi")
        assert frame.shape[:2] == shape
        happy = np.abs(frame.astype(int) - EMOTION_COLOURS["happy"]).sum(axis=2) < 60
        rows, columns = np.nonzero(happy)
        scale = shape[0] / 960
        assert abs(columns.min() - 400 * scale) < 6 and abs(rows.min() - 300 * scale) < 6


@pytest.mark.parametrize("name", ["out.txt", "out", "nowhere/out.mp4"])
def test_videos_that_cannot_be_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputError, match="out"):
        AnnotatedVideo(tmp_path / name, fps=10)


def test_the_source_is_not_written_over(tmp_path: Path) -> None:
    write_video(tmp_path / "in.mp4")
    with pytest.raises(UsageError, match="is the source itself"):
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
