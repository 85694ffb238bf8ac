"""``fewshot analyze --engine ray``: the processes of a batch run on the machines of a Ray cluster.

Ray gives each lesson a place; there the same process analyzes it as in a batch of one machine, and writes its table
into the same folder. So every machine must see lessons and tables under the same paths. Only words about the progress
go through Ray, and no picture, no reading and no name of a student.
"""

from __future__ import annotations

import os
import queue
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from fewshot.commands.batch_process import LessonProcess, OnProgress, Result, Work
from fewshot.errors import UsageError

CORES = 2
"""Cores that a lesson asks Ray for: more of them it does not use."""
_SAME = ("FEWSHOT_ENGINE",)
"""Variables on which the bytes of a table depend: they go with the lesson."""


class RayLesson:
    """One lesson on a machine of the cluster, with the methods of ``LessonProcess``.

    Args:
        work: what it does.
        on_progress: see ``LessonProcess``.
    """

    def __init__(self, work: Work, on_progress: OnProgress) -> None:
        import ray

        self._on_progress = on_progress
        # Ray itself tries nothing again: the batch does, and counts.
        remote = ray.remote(num_returns="streaming", max_retries=0, num_cpus=cores_per_lesson())(analyze_there)
        variables = {name: os.environ[name] for name in _SAME if name in os.environ}
        self._words: Any = remote.remote(work, str(Path.cwd()), variables)

    def wait(self) -> Result:
        """Hear it to its end. May be called from any thread."""
        import ray

        try:
            for word in self._words:
                said = ray.get(word)
                if isinstance(said, Result):
                    return said
                self._on_progress(*said)
        except ray.exceptions.RayError as error:
            return Result(fault=f"Ray lost its process ({type(error).__name__}).", again=True)
        return Result(fault="Ray said nothing about it.", again=True)

    def end(self) -> None:
        """End it, if it runs; its process ends with Ray's."""
        import ray

        with suppress(ray.exceptions.RayError, ValueError):
            ray.cancel(self._words, force=True)

    def close(self) -> None:
        """Ray gives back what it held."""


def analyze_there(work: Work, folder: str, variables: Mapping[str, str]) -> Iterator[tuple[int, int | None] | Result]:
    """Analyze a lesson on the machine on which this is called; yields its progress, and the result.

    Args:
        work: what to do.
        folder: the folder from which the user started the batch.
        variables: of the environment there.
    """
    out = Path(folder, work.part).parent
    if not out.is_dir():
        yield Result(fault=f"The machine {socket.gethostname()} does not see the folder {out}.")
        return
    words: queue.SimpleQueue[tuple[int, int | None] | Result] = queue.SimpleQueue()
    process = LessonProcess(work, lambda frames, of: words.put((frames, of)), folder, variables)
    try:
        threading.Thread(target=lambda: words.put(process.wait()), daemon=True).start()
        while not isinstance(word := words.get(), Result):
            yield word
        yield word
    finally:
        process.close()


def cores_per_lesson() -> int:
    """Cores that a lesson asks for: ``CORES``, or what the largest machine has.

    Raises:
        UsageError: no machine of the cluster has a core.
    """
    import ray

    most = max((int(node["Resources"].get("CPU", 0)) for node in ray.nodes() if node["Alive"]), default=0)
    if most < 1:
        raise UsageError("No machine of the Ray cluster has a core for a lesson. Add one: ray start --address ...")
    return min(CORES, most)


def lessons_at_once() -> int:
    """Lessons for which the cluster has cores now."""
    import ray

    return max(1, int(ray.cluster_resources().get("CPU", 0)) // cores_per_lesson())


__all__ = ["CORES", "RayLesson", "analyze_there", "cores_per_lesson", "lessons_at_once"]
