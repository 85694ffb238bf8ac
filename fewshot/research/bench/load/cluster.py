"""Kills the replica of Ray Serve that holds a lesson: how soon the lesson goes on, and what is lost."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import requests

from fewshot.client import Client
from fewshot.client.lesson import RemoteLesson
from fewshot.errors import FewshotError
from fewshot.research.bench.load.material import FACES, FPS, Material, material
from fewshot.research.bench.load.served import ServedProcesses
from fewshot.research.bench.machine import BUSY, as_list, describe
from fewshot.research.evaluation.tables import markdown
from fewshot.session.lessons import LessonStore

REPLICA = "ray::ServeReplica"
"""How the process of a replica is called."""
REPLICAS = 2
WITHIN = 1.0
"""Seconds within which a lesson must be on another replica."""
_PATIENCE = 120.0


@dataclass(frozen=True, slots=True)
class Killed:
    """One replica that was killed in the middle of a lesson.

    Attributes:
        noticed: seconds from the kill until the client saw the end of its connection.
        resumed: seconds until another replica had taken the lesson over.
        moment: seconds until the first moment of that replica.
        sent: whole seconds of the lesson with moments before the kill, without the last one, which may not be over.
        stored: how many of them are in the store.
        named: students who were recognised after the kill.
        ended: whether the lesson ended as usual.
    """

    noticed: float
    resumed: float
    moment: float
    sent: int
    stored: int
    named: int
    ended: bool

    @property
    def good(self) -> bool:
        """Whether nothing was lost, and it went on in time."""
        return self.ended and 0 < self.sent == self.stored and self.resumed <= WITHIN


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run found.

    Attributes:
        memory: MiB of Ray and two replicas before any lesson.
        alone: MiB of the replicas in it.
        kills: one by one.
        load: of other programs, before the start: processes that wanted a core.
    """

    memory: float
    alone: float
    kills: list[Killed]
    load: float = 0.0


class _Watched(RemoteLesson):
    """A lesson that notes when its connections were lost and made, and when moments came."""

    def __init__(self, client: Client, asked: dict[str, Any]) -> None:
        self.lost_at, self.ready_at = list[float](), list[float]()
        super().__init__(client, asked)

    def _connect(self, first: dict[str, Any]) -> None:
        super()._connect(first)
        self.ready_at.append(time.monotonic())

    def _again(self) -> None:
        self.lost_at.append(time.monotonic())
        super()._again()


def run(shared: Path, work: Path, rounds: int, seconds: float) -> Ran:
    """Start the service on Ray with two replicas, and kill one of them ``rounds`` times.

    Args:
        shared: folder with ``data`` and ``models``.
        work: folder for drawn lessons and the log.
        rounds: how many kills.
        seconds: of a lesson, before the kill and after it.

    Raises:
        FewshotError: the service does not start, or a lesson does not go on.
    """
    load = psutil.getloadavg()[0]
    (lesson,) = material(shared, work / "drawn", 1)
    with ServedProcesses(REPLICAS, work / "cluster.log", ["--engine", "ray"]) as served:
        replicas = _replicas(served)
        memory, alone = served.memory(), sum(_memory(each) for each in replicas)
        kills = []
        for number in range(rounds):
            kills.append(_kill(served, lesson, seconds))
            print(f"kill {number + 1}: {kills[-1]}", flush=True)
    return Ran(memory, alone, kills, load)


def _kill(served: ServedProcesses, material: Material, seconds: float) -> Killed:
    replicas = _replicas(served)
    with Client(served.url.removesuffix("/api"), material.token) as client:
        _warm(client, material)
        asked = {"type": "start", "class_name": material.classroom, "record": True, "title": "cluster"}
        lesson, before = _Watched(client, asked), _used(replicas)
        with lesson:
            moments = _play(lesson, material, seconds, 0.0)
            used = _used(replicas)
            holder = max(replicas, key=lambda each: used[each.pid] - before[each.pid])
            killed = time.monotonic()
            holder.kill()
            after = _play(lesson, material, seconds, seconds)
            number = lesson.number
            ended = bool(lesson.end())
    if not lesson.lost_at or not after:
        raise FewshotError("The lesson did not notice the kill: another replica held it, or it did not go on.")
    sent = sorted({int(at) for at, _, _ in moments})[:-1]
    stored = list(LessonStore().load(int(number or 0)).frames_per_second)
    kept = sum(bool(second < len(stored) and stored[second] > 0) for second in sent)
    first = min(came for _, came, _ in after if came > lesson.ready_at[1])
    return Killed(
        lesson.lost_at[0] - killed, lesson.ready_at[1] - killed, first - killed, len(sent), kept,
        len(set[str]().union(*(names for _, _, names in after))), ended,
    )  # fmt: skip


