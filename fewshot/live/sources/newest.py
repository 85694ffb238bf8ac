"""Cameras and streams: a thread reads the device without a pause, and the reader gets the newest frame."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator

from fewshot.errors import SourceError
from fewshot.live.sources.base import CapturedFrame
from fewshot.translation import later, later_n
from fewshot.types import Frame

_TICK = 0.2  # Seconds. On Windows Ctrl-C cannot interrupt a thread that waits for a lock, so waits are split.


class NewestFrames:
    """The newest frame of a device that does not wait; older frames are dropped and counted, never queued.

    Args:
        name: what the user typed.
        grab: waits for the next frame; False if the device is gone. Called in a separate thread.
        retrieve: returns the frame that was grabbed, or None if the device is gone. Called in that thread.
        release: called in that thread at the end.
        fps: frame rate reported by the device; None if unknown.
        patience: seconds without a frame after which the device counts as lost.
        clock: monotonic clock, seconds.

    Raises:
        SourceError: the device delivers no frame.
    """

    live = True
    gives_newest = True
    frames: int | None = None

    def __init__(
        self,
        name: str,
        grab: Callable[[], bool],
        retrieve: Callable[[], Frame | None],
        release: Callable[[], None],
        fps: float | None = None,
        patience: float = 12.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name, self.fps = name, fps
        self.dropped = 0
        self.lost: str | None = None
        self.notes: list[str] = []
        self._grab, self._retrieve, self._release = grab, retrieve, release
        self._clock, self._patience = clock, patience
        self._latest = self._needed = -math.inf
        self._fresh = threading.Condition()
        self._newest: tuple[float, Frame] | None = None
        self._ended = self._closing = False
        # A daemon, because a driver that hangs while reading must not prevent the program from ending.
        self._thread = threading.Thread(target=self._empty_device, name=f"source {name}", daemon=True)
        self._thread.start()
        if not self._wait():
            self.close()
            raise SourceError(
                later(
                    "{name} was opened but gives no picture. Close other programs that use it, and allow access to "
                    "it in the system's privacy settings.",
                    name=name,
                )
            )

    def __iter__(self) -> Iterator[CapturedFrame]:
        self.dropped = 0  # frames that came while models were loaded do not count
        index, start, last = 0, None, -1.0
        while self._wait():
            with self._fresh:
                if self._newest is None:
                    continue
                (seen, frame), self._newest = self._newest, None
            self._latest = seen
            start = seen if start is None else start
            last = max(seen - start, last + 1e-3)  # some systems' clocks tick only 64 times per second
            yield CapturedFrame(self.name, index, last, frame)
            index += 1
        if not self._closing:
            self.lost = later_n(
                "{name} gave no more pictures after {seconds:.1f} s ({number} frame).",
                "{name} gave no more pictures after {seconds:.1f} s ({number} frames).",
                index,
                name=self.name,
                seconds=max(last, 0),
            )

    def leave_out(self, seconds: float) -> None:
        """Frames that come less than so many seconds after the latest one are counted as dropped, and not converted."""
        self._needed = self._latest + seconds

    def interrupt(self) -> None:
        """End the iteration, from any thread."""
        with self._fresh:
            self._closing = True
            self._fresh.notify_all()

    def close(self) -> None:
        """Stop reading; waits up to 2 seconds for the thread."""
        self.interrupt()
        self._thread.join(timeout=2.0)

    def _wait(self) -> bool:
        """Wait for a frame; False if no frame will come."""
        deadline = self._clock() + self._patience
        with self._fresh:
            while self._newest is None and not self._ended and not self._closing and self._clock() < deadline:
                self._fresh.wait(_TICK)
            return self._newest is not None and not self._closing

    def _empty_device(self) -> None:
        try:
            while not self._closing and self._grab():
                seen = self._clock()
                if seen < self._needed:
                    self.dropped += 1
                    continue
                frame = self._retrieve()
                if frame is None:
                    break
                with self._fresh:
                    self.dropped += self._newest is not None
                    self._newest = (seen, frame)
                    self._fresh.notify_all()
        finally:
            with self._fresh:
                self._ended = True
                self._fresh.notify_all()
            # In this thread: releasing a capture while another thread reads from it crashes OpenCV.
            self._release()
