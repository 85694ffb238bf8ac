"""Sources, eyes and sinks that a test holds by the hand: nothing moves unless it says so, and nobody sleeps."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from queue import SimpleQueue

import numpy as np
from live_fakes import FakeReader, blank, face

from fewshot.live.loop import Loop
from fewshot.live.sources import CapturedFrame
from fewshot.types import Face, Frame, FrameResult

PATIENCE = 30.0
"""Seconds after which a test that hangs fails. Nobody waits so long but a bug."""


def captured(index: int, time: float | None = None, size: tuple[int, int] = (64, 48)) -> CapturedFrame:
    """Frame ``index`` of a video of 10 a second; its pixels have that value."""
    return CapturedFrame("film", index, index / 10 if time is None else time, blank(*size, value=index % 256))


class HandSource:
    """Gives a frame when the test hands it one; ``give`` returns when it was taken over. None ends it."""

    name, fps, frames, dropped, lost = "film", 10.0, None, 0, None

    def __init__(self, live: bool = True) -> None:
        self.live, self.notes, self.closed = live, [], 0
        self._given: SimpleQueue[CapturedFrame | BaseException | None] = SimpleQueue()
        self._asked = threading.Semaphore(0)

    def give(self, *taken: CapturedFrame | BaseException | None) -> None:
        for one in taken:
            self.ask()
            self._given.put(one)
        if taken and isinstance(taken[-1], CapturedFrame):
            self.ask()
            self._asked.release()

    def ask(self) -> None:
        """Wait until the next frame is asked for: the one before was taken over."""
        assert self._asked.acquire(timeout=PATIENCE)

    def interrupt(self) -> None:
        self._given.put(None)

    def __iter__(self) -> Iterator[CapturedFrame]:
        while True:
            self._asked.release()
            one = self._given.get(timeout=PATIENCE)
            if one is None:
                return
            if isinstance(one, BaseException):
                raise one
            yield one

    def close(self) -> None:
        self.closed += 1


class Script:
    """A source that gives these frames at once, and then raises ``error`` if there is one."""

    name, fps, frames, dropped, lost = "film", 10.0, None, 0, None

    def __init__(self, taken: Sequence[CapturedFrame], live: bool = False, error: BaseException | None = None) -> None:
        self.taken, self.live, self.error, self.notes, self.closed = taken, live, error, [], 0
        self.read = 0

    def __iter__(self) -> Iterator[CapturedFrame]:
        for one in self.taken:
            self.read += 1
            yield one
        if self.error is not None:
            raise self.error

    def close(self) -> None:
        self.closed += 1


class HandEyes:
    """Sees one face in every frame (or ``count``), whose box tells the frame; waits where the test wants it to.

    Attributes:
        looked: frames whose faces were looked for, by their pixel value, in that order.
        embedded: faces that were embedded, one list a frame, by their box's left edge.
    """

    def __init__(self, before: Callable[[int], None] = lambda value: None, count: int = 1) -> None:
        self.looked: list[int] = []
        self.embedded: list[list[float]] = []
        self.identified: list[int] = []
        self._before, self._count = before, count
        self.times: dict[str, float] = {}

    def find(self, frame: Frame) -> list[Face]:
        value = int(frame[0, 0, 0])
        self.looked.append(value)
        self._before(value)
        return [face(x=10 + 60 * number, emotion=None) for number in range(self._count)]

    def embed(self, faces: Sequence[Face]) -> None:
        self.embedded.append([float(one.box[0]) for one in faces])
        for one in faces:
            one.expression = np.eye(7, dtype=np.float32)[3]

    def identify(self, frame: Frame, faces: Sequence[Face]) -> None:
        self.identified.append(len(faces))
        for one in faces:
            one.identity = np.ones(4, np.float32)


class Keeper:
    """A sink that remembers the frames it was given, and does what the test wants at each."""

    def __init__(self, at: Callable[[int], None] = lambda index: None) -> None:
        self.seen: list[int] = []
        self.threads: set[str] = set()
        self._at = at
        self.closed = 0

    def write(self, result: FrameResult, frame: Frame) -> None:
        self.threads.add(threading.current_thread().name)
        self._at(result.index)
        self.seen.append(result.index)

    def close(self) -> None:
        self.closed += 1


def loop_of(eyes: HandEyes, **options: object) -> Loop:
    return Loop(eyes, FakeReader(), **options)


def our_threads() -> list[str]:
    """Threads that a run of this test has left behind; those of other tests in the same process are none of its."""
    return [
        thread.name for thread in threading.enumerate() if thread.name.startswith("fewshot") and thread not in earlier
    ]


earlier: set[threading.Thread] = set()
"""The threads that were there before the test (conftest.py)."""
