"""Measures how long every stage of the loop takes."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from time import perf_counter

import numpy as np

STAGES = ("capture", "decode", "detect", "align", "track", "embed", "identify", "classify", "latency", "record", "show")
"""All stages, in the order in which a frame passes through them."""


@dataclass(frozen=True, slots=True)
class StageSummary:
    """Duration of a stage in milliseconds, over ``frames`` frames."""

    p50_ms: float
    p95_ms: float
    max_ms: float
    frames: int


class StageTimes:
    """Seconds of every stage for the latest frames. Any thread may add to it.

    Args:
        remember: number of frames that are remembered; a lesson has 100,000, so older ones are dropped.
    """

    def __init__(self, remember: int = 10_000) -> None:
        self._seconds: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=remember))
        self._lock = threading.Lock()

    def add(self, stage: str, seconds: float) -> None:
        """Record the duration of a stage for one frame, in seconds."""
        with self._lock:
            self._seconds[stage].append(seconds)

    def merge(self, stages: Mapping[str, float]) -> None:
        """Add the times of several stages for this frame."""
        for stage, seconds in stages.items():
            self.add(stage, seconds)

    @contextmanager
    def measure(self, stage: str) -> Iterator[None]:
        """Time a block of code as one frame of ``stage``."""
        start = perf_counter()
        try:
            yield
        finally:
            self.add(stage, perf_counter() - start)

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages that were measured; those of ``STAGES`` come first."""
        with self._lock:
            names = list(self._seconds)
        return tuple(sorted(names, key=lambda name: STAGES.index(name) if name in STAGES else len(STAGES)))

    def seconds(self, stage: str, last: int | None = None) -> tuple[float, ...]:
        """All remembered measurements, or the ``last`` ones, oldest first."""
        with self._lock:
            values = self._seconds.get(stage, ())
            start = 0 if last is None else max(0, len(values) - last)
            return tuple(islice(values, start, None))

    def percentile(self, stage: str, percent: float) -> float:
        """The ``percent`` percentile in seconds; 0 for a stage that was never measured."""
        values = self.seconds(stage)
        return float(np.percentile(values, percent)) if values else 0.0

    def summary(self, stage: str, last: int | None = None) -> StageSummary:
        """Summary of all remembered frames, or of the ``last`` ones; zeros for a stage that was never measured."""
        values = self.seconds(stage, last)
        if not values:
            return StageSummary(0.0, 0.0, 0.0, 0)
        middle, high = np.percentile(values, (50, 95))
        return StageSummary(1000 * float(middle), 1000 * float(high), 1000 * max(values), len(values))

    def table(self) -> dict[str, dict[str, float]]:
        """Stage -> p50 and p95 in milliseconds, and the number of frames."""
        return {
            stage: {"p50_ms": row.p50_ms, "p95_ms": row.p95_ms, "frames": float(row.frames)}
            for stage, row in ((stage, self.summary(stage)) for stage in self.stages)
        }
