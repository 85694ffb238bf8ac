"""Time that never runs backwards, whatever a camera's or a file's clock does."""

from __future__ import annotations

import math

_STEP = 1 / 25
"""Seconds between two frames where nothing better is known."""


class SteadyClock:
    """Turns the stamps of one source into times that grow.

    A stamp that is not later than the one before (a clock set back, a stream that starts again, nonsense) counts as one
    usual step later, and the stamps after it count from there. A jump forward is taken as it is: the camera may have
    slept, and whoever was in view then may be gone.
    """

    def __init__(self) -> None:
        self._last: float | None = None
        self._offset, self._step = 0.0, _STEP

    def tell(self, stamp: float) -> float:
        """Seconds, later than all before, given the source's own ``stamp`` in seconds."""
        time = stamp + self._offset
        if self._last is None:
            time = time if math.isfinite(time) else 0.0
        elif not (math.isfinite(time) and time > self._last):
            time = self._last + self._step
            self._offset = time - stamp if math.isfinite(stamp) else self._offset
        elif time - self._last < 1.0:
            self._step += 0.1 * (time - self._last - self._step)
        self._last = time
        return time
