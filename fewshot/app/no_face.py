"""Notices that pictures come with nobody in them: a covered window, a call without gallery view, a dark room."""

from __future__ import annotations

from fewshot.translation import tr
from fewshot.types import Frame, FrameResult

AFTER = 15.0
"""Seconds without a face after which the teacher is asked."""


class NoFace:
    """A sink of a lesson's results. Threads may share it: one writes, pages read.

    Args:
        call: the pictures show a window or a screen.
    """

    def __init__(self, call: bool) -> None:
        self._call = call
        self._since: float | None = None
        self._now = 0.0

    def write(self, result: FrameResult, _frame: Frame | None = None) -> None:
        """Note whether a frame has a face."""
        if result.readings:
            self._since = None
        elif self._since is None:
            self._since = result.time
        self._now = result.time

    def close(self) -> None:
        """Nothing is held open."""

    @property
    def words(self) -> str | None:
        """A question for the teacher, or None."""
        since = self._since
        if since is None or self._now - since < AFTER:
            return None
        seconds = f"{self._now - since:.0f}"
        if self._call:
            return tr(
                "No face for {seconds} s. Is the call in gallery view, and its window not covered or minimised?",
                seconds=seconds,
            )
        return tr("No face for {seconds} s. Is somebody in the picture, and is there enough light?", seconds=seconds)
