"""A recording played like a camera: in real time, so that a slow reader misses frames."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

from fewshot.live.sources.base import CapturedFrame, Source


class Paced:
    """Gives out every frame of a source at its time. It counts as live: a slow reader misses frames.

    Args:
        source: a file.
        clock: monotonic clock, seconds.
        wait: waits for the given number of seconds, or until the event is set; for tests.
    """

    live = True

    def __init__(
        self,
        source: Source,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[threading.Event, float], object] = threading.Event.wait,
    ) -> None:
        self.name, self.fps, self.frames = source.name, source.fps, source.frames
        self.dropped = 0
        self._source, self._clock, self._wait = source, clock, wait
        self._ending = threading.Event()

    @property
    def lost(self) -> str | None:
        """Why the source ended too early; None if it did not."""
        return self._source.lost

    @property
    def notes(self) -> list[str]:
        """Notes for the user so far."""
        return self._source.notes

    def __iter__(self) -> Iterator[CapturedFrame]:
        start: float | None = None
        for captured in self._source:
            start = self._clock() - captured.time if start is None else start
            early = start + captured.time - self._clock()
            if early > 0:
                self._wait(self._ending, early)
            if self._ending.is_set():
                return
            yield captured

    def interrupt(self) -> None:
        """End the iteration, from any thread."""
        self._ending.set()

    def close(self) -> None:
        """Stop waiting, and close the source."""
        self._ending.set()
        self._source.close()
