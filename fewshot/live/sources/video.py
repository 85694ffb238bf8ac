"""A video file: every frame, in order, with its presentation time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2

from fewshot.errors import SourceError
from fewshot.live.sources.base import CapturedFrame
from fewshot.live.sources.capture import codec_of, count, measured_rate, open_file, rate
from fewshot.live.sources.decoding import Decoder, open_decoder
from fewshot.live.sources.ending import is_cut
from fewshot.live.steady_clock import SteadyClock
from fewshot.translation import later, together

_TEXT = "ansi"
"""The codec as which ffmpeg draws the letters of a text file."""


class VideoSource:
    """All frames of a video file (or of a file at an HTTP address); none is dropped.

    Every frame has the size that it has in the file, and square pixels: the size may change, as in recordings of calls.
    Without PyAV (the extra ``video``), OpenCV stretches later frames to the size of the first. ``notes`` say so if the
    codec is VP8, VP9, H.264 or Motion JPEG.

    Raises:
        SourceError: the file cannot be opened, or contains no picture.
    """

    live = False

    def __init__(self, path: Path, name: str | None = None, capture: cv2.VideoCapture | None = None) -> None:
        self.name = name or str(path)
        local = capture is None
        if capture is None:
            if path.stat().st_size == 0:
                raise SourceError(
                    later("{name} is empty (0 bytes). Copy the file again from the original.", name=self.name)
                )
            capture = open_file(path)
        opened = capture.isOpened()
        if opened and codec_of(capture) == _TEXT:
            capture.release()
            raise SourceError(later("{name} is a text, not a video. Give a video, or a picture.", name=self.name))
        named, self.frames = rate(capture), count(capture)
        self._path = path if local else None
        self._seconds = (self.frames or 0) / (named or 25.0)
        self._decoder: Decoder = open_decoder(path, capture, local and opened)
        self._first = self._decoder.read()
        if self._first is None:
            self.close()
            if opened:
                what = later("{name} contains no readable picture.", name=self.name)
            else:
                what = later("{name} is not a video, or its end is missing.", name=self.name)
            raise SourceError(together(what, later("Check that a video player can play it, or copy it again.")))
        self.fps: float | None = (measured_rate(path, named) if local else named) or 25.0
        self.dropped = 0
        self.lost: str | None = None
        self.notes: list[str] = []

    def __iter__(self) -> Iterator[CapturedFrame]:
        clock, index, time = SteadyClock(1 / (self.fps or 25.0)), 0, 0.0
        found, self._first = self._first, None
        while found is not None:
            frame, stamp = found
            # Some containers count from below 0; the first frame is then at 0.
            time = clock.tell(stamp if index else max(stamp, 0.0))
            self._watch_size(time)
            yield CapturedFrame(self.name, index, time, frame)
            index += 1
            found = self._decoder.read()
        self._look_back(index, time)

    def close(self) -> None:
        """Close the file."""
        self._decoder.close()

    def _watch_size(self, time: float) -> None:
        if self.notes or self._decoder.stretched is None:
            return
        first, second = ("x".join(map(str, size)) for size in self._decoder.stretched)
        self.notes.append(
            later(
                "{name} changes its picture size from {first} to {second} after {time:.1f} s. Without the package "
                "av (PyAV) the pictures after that are stretched to the first size, so they cannot be read "
                "rightly. Install this package, and process the video again.",
                name=self.name,
                first=first,
                second=second,
                time=time,
            )
        )

    def _look_back(self, read: int, last: float) -> None:
        if is_cut(self._path, read, self.frames, self._seconds, last):
            self.lost = later(
                "{name} ended after {number} of {all} frames: the file is cut off or damaged. All frames "
                "before that were processed.",
                name=self.name,
                number=read,
                all=self.frames,
            )
