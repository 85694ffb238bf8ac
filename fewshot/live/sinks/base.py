"""What every sink can do."""

from __future__ import annotations

from typing import Protocol

from fewshot.errors import FewshotError
from fewshot.types import Frame, FrameResult


class Sink(Protocol):
    """Takes every frame's result. ``close`` may be called more than once, and after a failed ``write``."""

    def write(self, result: FrameResult, frame: Frame) -> None: ...

    def close(self) -> None: ...


class Stop(Exception):
    """A sink asks for the run to end (the window was closed). Not an error."""


class OutputError(FewshotError):
    """A result could not be written: the disk is full, the folder is gone or may not be written to."""


class WindowError(FewshotError):
    """No window can be opened here."""
