"""What every source provides, and the simplest source: frames from an iterable."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from fewshot.errors import SourceError, UsageError
from fewshot.types import Frame


class SourceNotFound(SourceError, UsageError):
    """The source does not exist or cannot be a source: wrong usage, exit code 2."""


@dataclass(frozen=True, slots=True)
class CapturedFrame:
    """One frame and where it comes from.

    Attributes:
        source: the path as given, or the file within a folder.
        index: counts from 0 within ``source``.
        time: seconds: presentation time (files), time since the start (live), or 0 (pictures). It increases strictly,
            except for pictures.
        frame: BGR uint8, shape (height, width, 3).
        independent: a single picture, without tracking or smoothing from or to other frames.
        size: width and height of the source if ``frame`` was reduced on reading, else None.
    """

    source: str
    index: int
    time: float
    frame: Frame
    independent: bool = False
    size: tuple[int, int] | None = None


class Source(Protocol):
    """Frames in order. Iterate it once, in one thread, and always close it in that thread.

    A source that may wait long for its next frame also has a method ``interrupt``, see below. A source that may lose
    its device and wait for it has an attribute ``away``: a sentence while it waits, else None. A live source has
    ``gives_newest = True`` if it costs nothing to ask it later, because it then gives its newest frame. One that
    converts frames before it is asked has a method ``leave_out``, see below.

    Attributes:
        name: what the user typed (an address without its secrets).
        live: whether frames that are not fetched in time are lost (and counted in ``dropped``).
        fps: frames per second; None if unknown.
        frames: expected number of frames, for a progress bar; None if unknown. The real number may differ.
        dropped: number of frames of a live source that were dropped because there was no time for them.
        lost: a sentence that says why the source ended too early; None if it did not.
        notes: other notes for the user, such as pictures that could not be read.
    """

    # Read-only properties, so that a source may compute them.
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
    """End the iteration of a source that waits for its next frame; called from another thread."""
    wake = getattr(source, "interrupt", None)
    if wake is not None:
        wake()


def leave_out(source: Source, seconds: float) -> None:
    """Say that frames less than so many seconds after the latest one are not needed, so they need not be converted."""
    tell = getattr(source, "leave_out", None)
    if tell is not None:
        tell(seconds)


class FrameSource:
    """Frames from any iterable, as a video with ``fps`` frames per second: for generators, notebooks and tests.

    Examples:
        >>> import numpy as np
        >>> source = FrameSource((np.zeros((48, 64, 3), np.uint8) for _ in range(3)), fps=10)
        >>> [round(captured.time, 1) for captured in source]
        [0.0, 0.1, 0.2]
    """

    live = False

    def __init__(self, frames: Iterable[Frame], fps: float = 25.0, name: str = "frames") -> None:
        if not fps > 0:
            raise UsageError(f"The frame rate cannot be {fps} per second. Give a number above 0.")
        self.name = name
        self.fps: float | None = fps
        self.frames: int | None = len(frames) if isinstance(frames, Sized) else None
        self.dropped = 0
        self.lost: str | None = None
        self.notes: list[str] = []
        self._frames, self._rate = frames, fps

    def __iter__(self) -> Iterator[CapturedFrame]:
        for index, frame in enumerate(self._frames):
            yield CapturedFrame(self.name, index, index / self._rate, as_frame(frame))

    def close(self) -> None:
        """Close the iterable of frames if it is a generator."""
        close = getattr(self._frames, "close", None)  # a generator has this method, and may hold a camera
        if close is not None:
            close()


class ArrayPicture(FrameSource):
    """One picture that is in memory already: without tracking or smoothing.

    Args:
        picture: uint8, shape (height, width, 3), (height, width, 4) or (height, width).

    Raises:
        UsageError: it is not such an array.
    """

    def __init__(self, picture: NDArray[np.generic]) -> None:
        super().__init__([as_frame(picture)], name="picture")

    def __iter__(self) -> Iterator[CapturedFrame]:
        for frame in self._frames:
            yield CapturedFrame(self.name, 0, 0.0, frame, independent=True)


def as_frame(picture: object) -> Frame:
    """A picture as BGR uint8, shape (height, width, 3), from such an array, or from one that is BGRA or grey.

    Raises:
        UsageError: it is not an array of this kind.
    """
    if not isinstance(picture, np.ndarray):
        raise UsageError(
            f"A frame must be an array, not {type(picture).__name__}. Give uint8 arrays (height, width, 3)."
        )
    if picture.ndim not in (2, 3) or picture.shape[2:] not in ((), (1,), (3,), (4,)) or 0 in picture.shape:
        raise UsageError(
            f"A frame has the shape {picture.shape}. Expected (height, width, 3): blue, green and red of each pixel."
        )
    if picture.dtype != np.uint8:
        raise UsageError(
            f"A frame holds {picture.dtype} numbers. Expected uint8, 0 to 255; convert it, for example with "
            "(255 * frame).round().astype('uint8') if it is 0 to 1."
        )
    if picture.ndim == 3 and picture.shape[2] == 3:
        return picture
    grey = picture if picture.ndim == 2 or picture.shape[2] == 1 else None
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGRA2BGR if grey is None else cv2.COLOR_GRAY2BGR), np.uint8)
