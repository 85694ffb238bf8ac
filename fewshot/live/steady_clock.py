"""Times that only grow, whatever a source says."""

from __future__ import annotations

import math

_STEP = 1 / 25
"""Seconds between two frames as long as the real value is not known."""


class SteadyClock:
    """Turns the time stamps of one source into strictly increasing times.

    A stamp may not be later than the one before (a clock was set back, a stream started again, joined files start again
    in the middle, a container without time stamps gives 0 for every frame, an invalid value). It then counts as one
    usual step later, and later stamps continue from there. A jump forward is kept: the camera may have slept, and the
    people in view may have changed.

    Args:
        step: seconds between two frames, if the source says so; None learns it from the stamps.
    """

    def __init__(self, step: float | None = None) -> None:
        self._last: float | None = None
        self._offset, self._step, self._learns = 0.0, step or _STEP, step is None

    def tell(self, stamp: float) -> float:
        """The time of a frame in seconds, later than all before; ``stamp`` is the source's own time in seconds."""
        time = stamp + self._offset
        if self._last is None:
            time = time if math.isfinite(time) else 0.0
        elif not (math.isfinite(time) and time > self._last):
            time = self._last + self._step
            self._offset = time - stamp if math.isfinite(stamp) else self._offset
        elif self._learns and time - self._last < 1.0:
            self._step += 0.1 * (time - self._last - self._step)
        self._last = time
        return time
