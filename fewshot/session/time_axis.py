"""Where on the time axis of a run a frame lies."""

from __future__ import annotations

from fewshot.types import FrameResult


class TimeAxis:
    """Lays sources end to end; pictures, which have no time, take one second each.

    Attributes:
        end: seconds, the last frame's own length included; 0 before the first.
    """

    def __init__(self) -> None:
        self._source: str | None = None
        self._base, self._last, self._step = 0.0, 0.0, 1.0

    @property
    def end(self) -> float:
        """Seconds to the end of the latest frame; 0 before the first."""
        return self._base + self._last + self._step if self._source is not None else 0.0

    def place(self, result: FrameResult) -> float:
        """Seconds since the start of the run; never less than for the frame before."""
        if self._source is not None and (result.source != self._source or result.time < self._last):
            self._base += self._last + self._step
            self._last, self._step = 0.0, 1.0
        elif result.time > self._last:
            self._step = min(1.0, result.time - self._last)
        self._source, self._last = result.source, result.time
        return self._base + result.time
