"""A lesson that never ends: a video again and again, its time going on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from fewshot.live.sources import Shot, Source


class Endless:
    """Every frame of a source, then of the same source opened anew, and so on. Wrap it in ``Paced`` for a camera.

    Args:
        reopen: opens the source; called once a round.

    Attributes:
        rounds: that were begun.
    """

    live = False
    frames: int | None = None

    def __init__(self, reopen: Callable[[], Source]) -> None:
        self._reopen = reopen
        self._source = reopen()
        self.name, self.fps = self._source.name, self._source.fps
        self.rounds, self.dropped = 0, 0
        self.lost: str | None = None
        self.notes: list[str] = []
        self._closed = False

    def __iter__(self) -> Iterator[Shot]:
        index, begin, step = 0, 0.0, 1 / (self.fps or 25.0)
        while not self._closed:
            self.rounds += 1
            last, first = 0.0, index
            for shot in self._source:
                last = shot.time
                yield replace(shot, index=index, time=begin + last)
                index += 1
            self._source.close()
            if index == first:
                self.lost = f"{self.name} gave no frame in round {self.rounds}. Check that the file is still there."
                return
            begin += last + step
            self._source = self._reopen()

    def close(self) -> None:
        self._closed = True
        self._source.close()
