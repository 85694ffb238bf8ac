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
    """Strictly increasing presentation times, even if the time stamps of the container are wrong.

    Containers without time stamps give 0 for every frame, and joined files start again in the middle. In these cases a
    frame lasts 1/fps, and later stamps continue from there.
    """

    def __init__(self, fps: float) -> None:
        self._step, self._offset, self._last = 1 / fps, 0.0, -1.0

    def tell(self, stamp: float) -> float:
        """Time of the next frame in seconds; ``stamp`` is the container's own time in seconds."""
        time = stamp + self._offset
        if self._last < 0:
            time = max(time, 0.0)
        elif time <= self._last:
            time = self._last + self._step
            self._offset = time - stamp
        self._last = time
        return time


class VideoSource:
    """All frames of a video file (or of a file at an HTTP address); none is dropped.

    If the frame size changes in the middle, as in recordings of WebRTC calls, OpenCV silently scales or stretches later
    frames to the size of the first. Converting the file first helps: ``ffmpeg -i in.webm out.mp4``.

    Raises:
        SourceError: the file cannot be opened, or contains no picture.
    """

    live = False

    def __init__(self, path: Path, name: str | None = None, capture: cv2.VideoCapture | None = None) -> None:
        self.name = name or str(path)
        if capture is None:
            if path.stat().st_size == 0:
                raise SourceError(f"{self.name} is empty (0 bytes). Copy the file again from the original.")
            capture = open_file(path)
        self._capture = capture
        self._first: Frame | None = self._read()
        if self._first is None:
            opened = self._capture.isOpened()
            self.close()
            what = "contains no readable picture" if opened else "is not a video, or its end is missing"
            raise SourceError(f"{self.name} {what}. Check that a video player can play it, or copy it again.")
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
        """Close the file."""
        self._capture.release()

    def _read(self) -> Frame | None:
        good, frame = self._capture.read()
        return frame if good and frame is not None and frame.size else None

    def _look_back(self, read: int) -> None:
        # Edit lists and unusual containers make the count a few frames too large; in a cut file many are missing.
        if self.frames is not None and read < self.frames - max(3, 0.05 * self.frames):
            self.lost = (
                f"{self.name} ended after {read} of {self.frames} frames: the file is cut off or damaged. "
                "All frames before that were processed."
            )
