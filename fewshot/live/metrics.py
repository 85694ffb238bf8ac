"""Metrics of a run while it is running: rates, dropped frames, queues, stages, age of readings, memory."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from time import perf_counter
from typing import Any, Literal

import numpy as np
import psutil  # type: ignore[import-untyped]

from fewshot.live.interfaces import Step
from fewshot.live.times import StageSummary, StageTimes

State = Literal["starting", "running", "paused", "waiting", "ended", "failed"]

RECENT = 300
"""Default number of latest frames over which a snapshot summarises the stages: 10 s at 30 frames per second."""
_WINDOW = 5.0
"""Seconds over which a rate is measured."""


@dataclass(frozen=True, slots=True)
class MetricsSnapshot:
    """The metrics of a run at one moment.

    Attributes:
        state: "waiting" while a live source is lost.
        note: what a user should know about the state; None otherwise.
        source, live: name of the source, and whether its frames are lost if there is no time for them.
        seconds: since the run began.
        captured: frames that the source delivered, including dropped ones.
        processed, recorded: frames with a result, and frames that all recorders have written.
        capture_rate, processed_rate: frames per second over the last seconds.
        dropped: where -> number of dropped frames: "capture" (the device had the next frame already), "find" (a newer
            frame came first), "fps" (above the requested rate), "show" (results that a slow viewer did not show).
        queues: name of the queue -> number of waiting frames or results.
        stages: stage -> milliseconds, latest frames. "latency" is the time from a frame's arrival to its readings.
        faces: number of faces in the latest frame.
        embedded: number of these faces that were embedded in this frame.
        age_p50, age_max: age of the latest frame's readings, seconds.
        memory_mb: resident memory of this process.
    """

    state: State
    note: str | None
    source: str
    live: bool
    seconds: float
    captured: int
    processed: int
    recorded: int
    capture_rate: float
    processed_rate: float
    dropped: dict[str, int]
    queues: dict[str, int]
    stages: dict[str, StageSummary]
    faces: int
    embedded: int
    age_p50: float
    age_max: float
    memory_mb: float

    def as_json(self) -> dict[str, Any]:
        """The metrics as plain values: str, int, float, bool, dict and None."""
        return asdict(self)


class Rate:
    """Events per second over the last seconds; falls if no more events come."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._seen: deque[tuple[float, int]] = deque()

    def add(self, count: int) -> None:
        """Record that ``count`` events have happened so far."""
        now = self._clock()
        self._seen.append((now, count))
        while len(self._seen) > 2 and now - self._seen[0][0] > _WINDOW:
            self._seen.popleft()

    def value(self) -> float:
        """Events per second; 0 before the second event."""
        seen = tuple(self._seen)
        if len(seen) < 2:
            return 0.0
        (first, low), (last, high) = seen[0], seen[-1]
        span = last - first
        # The rate of a source that stops must fall, but a slow source has not stopped between two of its frames.
        overdue = self._clock() - last
        usual = span / (len(seen) - 1)
        return (high - low) / max(span + (overdue if overdue > 2 * usual else 0.0), 1e-6)


@dataclass
class Metrics:
    """The counters of a run. The run's threads update them; any thread may call ``snapshot``.

    Args:
        source, live: see ``MetricsSnapshot``.
        times: times of the loop's stages; the pipeline adds its own.
        away: returns a sentence while the source is lost, else None.
        clock: monotonic clock, seconds.
    """

    source: str = ""
    live: bool = False
    times: StageTimes = field(default_factory=StageTimes)
    away: Callable[[], str | None] = lambda: None
    clock: Callable[[], float] = perf_counter

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._begin: float | None = None
        self._end: float | None = None
        self._counts = Counter[str]()
        self._dropped = Counter[str]()
        self._rates = {"captured": Rate(self.clock), "processed": Rate(self.clock)}
        self._ages: tuple[float, ...] = ()
        self._state: State = "starting"
        self._note: str | None = None
        self._gauges: dict[str, Callable[[], int]] = {}
        self._process = psutil.Process()

    def gauge(self, queue: str, depth: Callable[[], int]) -> None:
        """Register a function that returns the number of items in a queue."""
        self._gauges[queue] = depth

    def count(self, what: Literal["captured", "processed", "recorded"], by: int = 1) -> None:
        """Count ``by`` more frames."""
        with self._lock:
            self._counts[what] += by
            if what in self._rates:
                self._rates[what].add(self._counts[what])

    def drop(self, where: str, total: int) -> None:
        """Record that ``total`` frames have been dropped there so far."""
        with self._lock:
            self._dropped[where] = total

    def saw(self, step: Step) -> None:
        """Count a processed frame."""
        self.count("processed")
        self._ages = tuple(reading.age for reading in step.result.readings if reading.probabilities)
        self._counts["faces"] = len(step.result.readings)

    def become(self, state: State, note: str | None = None) -> None:
        """Change the state. "ended" and "failed" are final."""
        with self._lock:
            if self._state in ("ended", "failed"):
                return
            self._state, self._note = state, note
            now = self.clock()
            self._begin = now if self._begin is None else self._begin
            self._end = now if state in ("ended", "failed") else None

    @property
    def state(self) -> State:
        """The state of the run."""
        return self._state

    def processed(self) -> int:
        """Number of frames processed so far."""
        return self._counts["processed"]

    def recorded(self) -> int:
        """Number of frames that the recorders have written so far."""
        return self._counts["recorded"]

    def dropped(self) -> int:
        """Frames of a live source that were dropped because there was no time for them."""
        return self._dropped["capture"] + self._dropped["find"]

    def snapshot(self, last: int | None = RECENT) -> MetricsSnapshot:
        """The metrics at this moment.

        Args:
            last: number of latest frames over which stages are summarised; None: all remembered frames.
        """
        stages = {stage: self.times.summary(stage, last) for stage in self.times.stages}
        memory = self._process.memory_info().rss / 2**20
        away = self.away() if self._state == "running" else None
        with self._lock:
            now = self.clock() if self._end is None else self._end
            ages = self._ages
            return MetricsSnapshot(
                state="waiting" if away else self._state,
                note=away or self._note,
                source=self.source,
                live=self.live,
                seconds=now - self._begin if self._begin is not None else 0.0,
                captured=self._counts["captured"] + self._dropped["capture"],
                processed=self._counts["processed"],
                recorded=self._counts["recorded"],
                capture_rate=self._rates["captured"].value(),
                processed_rate=self._rates["processed"].value(),
                dropped=dict(self._dropped),
                queues={name: depth() for name, depth in self._gauges.items()},
                stages=stages,
                faces=self._counts["faces"],
                embedded=sum(age == 0.0 for age in ages),
                age_p50=float(np.median(ages)) if ages else 0.0,
                age_max=max(ages, default=0.0),
                memory_mb=memory,
            )
