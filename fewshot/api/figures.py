"""Figures of the service for Prometheus: rates, times, drops, faces, memory. No figure names anybody."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

import psutil
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.multiprocess import MultiProcessCollector

MEDIA_TYPE = CONTENT_TYPE_LATEST
_FAST = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Figures:
    """What one process has done since it started.

    Args:
        running: how many lessons run in it now.
    """

    def __init__(self, running: Callable[[], int]) -> None:
        self._running, self._shared = running, "PROMETHEUS_MULTIPROC_DIR" in os.environ
        self._registry = registry = CollectorRegistry()
        self.requests = Counter(
            "fewshot_requests", "Requests, by route and status.", ["method", "route", "status"], registry=registry
        )
        self.request_seconds = Histogram(
            "fewshot_request_seconds", "Seconds per request.", ["route"], buckets=_FAST, registry=registry
        )
        self.frames = Counter("fewshot_frames", "Frames that were analysed.", registry=registry)
        self.skipped = Counter("fewshot_frames_skipped", "Frames that were not analysed.", ["why"], registry=registry)
        self.faces = Counter("fewshot_faces", "Faces in analysed frames.", registry=registry)
        self.latency = Histogram(
            "fewshot_frame_seconds", "Seconds from a frame's arrival to its moment.", buckets=_FAST, registry=registry
        )
        self.stages = Counter("fewshot_stage_seconds", "Seconds spent in a stage.", ["stage"], registry=registry)
        self.lessons = Counter("fewshot_lessons", "Lessons that were started or resumed.", registry=registry)
        how: Any = {"registry": registry, "multiprocess_mode": "livesum"}
        self._lessons_running = Gauge("fewshot_lessons_running", "Lessons that run now.", **how)
        self._memory = Gauge("fewshot_memory_bytes", "Memory of the process, or of all that share the port.", **how)
        self._look()

    def saw(self, faces: int, seconds: float) -> None:
        """Count an analysed frame."""
        self.frames.inc()
        self.faces.inc(faces)
        self.latency.observe(seconds)

    def spent(self, stages: Mapping[str, float]) -> None:
        """Add the seconds of each stage."""
        for stage, seconds in stages.items():
            self.stages.labels(stage).inc(max(0.0, seconds))

    def text(self) -> bytes:
        """All figures as Prometheus reads them; where several processes share a port, their sums."""
        self._look()
        registry = self._registry
        if self._shared:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)
        return bytes(generate_latest(registry))

    def _look(self) -> None:
        self._lessons_running.set(self._running())
        self._memory.set(psutil.Process().memory_info().rss)
