"""The position of a frame on the time axis of a run."""

from __future__ import annotations

from fewshot.types import FrameResult


class TimeAxis:
    """Puts sources one after the other; a picture, which has no time, takes one second.

    Attributes:
        end: seconds, including the length of the last frame; 0 before the first.
    """

    def __init__(self) -> None:
        self._source: str | None = None
        self._base, self._last, self._step = 0.0, 0.0, 1.0

    @property
    def end(self) -> float:
        """Seconds to the end of the latest frame; 0 before the first."""
        return self._base + self._last + self._step if self._source is not None else 0.0

    def place(self, result: FrameResult) -> float:
        """Seconds since the start of the run; they never decrease."""
        if self._source is not None and (result.source != self._source or result.time < self._last):
            self._base += self._last + self._step
            self._last, self._step = 0.0, 1.0
        elif result.time > self._last:
            self._step = min(1.0, result.time - self._last)
        self._source, self._last = result.source, result.time
        return self._base + result.time
