"""Live sources: the newest frame wins, the others are counted, and a lost camera ends the loop."""

from __future__ import annotations

import threading
from queue import SimpleQueue
from types import SimpleNamespace

import cv2
import pytest
from live_fakes import blank

from fewshot.errors import SourceError
from fewshot.live.sources.cameras import _newest
from fewshot.live.sources.newest import NewestFrames
from fewshot.types import Frame


class Camera:
    """Gives frames when the test says so."""

    def __init__(self) -> None:
        self.frames: SimpleQueue[Frame | None] = SimpleQueue()
        self.asked = threading.Semaphore(0)
        self.released = threading.Event()
        self.grabbed: Frame | None = None
        self.converted: list[int] = []

    def grab(self) -> bool:
        self.asked.release()  # only now has the frame before been taken over
        self.grabbed = self.frames.get(timeout=10)
        return self.grabbed is not None

    def retrieve(self) -> Frame | None:
        assert self.grabbed is not None
        self.converted.append(int(self.grabbed.max()))
        return self.grabbed

    def give(self, *frames: Frame | None) -> None:
        for frame in frames:
            self.frames.put(frame)
            if frame is not None:
                assert self.asked.acquire(timeout=10)


def opened(camera: Camera, **options: object) -> NewestFrames:
    camera.frames.put(blank())
    source = NewestFrames("camera 0", camera.grab, camera.retrieve, camera.released.set, **options)
    for _ in range(2):  # asked for the first frame, got it, asks for the next
        assert camera.asked.acquire(timeout=10)
    return source


def test_the_newest_frame_wins_and_others_are_counted() -> None:
    camera = Camera()
    source = opened(camera)
    taken = iter(source)
    assert next(taken).index == 0
    camera.give(blank(value=1), blank(value=2), blank(value=3))
    captured = next(taken)
    assert captured.index == 1 and captured.frame.max() == 3 and captured.time > 0
    assert source.dropped == 2 and source.live
    camera.frames.put(None)
    source.close()
    assert camera.released.wait(10)


def test_frames_before_the_first_look_are_not_counted_as_dropped() -> None:
    camera = Camera()
    source = opened(camera)
    camera.give(blank(value=1), blank(value=2))
    captured = next(iter(source))
    assert (captured.frame.max(), captured.time, source.dropped) == (2, 0.0, 0)
    camera.frames.put(None)
    source.close()


def test_a_lost_camera_ends_the_loop_with_a_note() -> None:
    camera = Camera()
    source = opened(camera)
    camera.frames.put(None)
    taken = list(source)
    assert len(taken) == 1
    assert source.lost and "camera 0 gave no more pictures" in source.lost and "(1 frame)" in source.lost
    assert camera.released.wait(10)


def test_a_camera_without_a_picture_cannot_be_opened() -> None:
    camera = Camera()
    camera.frames.put(None)
    with pytest.raises(SourceError, match="gives no picture"):
        NewestFrames("camera 0", camera.grab, camera.retrieve, camera.released.set)
    assert camera.released.wait(10)


def test_a_silent_camera_counts_as_lost() -> None:
    camera = Camera()
    now = iter(range(0, 10_000, 5))
    source = opened(camera, patience=12.0, clock=lambda: float(next(now)))
    assert len(list(source)) == 1 and source.lost
    camera.frames.put(None)
    source.close()


def test_closing_is_no_loss() -> None:
    camera = Camera()
    source = opened(camera)
    taken = iter(source)
    next(taken)
    camera.frames.put(None)
    source.close()
    assert list(taken) == [] and source.lost is None


def test_frames_that_nobody_needs_are_counted_and_not_converted() -> None:
    camera, now = Camera(), [0.0]
    source = opened(camera, clock=lambda: now[0])
    taken = iter(source)
    assert next(taken).time == 0.0
    source.leave_out(0.1)
    for number, now[0] in enumerate((0.04, 0.08), 1):
        camera.give(blank(value=number))
    now[0] = 0.12
    camera.give(blank(value=3))
    captured = next(taken)
    assert (captured.time, captured.frame.max(), source.dropped) == (0.12, 3, 2)
    assert camera.converted[1:] == [3]
    now[0] = 0.16  # it holds once
    camera.give(blank(value=4))
    assert next(taken).frame.max() == 4
    camera.frames.put(None)
    source.close()


@pytest.mark.parametrize("broken", ["grab", "retrieve"])
def test_a_driver_that_fails_is_a_camera_without_a_picture(broken: str) -> None:
    released = threading.Event()

    def call(name: str) -> tuple[bool, Frame]:
        if name == broken:
            raise cv2.error("the cable is gone")
        return True, blank()

    capture = SimpleNamespace(
        get=lambda key: 0.0, grab=lambda: call("grab")[0], retrieve=lambda: call("retrieve"), release=released.set
    )
    with pytest.raises(SourceError, match="gives no picture"):
        _newest("camera 0", capture)
    assert released.wait(10)
