"""Sources and sinks that misbehave as cameras, clocks and disks do."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence

import cv2
import numpy as np

from fewshot.live.sources import CapturedFrame
from fewshot.types import Frame, FrameResult


class FrameLoop:
    """Frames of a video file, again and again, without keeping them."""

    def __init__(self, path: str) -> None:
        self._path, self._capture = path, cv2.VideoCapture(path)

    def __call__(self) -> Frame:
        good, frame = self._capture.read()
        if not good:
            self._capture.release()
            self._capture = cv2.VideoCapture(self._path)
            good, frame = self._capture.read()
        return np.asarray(frame, np.uint8)


class Cable:
    """A camera's cable: pulled after so many frames, and back after so many tries to open the camera.

    ``open`` stands in for ``cv2.VideoCapture(0)`` and gives a device with its methods.

    Args:
        frames: gives the camera's pictures.
        pulled_after: frames of the first device.
        tries: openings that fail before one succeeds.
        throws: the driver raises when the cable is pulled, as some do, instead of giving no frame.
        fps: of the camera, by the real clock.
    """

    def __init__(
        self, frames: Callable[[], Frame], pulled_after: int, tries: int, throws: bool = False, fps: float = 25.0
    ) -> None:
        self.frames, self.left, self.tries, self.throws, self.fps = frames, pulled_after, tries, throws, fps
        self.opened = self.released = 0

    def open(self, *_: object) -> CableCamera:
        """What the operating system answers."""
        self.opened += 1
        if self.opened == 1:
            return CableCamera(self, True)
        self.tries -= 1
        if self.tries < 0:
            self.left = 1 << 30
        return CableCamera(self, self.tries < 0)


class CableCamera:
    """``cv2.VideoCapture`` of a camera on a ``Cable``."""

    def __init__(self, cable: Cable, opens: bool) -> None:
        self._cable, self._opens = cable, opens
        self._next = time.monotonic()

    def isOpened(self) -> bool:  # OpenCV's name
        """As OpenCV's: whether the camera answered."""
        return self._opens

    def read(self) -> tuple[bool, Frame | None]:
        """As OpenCV's: the next frame at the camera's pace, or that there is none."""
        cable = self._cable
        if cable.left <= 0:
            if cable.throws:
                raise cv2.error("select() timeout")
            return False, None
        cable.left -= 1
        self._next = max(self._next + 1 / cable.fps, time.monotonic() - 0.2)
        time.sleep(max(0.0, self._next - time.monotonic()))
        return True, cable.frames()

    def get(self, what: int) -> float:
        """As OpenCV's: the frame rate; -1 for anything else."""
        return {cv2.CAP_PROP_FPS: self._cable.fps}.get(what, -1.0)

    def release(self) -> None:
        """As OpenCV's; the cable counts it."""
        self._cable.released += self._opens


class Scripted:
    """A source of taken that somebody wrote down: any times, any sizes.

    Args:
        taken: (seconds, frame), in the order in which they come.
        fails: raised at the end instead of ending.
    """

    live = False
    fps: float | None = 25.0
    frames: int | None = None

    def __init__(self, taken: Iterable[tuple[float, Frame]], fails: Exception | None = None) -> None:
        self.name = "scripted"
        self.dropped, self.closed = 0, 0
        self.lost: str | None = None
        self.notes: list[str] = []
        self._captured, self._fails = taken, fails

    def __iter__(self) -> Iterator[CapturedFrame]:
        for index, (seconds, frame) in enumerate(self._captured):
            yield CapturedFrame(self.name, index, seconds, frame)
        if self._fails is not None:
            raise self._fails

    def close(self) -> None:
        """Counts how often it was closed."""
        self.closed += 1


class Slow:
    """A sink that takes its time, or fails.

    Args:
        seconds: that every frame takes.
        fails_after: frames after which it raises ``error``.
    """

    def __init__(self, seconds: float = 0.0, fails_after: int | None = None, error: Exception | None = None) -> None:
        self.seconds, self.fails_after, self.error = seconds, fails_after, error
        self.indices: list[int] = []

    def write(self, result: FrameResult, _frame: Frame) -> None:
        """Take a result, slowly, or raise ``error``."""
        if self.error is not None and len(self.indices) == self.fails_after:
            raise self.error
        time.sleep(self.seconds)
        self.indices.append(result.index)

    def close(self) -> None:
        """Nothing is held open."""


def named(results: Sequence[FrameResult]) -> list[set[str]]:
    """Who was named in each frame."""
    return [{reading.student for reading in result.readings if reading.student} for result in results]
