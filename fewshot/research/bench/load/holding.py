"""How many lessons a service holds: more and more of them at once, until their moments come too late."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from statistics import median

import numpy as np
import psutil

from fewshot.research.bench.load.material import FACES, Material
from fewshot.research.bench.load.served import ServedProcesses
from fewshot.research.bench.load.talk import Taken, Talk

WITHIN, PART = 0.5, 95
"""A lesson is held if so many percent of its moments come within so many seconds, and few frames are dropped."""
DROPPED = 0.02
"""Share of the frames that may be dropped."""
WARM = 8.0
"""Seconds at the beginning that do not count: everybody is met for the first time."""


@dataclass(frozen=True, slots=True)
class Level:
    """So many lessons at once.

    Attributes:
        lessons: how many.
        latencies: seconds of every frame that counts, of all lessons.
        worst: of the lessons' own p95, the largest.
        due: frames that were due after the start.
        dropped: of these, those without room.
        core_seconds: that the service used for a face, after the start.
        memory: MiB of all processes of the service.
        others: cores that were busy with other programs meanwhile.
        foreign: names that do not belong to the lesson that named them.
        named: names that do.
    """

    lessons: int
    latencies: tuple[float, ...]
    worst: float
    due: int
    dropped: int
    core_seconds: float
    memory: float
    others: float
    foreign: int
    named: int

    @property
    def held(self) -> bool:
        """Whether every lesson got its moments in time."""
        return self.worst <= WITHIN and self.dropped <= DROPPED * max(1, self.due)


def levels(served: ServedProcesses, lessons: Sequence[Material], counts: Iterable[int], seconds: float) -> list[Level]:
    """Measure each number of lessons.

    Args:
        served: the service.
        lessons: as many as the largest count.
        counts: numbers of lessons.
        seconds: how long each one is measured, after ``WARM``.
    """
    return [asyncio.run(_level(served, lessons[:count], seconds)) for count in counts]


async def _level(served: ServedProcesses, lessons: Sequence[Material], seconds: float) -> Level:
    async with AsyncExitStack() as stack:
        talks = [await stack.enter_async_context(Talk(served.url, lesson)) for lesson in lessons]
        for talk in talks:
            await talk.begin()
        playing = asyncio.gather(*(talk.play(WARM + seconds, ignore=WARM) for talk in talks))
        await asyncio.sleep(WARM)
        before, cpu, start, met = _busy(), served.cpu(), time.monotonic(), _faces(talks)
        await playing
        spent, passed, memory = served.cpu() - cpu, time.monotonic() - start, served.memory()
        per_face = spent / max(1, _faces(talks) - met)
        others = (_busy() - before - spent) / passed
        for talk in talks:
            await talk.end()
    return _summed(talks, per_face, memory, others)


def _faces(talks: Sequence[Talk]) -> int:
    return sum(sum(talk.taken.faces) for talk in talks)


def _summed(talks: Sequence[Talk], per_face: float, memory: float, others: float) -> Level:
    taken: list[Taken] = [talk.taken for talk in talks]
    late = [float(np.percentile(one.latencies or [99.0], PART)) for one in taken]
    names = [(name, talk.lesson.students) for talk in talks for name in talk.taken.names]
    seen = tuple(seconds for one in taken for seconds in one.latencies)
    dropped = sum(one.dropped for one in taken)
    return Level(
        len(talks), seen, max(late), len(seen) + dropped, dropped, per_face, memory, max(0.0, others),
        sum(name not in own for name, own in names), sum(name in own for name, own in names),
    )  # fmt: skip


def _busy() -> float:
    """Seconds of cores that all programs of this computer have used so far."""
    times = psutil.cpu_times()
    return float(times.user + times.system + getattr(times, "nice", 0.0))


def rows(found: Sequence[Level]) -> list[dict[str, str]]:
    """A row for each number of lessons."""
    return [
        {
            "lessons": str(level.lessons),
            "p50": f"{1000 * median(level.latencies or [99.0]):.0f} ms",
            "p95 of the slowest lesson": f"{1000 * level.worst:.0f} ms",
            "frames dropped": f"{100 * level.dropped / max(1, level.due):.1f} %",
            "core-seconds per face": f"{1000 * level.core_seconds:.2f} ms",
            "memory": f"{level.memory:.0f} MiB",
            "busy with other programs": f"{level.others:.1f} cores",
            "held": "yes" if level.held else "no",
        }
        for level in found
    ]


def memory_per_lesson(found: Sequence[Level]) -> float | None:
    """MiB by which the service grows per lesson, fitted over all levels; None with one level only."""
    if len({level.lessons for level in found}) < 2:
        return None
    return float(np.polyfit([level.lessons for level in found], [level.memory for level in found], 1)[0])


def per_face(found: Sequence[Level]) -> float:
    """Core-seconds per face: the median over the levels."""
    return median(level.core_seconds for level in found)


__all__ = ["FACES", "Level", "levels", "memory_per_lesson", "per_face", "rows"]
