"""How long every stage of the loop takes."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter

import numpy as np

STAGES = ("detect", "align", "embed", "track", "identify", "classify")
"""In the order in which a frame passes through them."""


class StageTimes:
    """Seconds of every stage for the latest frames (a lesson has 100,000: older ones are dropped).

    Args:
        remember: frames.
    """

    def __init__(self, remember: int = 10_000) -> None:
        self._seconds: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=remember))

    def add(self, stage: str, seconds: float) -> None:
        self._seconds[stage].append(seconds)

    def merge(self, stages: Mapping[str, float]) -> None:
        """Add what another part measured for this frame."""
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
        """Those measured, known ones first."""
        return tuple(sorted(self._seconds, key=lambda name: STAGES.index(name) if name in STAGES else len(STAGES)))

    def seconds(self, stage: str) -> tuple[float, ...]:
        """Every measurement that is remembered, oldest first."""
        return tuple(self._seconds.get(stage, ()))

    def percentile(self, stage: str, percent: float) -> float:
        """Seconds that ``percent`` % of the frames stay below; 0 for a stage that was never measured."""
        values = self._seconds.get(stage)
        return float(np.percentile(np.fromiter(values, np.float64), percent)) if values else 0.0

    def table(self) -> dict[str, dict[str, float]]:
        """Milliseconds p50 and p95, and the number of frames, of every stage."""
        return {
            stage: {
                "p50_ms": 1000 * self.percentile(stage, 50),
                "p95_ms": 1000 * self.percentile(stage, 95),
                "frames": float(len(self._seconds[stage])),
            }
            for stage in self.stages
        }
