"""Samples of a long run, and what they say: does memory grow, do rates fall?"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from fewshot.live.metrics import MetricsSnapshot
from fewshot.live.sources import CapturedFrame, Source

WARM_UP = 0.1
"""Share of the run before memory is expected to stand still: caches and arenas of the networks fill up."""
SHORTEST_WARM_UP = 30.0
LEAST = 8
"""Samples after the warm-up without which nothing is said."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The state of a run at one moment; rates in frames a second, times in milliseconds."""

    seconds: float
    state: str
    memory_mb: float
    captured: int
    processed: int
    recorded: int
    capture_rate: float
    processed_rate: float
    dropped: int
    waiting: int
    latency_p50_ms: float
    latency_p95_ms: float
    latency_max_ms: float
    faces: int
    embedded: int
    named: int
    age_max: float
    threads: int

    @classmethod
    def of(cls, snap: MetricsSnapshot, named: int) -> Sample:
        """From the pipeline's own numbers, and how many faces have a name."""
        latency = snap.stages.get("latency")
        return cls(
            seconds=snap.seconds,
            state=snap.state,
            memory_mb=snap.memory_mb,
            captured=snap.captured,
            processed=snap.processed,
            recorded=snap.recorded,
            capture_rate=snap.capture_rate,
            processed_rate=snap.processed_rate,
            dropped=snap.dropped.get("capture", 0) + snap.dropped.get("find", 0),
            waiting=max(snap.queues.values(), default=0),
            latency_p50_ms=latency.p50_ms if latency else 0.0,
            latency_p95_ms=latency.p95_ms if latency else 0.0,
            latency_max_ms=latency.max_ms if latency else 0.0,
            faces=snap.faces,
            embedded=snap.embedded,
            named=named,
            age_max=snap.age_max,
            threads=threading.active_count(),
        )

    def row(self) -> dict[str, str]:
        """As a line of a table."""
        return {
            name: f"{value:.4g}" if isinstance(value, float) else str(value) for name, value in asdict(self).items()
        }


@dataclass(frozen=True, slots=True)
class Growth:
    """How memory went after the warm-up.

    Attributes:
        start_mb, end_mb: medians of the first and the last fifth of the samples.
        percent: from one to the other.
        slope_mb_per_hour: least squares over all of them.
        samples: that there were.
    """

    start_mb: float
    end_mb: float
    percent: float
    slope_mb_per_hour: float
    samples: int


def growth(samples: Sequence[Sample]) -> Growth | None:
    """Of resident memory; None if the run was too short to say anything."""
    if not samples:
        return None
    after = max(SHORTEST_WARM_UP, WARM_UP * samples[-1].seconds)
    settled = [sample for sample in samples if sample.seconds >= after]
    if len(settled) < LEAST:
        return None
    seconds = np.array([sample.seconds for sample in settled])
    memory = np.array([sample.memory_mb for sample in settled])
    part = max(1, len(memory) // 5)
    start, end = float(np.median(memory[:part])), float(np.median(memory[-part:]))
    slope = float(np.polyfit(seconds, memory, 1)[0])
    return Growth(start, end, 100 * (end - start) / start, 3600 * slope, len(settled))


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

    def __iter__(self) -> Iterator[CapturedFrame]:
        index, begin, step = 0, 0.0, 1 / (self.fps or 25.0)
        while not self._closed:
            self.rounds += 1
            last, first = 0.0, index
            for captured in self._source:
                last = captured.time
                yield replace(captured, index=index, time=begin + last)
                index += 1
            self._source.close()
            if index == first:
                self.lost = f"{self.name} gave no frame in round {self.rounds}. Check that the file is still there."
                return
            begin += last + step
            self._source = self._reopen()

    def close(self) -> None:
        """Close the source and start no further round."""
        self._closed = True
        self._source.close()
