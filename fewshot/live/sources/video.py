"""A video file: every frame, in order, with its presentation time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2

from fewshot.errors import SourceError
from fewshot.live.sources.base import CapturedFrame
from fewshot.live.sources.capture import count, open_file, rate
from fewshot.types import Frame


class Clock:
    """Presentation times that grow strictly, whatever the container says.

    Containers without time stamps say 0 for every frame, and joined files start again in the middle. There a frame
    lasts 1/fps, and later stamps count from there.
    """

    def __init__(self, fps: float) -> None:
        self._step, self._offset, self._last = 1 / fps, 0.0, -1.0

    def tell(self, stamp: float) -> float:
        """Seconds of the next frame, given the container's own ``stamp`` in seconds."""
        time = stamp + self._offset
        if self._last < 0:
            time = max(time, 0.0)
        elif time <= self._last:
            time = self._last + self._step
            self._offset = time - stamp
        self._last = time
        return time


class VideoSource:
    """Frames of a video file (or of a file behind an HTTP address), none dropped.

    When the frame size changes in the middle (recordings of WebRTC calls do that), OpenCV scales later frames to the
    size of the first, stretched if need be, and does not tell. ``ffmpeg -i in.webm out.mp4`` beforehand helps.

    Raises:
        SourceError: it cannot be opened, or has no picture in it.
    """

    live = False

    def __init__(self, path: Path, name: str | None = None, capture: cv2.VideoCapture | None = None) -> None:
        self.name = name or str(path)
        if capture is None:
            if path.stat().st_size == 0:
                raise SourceError(f"{self.name} is empty (0 bytes). Copy it again from where it came from.")
            capture = open_file(path)
        self._capture = capture
        self._first: Frame | None = self._read()
        if self._first is None:
            opened = self._capture.isOpened()
            self.close()
            what = "has no readable picture in it" if opened else "is not a video, or is cut off before its index"
            raise SourceError(f"{self.name} {what}. Check that a video player plays it, or copy it again.")
        self._known_rate, self.frames = rate(capture), count(capture)
        self.fps: float | None = self._known_rate or 25.0
        self.dropped = 0
        self.lost: str | None = None
        self.notes: list[str] = []

    def __iter__(self) -> Iterator[CapturedFrame]:
        clock, index = Clock(self.fps or 25.0), 0
        frame, self._first = self._first, None
        while frame is not None:
            stamp = float(self._capture.get(cv2.CAP_PROP_POS_MSEC)) / 1000
            yield CapturedFrame(self.name, index, clock.tell(stamp), frame)
            index += 1
            frame = self._read()
        self._look_back(index)

    def close(self) -> None:
        self._capture.release()

    def _read(self) -> Frame | None:
        good, frame = self._capture.read()
        return frame if good and frame is not None and frame.size else None

    def _look_back(self, read: int) -> None:
        # Edit lists and odd containers make the count a few frames too large; a cut file lacks many.
        if self.frames is not None and read < self.frames - max(3, 0.05 * self.frames):
            self.lost = (
                f"{self.name} ended after {read} of {self.frames} frames: the file is cut off or damaged. "
                "All frames before that were read."
            )
