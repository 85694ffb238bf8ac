"""Frames that a client sends, as a source: every frame that was taken is processed, and none is taken without room."""

from __future__ import annotations

import io
import math
import queue
import threading
import time
from collections.abc import Callable, Iterator

import cv2
import numpy as np
from PIL import Image

from fewshot.errors import UsageError
from fewshot.live.sources.base import CapturedFrame
from fewshot.translation import later
from fewshot.types import Frame

MOST_BYTES = 4_000_000
"""Of one frame."""
MOST_PIXELS = 9_000_000
"""Of one frame: 4K has 8.3 million."""
FORMATS = ("JPEG", "WEBP")
_TICK = 0.2


def decoded(data: bytes) -> Frame:
    """The frame in a JPEG or WebP file.

    Returns:
        BGR uint8, shape (height, width, 3).

    Raises:
        UsageError: it is another file, damaged, or too large; its size is known before it is decoded.
    """
    if len(data) > MOST_BYTES:
        raise UsageError(
            later("A frame has {bytes} bytes. Send at most {most} MB.", bytes=len(data), most=MOST_BYTES // 1_000_000)
        )
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            width, height = image.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise UsageError(later("A frame is not a JPEG or WebP picture. Send one of these.")) from error
    if width * height > MOST_PIXELS:
        raise UsageError(
            later(
                "A frame has {width}x{height} pixels. Send at most {most} million.",
                width=width,
                height=height,
                most=MOST_PIXELS // 1_000_000,
            )
        )
    frame = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if frame is None:
        raise UsageError(later("A frame is damaged. Send a JPEG or WebP picture."))
    return np.asarray(frame, np.uint8)


class Feed:
    """A source whose frames are put in from another thread.

    Args:
        name: of the source, as in the records.
        room: how many frames may wait or be worked on; more are not taken.
        clock: monotonic seconds.
    """

    live = False  # what was taken is processed: the client was told how much it may send
    fps: float | None = None
    frames: int | None = None

    def __init__(self, name: str, room: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.name, self._room, self._clock = name, room, clock
        self.dropped = 0
        self.lost: str | None = None
        self.notes: list[str] = []
        self._waiting: queue.Queue[CapturedFrame] = queue.Queue()
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._under_way, self._index = 0, 0
        self._start: float | None = None
        self._last = -1.0

    def reserve(self) -> bool:
        """Take a place for a frame; False if there is none, then the frame is not taken."""
        with self._lock:
            if self._under_way >= self._room:
                self.dropped += 1
                return False
            self._under_way += 1
            return True

    def release(self) -> None:
        """A frame is done, or was not used: its place is free."""
        with self._lock:
            self._under_way -= 1

    def put(self, frame: Frame, at: float | None = None) -> None:
        """Give a frame to the loop. Its place must have been reserved.

        Args:
            frame: BGR uint8, shape (height, width, 3).
            at: seconds since the start of what is shown, later than the frame before; None is the time of arrival.

        Raises:
            UsageError: the time is not later than the time of the frame before, or is no time.
        """
        now = self._clock()
        self._start = now if self._start is None else self._start
        seconds = max(now - self._start, self._last + 1e-3) if at is None else at
        if not (math.isfinite(seconds) and 0 <= seconds <= 1e6 and seconds > self._last):
            raise UsageError(f"A frame has the time {seconds:g} s after one of {self._last:g} s. Send later times.")
        self._last = seconds
        self._waiting.put(CapturedFrame(self.name, self._index, seconds, frame))
        self._index += 1

    def __iter__(self) -> Iterator[CapturedFrame]:
        while True:
            try:
                yield self._waiting.get(timeout=_TICK)
            except queue.Empty:
                if self._ended.is_set():
                    return

    def end(self) -> None:
        """No more frames will come; those that were taken are still processed."""
        self._ended.set()

    def interrupt(self) -> None:
        """End the iteration, from any thread."""
        self.end()

    def close(self) -> None:
        """Nothing is held open."""
        self.end()
