"""What every source gives, and the simplest one: frames that somebody hands in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from dataclasses import dataclass
from typing import Protocol

from fewshot.errors import SourceError, UsageError
from fewshot.types import Frame


class SourceNotFound(SourceError, UsageError):
    """What was named as a source does not exist or is none: wrong usage, exit code 2."""


@dataclass(frozen=True, slots=True)
class CapturedFrame:
    """One frame and where it comes from.

    Attributes:
        source: the path as given, or the file within a folder.
        index: counts from 0 within ``source``.
        time: seconds: presentation time (files), since the start (live), 0 (pictures). Grows strictly but for
            pictures.
        frame: BGR uint8, shape (height, width, 3).
        independent: a picture on its own: nothing is carried over to it or from it.
        size: width and height of the source where ``frame`` was reduced on reading, else None.
    """

    source: str
    index: int
    time: float
    frame: Frame
    independent: bool = False
    size: tuple[int, int] | None = None


class Source(Protocol):
    """Frames in order; to be iterated once, in any one thread, and closed there in any case.

    A source that may wait long for its next frame also has a method ``interrupt``, see below; one that may lose its
    device and wait for it has an attribute ``away``: a sentence while it does, else None.

    Attributes:
        name: what the user typed (a password in an address is masked).
        live: frames that are not fetched in time are lost (and counted in ``dropped``).
        fps: frames a second, as far as known.
        frames: how many there will be, as far as known; a progress bar's total, not a promise.
        dropped: frames of a live source that nobody had time for.
        lost: why the source ended before it should have, in a sentence; None if it did not.
        notes: what else a user should know, such as pictures that could not be read.
    """

    # Read-only here, so that a source may compute them.
    @property
    def name(self) -> str: ...

    @property
    def live(self) -> bool: ...

    @property
    def fps(self) -> float | None: ...

    @property
    def frames(self) -> int | None: ...

    @property
    def dropped(self) -> int: ...

    @property
    def lost(self) -> str | None: ...

    @property
    def notes(self) -> list[str]: ...

    def __iter__(self) -> Iterator[CapturedFrame]: ...

    def close(self) -> None: ...


def interrupt(source: Source) -> None:
    """Wake a source that waits for its next frame, from another thread: its iteration then ends."""
    wake = getattr(source, "interrupt", None)
    if wake is not None:
        wake()


class FrameSource:
    """Frames from any iterable, as a video of ``fps`` frames a second: for generators, notebooks and tests.

    Examples:
        >>> import numpy as np
        >>> source = FrameSource((np.zeros((48, 64, 3), np.uint8) for _ in range(3)), fps=10)
        >>> [round(captured.time, 1) for captured in source]
        [0.0, 0.1, 0.2]
    """

    live = False

    def __init__(self, frames: Iterable[Frame], fps: float = 25.0, name: str = "frames") -> None:
        if not fps > 0:
            raise UsageError(f"A video of {fps} frames a second is impossible. Give a number above 0.")
        self.name = name
        self.fps: float | None = fps
        self.frames: int | None = len(frames) if isinstance(frames, Sized) else None
        self.dropped = 0
        self.lost: str | None = None
        self.notes: list[str] = []
        self._frames, self._rate = frames, fps

    def __iter__(self) -> Iterator[CapturedFrame]:
        for index, frame in enumerate(self._frames):
            yield CapturedFrame(self.name, index, index / self._rate, frame)

    def close(self) -> None:
        close = getattr(self._frames, "close", None)  # a generator has one, and may hold a camera of its own
        if close is not None:
            close()
