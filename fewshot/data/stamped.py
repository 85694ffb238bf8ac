"""A source under a stop-watch: when every frame was handed over, and how long it took to get it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from time import perf_counter

from fewshot.live.sources import Shot, Source


class Stamped:
    """Another source's frames, the first ``most`` of them, each with the time at which it was there.

    Args:
        source: any.
        most: frames after which it ends; None for all.

    Attributes:
        handed: index of a frame -> ``perf_counter`` seconds when it was handed over.
        waited: seconds that getting each frame from the source took: for a file, decoding it.
    """

    def __init__(self, source: Source, most: int | None = None) -> None:
        self._source, self._most = source, most
        self.handed: dict[int, float] = {}
        self.waited: list[float] = []
        self.name, self.live, self.fps = source.name, source.live, source.fps
        self.frames = source.frames if most is None else min(most, source.frames or most)

    @property
    def dropped(self) -> int:
        return self._source.dropped

    @property
    def lost(self) -> str | None:
        return self._source.lost

    @property
    def notes(self) -> list[str]:
        return self._source.notes

    def __iter__(self) -> Iterator[Shot]:
        before = perf_counter()
        for shot in islice(self._source, self._most):
            now = perf_counter()
            self.waited.append(now - before)
            self.handed[shot.index] = now
            yield shot
            before = perf_counter()

    def close(self) -> None:
        self._source.close()
