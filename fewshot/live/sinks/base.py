"""What every sink can do."""

from __future__ import annotations

from typing import Protocol

from fewshot.errors import FewshotError
from fewshot.types import Frame, FrameResult


class Sink(Protocol):
    """Takes every frame's result. ``close`` may be called more than once, and after a failed ``write``.

    A sink that somebody looks at (a window) has an attribute ``display`` that is true: it is written to in the main
    thread, which windows demand, and of a live source it gets the newest result whenever it is ready for one. It may
    have a method ``idle``, called while there is nothing to show. All others get every result, in a thread of theirs.
    """

    def write(self, result: FrameResult, frame: Frame) -> None: ...

    def close(self) -> None: ...


class Stop(Exception):
    """A sink asks for the run to end (the window was closed). Not an error."""


class OutputError(FewshotError):
    """A result could not be written: the disk is full, the folder is gone or may not be written to."""


class WindowError(FewshotError):
    """No window can be opened here."""
