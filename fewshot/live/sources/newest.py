"""Cameras and streams: a thread empties the device, and whoever asks gets the newest frame."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

from fewshot.errors import SourceError
from fewshot.live.sources.base import CapturedFrame
from fewshot.types import Frame

_TICK = 0.2  # On Windows a lock that is waited for cannot be interrupted by Ctrl-C: wait in slices.


class NewestFrames:
    """The newest frame of a device that does not wait; those nobody had time for are counted, never queued.

    Args:
        name: what the user typed.
        read: gives the next frame (waiting for it), or None when the device is gone. Runs in a thread of its own.
        release: called in that thread when all is over.
        fps: what the device promises, if it does.
        patience: seconds without a frame after which the device counts as lost.
        clock: seconds, monotone.

    Raises:
        SourceError: no first frame comes.
    """

    live = True
    frames: int | None = None

    def __init__(
        self,
        name: str,
        read: Callable[[], Frame | None],
        release: Callable[[], None],
        fps: float | None = None,
        patience: float = 12.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name, self.fps = name, fps
        self.dropped = 0
        self.lost: str | None = None
        self.notes: list[str] = []
        self._read, self._release, self._clock, self._patience = read, release, clock, patience
        self._fresh = threading.Condition()
        self._newest: tuple[float, Frame] | None = None
        self._ended = self._closing = False
        # A daemon: a driver that hangs in its read must not keep the program from ending.
        self._thread = threading.Thread(target=self._empty_device, name=f"source {name}", daemon=True)
        self._thread.start()
        if not self._wait():
            self.close()
            raise SourceError(
                f"{name} was opened but gives no picture. Close other programs that use it, and check that this "
                "program may use it."
            )

    def __iter__(self) -> Iterator[CapturedFrame]:
        self.dropped = 0  # what came while models were loaded was not missed
        index, start, last = 0, None, -1.0
        while self._wait():
            with self._fresh:
                if self._newest is None:
                    continue
                (seen, frame), self._newest = self._newest, None
            start = seen if start is None else start
            last = max(seen - start, last + 1e-3)  # clocks of some systems tick 64 times a second
            yield CapturedFrame(self.name, index, last, frame)
            index += 1
        if not self._closing:
            self.lost = f"{self.name} gave no more pictures after {max(last, 0):.1f} s ({index} frames)."

    def interrupt(self) -> None:
        """End the iteration, from any thread."""
        with self._fresh:
            self._closing = True
            self._fresh.notify_all()

    def close(self) -> None:
        self.interrupt()
        self._thread.join(timeout=2.0)

    def _wait(self) -> bool:
        """Wait for a frame; False when none will come."""
        deadline = self._clock() + self._patience
        with self._fresh:
            while self._newest is None and not self._ended and not self._closing and self._clock() < deadline:
                self._fresh.wait(_TICK)
            return self._newest is not None and not self._closing

    def _empty_device(self) -> None:
        try:
            while not self._closing and (frame := self._read()) is not None:
                with self._fresh:
                    self.dropped += self._newest is not None
                    self._newest = (self._clock(), frame)
                    self._fresh.notify_all()
        finally:
            with self._fresh:
                self._ended = True
                self._fresh.notify_all()
            # In this thread: releasing a capture while another thread reads from it crashes OpenCV.
            self._release()
