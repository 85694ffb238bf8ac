"""The position of a frame on the time axis of a run."""

from __future__ import annotations

from fewshot.types import FrameResult


class TimeAxis:
    """Puts sources one after the other; a picture, which has no time, takes one second.

    Args:
        start: where the first frame is placed, whatever its own time is; None keeps the frame's time.
        length: what ``end`` is before the first frame, seconds.

    Attributes:
        end: seconds, including the length of the last frame; ``length`` before the first.
    """

    def __init__(self, start: float | None = None, length: float = 0.0) -> None:
        self._source: str | None = None
        self._base, self._last, self._step = start or 0.0, 0.0, 1.0
        self._zero: float | None = 0.0 if start is None else None  # the source's time at which the axis begins
        self._length = length

    @property
    def end(self) -> float:
        """Seconds to the end of the latest frame; ``length`` before the first."""
        return self._base + self._last + self._step if self._source is not None else self._length

    def place(self, result: FrameResult) -> float:
        """Seconds since the start of the run; they never decrease."""
        if self._zero is None:
            self._zero = result.time
        time = result.time - self._zero
        if self._source is not None and (result.source != self._source or time < self._last):
            self._base += self._last + self._step
            self._last, self._step, self._zero = 0.0, 1.0, 0.0
            time = result.time
        elif time > self._last:
            self._step = min(1.0, time - self._last)
        self._source, self._last = result.source, time
        return self._base + time