def _play(
    lesson: RemoteLesson, material: Material, seconds: float, after: float
) -> list[tuple[float, float, set[str]]]:
    """Send frames at ``FPS``; of each one its time in the lesson, the time at which its moment came, and the names."""
    start, found = time.monotonic(), list[tuple[float, float, set[str]]]()
    for number in range(round(seconds * FPS)):
        time.sleep(max(0.0, start + number / FPS - time.monotonic()))
        at = after + number / FPS
        moment = lesson.wait(lesson.send(material.frames[number % len(material.frames)], at))
        found.append((at, time.monotonic(), {face["student"] for face in moment["faces"] if face["student"]}))
    return found


def _warm(client: Client, material: Material) -> None:
    """Two lessons at once, so that each replica has opened the models: a replica that is new needs seconds for that."""
    asked = {"type": "start", "class_name": material.classroom, "record": False}
    with RemoteLesson(client, asked) as one, RemoteLesson(client, asked) as other:
        for number in range(4):
            for lesson in (one, other):
                lesson.wait(lesson.send(material.frames[number], number / FPS))
        one.end()
        other.end()


def _replicas(served: ServedProcesses) -> list[psutil.Process]:
    """The processes of the replicas, when there are two that answer."""
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        found = []
        for process in served.all():
            with suppress(psutil.Error):
                if " ".join(process.cmdline()).startswith(REPLICA):
                    found.append(process)
        with suppress(requests.RequestException):
            ready = all(requests.get(f"{served.url}/ready", timeout=10).ok for _ in range(3))
            if len(found) == REPLICAS and ready:
                time.sleep(5)  # the process is there before Ray Serve sends it anything
                return found
        time.sleep(0.5)
    raise FewshotError(f"There were not {REPLICAS} replicas within {_PATIENCE:.0f} seconds.")


def _used(processes: list[psutil.Process]) -> dict[int, float]:
    """Seconds of cores that each process has used so far."""
    return {each.pid: (times := each.cpu_times()).user + times.system for each in processes}


def _memory(process: psutil.Process) -> float:
    full = process.memory_full_info()
    return float(getattr(full, "pss", full.rss)) / 2**20


def page(found: Ran, command: str, ray: str) -> str:
    """The results as Markdown.

    Args:
        found: what ``run`` returned.
        command: that repeats it.
        ray: version of Ray.
    """
    rows = [
        {
            "kill": str(number),
            "connection lost after (s)": f"{kill.noticed:.2f}",
            "lesson taken over after (s)": f"{kill.resumed:.2f}",
            "next moment after (s)": f"{kill.moment:.2f}",
            "seconds before the kill": str(kill.sent),
            "of them stored": str(kill.stored),
            "students recognised afterwards": str(kill.named),
            "as it must be": "yes" if kill.good else "**no**",
        }
        for number, kill in enumerate(found.kills, 1)
    ]
    good = sum(kill.good for kill in found.kills)
    worst = max((kill.resumed for kill in found.kills), default=0.0)
    return (
        f"# A replica that is killed\n\n    {command}\n\n{as_list(describe())}- Ray: {ray}\n\n"
        f"`fewshot serve --engine ray --processes {REPLICAS}` on one machine, and a client (`fewshot.Client`) that "
        f"sends a lesson of {FACES} faces at {FPS:g} frames per second. The process of the replica that holds the "
        "lesson is killed (`kill -9`). The client connects again and takes the lesson over with its ticket. Both "
        "replicas have opened their models before. The last second before a kill is not counted: it may not have been "
        "over.\n\n"
        f"{markdown(rows)}\n"
        f"{good} of {len(found.kills)} kills as it must be: nothing lost, and on another replica within {WITHIN:g} s "
        f"(worst: {worst:.2f} s). Ray and {REPLICAS} replicas before any lesson: {found.memory:.0f} MiB, of which the "
        f"replicas have {found.alone:.0f} MiB; pages that they share are counted once.\n"
        + (f"\nOther programs kept the machine busy (load {found.load:.1f}): a quiet one is faster.\n"
           if found.load > 2 * BUSY else "")
    )  # fmt: skip


__all__ = ["REPLICAS", "WITHIN", "Killed", "Ran", "page", "run"]
