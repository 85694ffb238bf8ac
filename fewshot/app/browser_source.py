"""What a browser sends, as a live source that keeps only the newest frame."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

from fewshot.errors import SourceError
from fewshot.live.sources.base import CapturedFrame
from fewshot.translation import later, together
from fewshot.types import Frame

IDLE = 2.0
"""Seconds without a frame after which a browser counts as lost."""
PATIENCE = 600.0
"""Seconds that a lesson waits for the browser to come back."""
_TICK = 0.2
_numbers = count(1)


class BrowserSource(ABC):
    """A box for one frame. ``push`` is called by the connection and returns at once; the pipeline takes the newest out.

    A frame is decoded only when it is taken, and a frame that was not taken is dropped, so a slow pipeline never holds
    up the connection.

    Args:
        name: what the teacher sees.
        patience: seconds without a frame after which the source ends.
        clock: monotonic seconds.

    Attributes:
        number: distinguishes it from all others of this process.
        closed: no frame will be taken any more.
    """

    live = True
    gives_newest = True
    frames: int | None = None
    never = ""
    """What to do if no frame has ever come."""

    def __init__(self, name: str, patience: float, clock: Callable[[], float]) -> None:
        self.name = name
        self.fps: float | None = None
        self.dropped = 0
        self.received = 0
        self.lost: str | None = None
        self.notes: list[str] = []
        self.number = next(_numbers)
        self.closed = self.taking = False
        self._patience, self._clock = patience, clock
        self._fresh = threading.Condition()
        self._box: tuple[float, Any] | None = None
        self._last = clock()

    @property
    @abstractmethod
    def away(self) -> str | None:
        """A sentence while no picture comes, else None."""

    @abstractmethod
    def _pixels(self, frame: Any) -> Frame | None:
        """A frame that was pushed as BGR uint8, shape (height, width, 3); None if it cannot be decoded."""

    def push(self, frame: Any) -> None:
        """Take in a frame. Never waits, never decodes."""
        with self._fresh:
            self.dropped += self._box is not None
            self.received += 1
            self._last = self._clock()
            self._box = (self._last, frame)
            self._fresh.notify_all()

    @property
    def quiet(self) -> float:
        """Seconds since the last frame; before the first one, since somebody waits for it."""
        return self._clock() - self._last

    def __iter__(self) -> Iterator[CapturedFrame]:
        index, start, last = 0, None, -1.0
        self._last = self._clock()  # what is shared long before the lesson has not been missing so far
        self.taking = True
        while (taken := self._take()) is not None:
            seen, frame = taken
            pixels = self._pixels(frame)
            if pixels is None:
                continue
            start = seen if start is None else start
            last = max(seen - start, last + 1e-3)
            yield CapturedFrame(self.name, index, last, pixels)
            index += 1
        if not self.closed:
            if index == 0:
                raise SourceError(together(later("There was no picture from {name}.", name=self.name), self.never))
            self.lost = later(
                "After {seconds:.0f} s there were no more pictures from {name}.", seconds=max(last, 0), name=self.name
            )

    def interrupt(self) -> None:
        """End the iteration, from any thread."""
        self.close()

    def close(self) -> None:
        """Give out no more frames; a waiting thread is woken."""
        with self._fresh:
            self.closed = True
            self._box = None
            self._fresh.notify_all()

    def _take(self) -> tuple[float, Any] | None:
        """Wait for the newest frame; None if there will not be one."""
        with self._fresh:
            while self._box is None and not self.closed and self._clock() - self._last < self._patience:
                self._fresh.wait(_TICK)
            taken, self._box = self._box, None
            return None if self.closed else taken
