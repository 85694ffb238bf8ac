"""Measure how the work of the live loop is best shared out among threads, on any video.

    python experiments/schedule.py outputs/live/class_49_12s/video.mp4
    python experiments/schedule.py VIDEO --frames 150 --runs 3

Compares one frame at a time, two stages side by side (finding faces of one frame while another is embedded), and whole
frames side by side, with 1 or 2 threads a network. The runs alternate, so that a busy moment of the machine hits all of
them. Writes a row per way and video to --out (.csv and .md), which are not committed: docs/explanation/schedule.md has
the sessions by which the default was chosen.
"""

from __future__ import annotations

import argparse
import csv
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter

import numpy as np

from fewshot.live.loop import Loop
from fewshot.live.pipeline import Pipeline, Schedule
from fewshot.live.sources import open_source
from fewshot.loops import open_population
from fewshot.perception import Perception, open_perception
from fewshot.prototypes.classifier import Classifier
from fewshot.research.bench.live_run import Stamped
from fewshot.research.bench.machine import describe
from fewshot.research.evaluation.tables import markdown, write_csv
from fewshot.types import Face, Frame

WAYS = {
    "one frame at a time": [(1, 1, False), (1, 2, False)],
    "two stages": [(2, 1, True), (2, 2, True)],
    "whole frames": [(2, 1, False), (2, 2, False), (3, 1, False)],
}
"""Workers, threads a network, and whether only one worker may find faces and only one may embed at any time."""


class Staged:
    """A perception in which finding and embedding are a stage each, with one place."""

    def __init__(self, perception: Perception) -> None:
        self._perception = perception
        self._finding, self._embedding = threading.Lock(), threading.Lock()
        self.identify = perception.identify

    @property
    def times(self) -> Mapping[str, float]:
        return self._perception.times

    def find(self, frame: Frame) -> list[Face]:
        with self._finding:
            return self._perception.find(frame)

    def embed(self, faces: Sequence[Face]) -> None:
        with self._embedding:
            self._perception.embed(faces)


def measure(perception: Perception, video: Path, frames: int, workers: int, staged: bool) -> dict[str, float]:
    """One run: frames a second, and milliseconds from decoded frame to readings."""
    loop = Loop(Staged(perception) if staged else perception, Classifier(open_population()))
    start = perf_counter()
    steps = list(Pipeline(loop, Stamped(open_source(video), frames), schedule=Schedule(workers)).run())
    rate = len(steps) / (perf_counter() - start)
    latency = loop.times.summary("latency")
    faces = float(np.median([len(step.faces) for step in steps]))
    return {"faces": faces, "fps": rate, "p50": latency.p50_ms, "p95": latency.p95_ms}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video", type=Path)
    parser.add_argument("--frames", type=int, default=100)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("experiments/results/schedule"))
    given = parser.parse_args()
    perceptions = {threads: open_perception(threads=threads) for threads in (1, 2)}
    ways = [(name, *way) for name, several in WAYS.items() for way in several]
    runs: dict[tuple[str, int, int, bool], list[dict[str, float]]] = {way: [] for way in ways}
    for _ in range(given.runs):
        for way in ways:
            _, workers, threads, staged = way
            runs[way].append(measure(perceptions[threads], given.video, given.frames, workers, staged))
    rows = [
        {
            "video": given.video.parent.name,
            "way": name,
            "workers": str(workers),
            "threads a network": str(threads),
            **{key: f"{np.median([run[key] for run in found]):.1f}" for key in ("faces", "fps", "p50", "p95")},
            "fps range": f"{min(run['fps'] for run in found):.1f}-{max(run['fps'] for run in found):.1f}",
        }
        for (name, workers, threads, _), found in runs.items()
    ]
    table = given.out.with_suffix(".csv")
    before = list(csv.DictReader(table.open(encoding="utf-8"))) if table.exists() else []
    rows = [row for row in before if row["video"] != given.video.parent.name] + rows
    write_csv(rows, table)
    about = "\n".join(f"- {what}: {value}" for what, value in describe().items())
    given.out.with_suffix(".md").write_text(
        f"# Ways to share out the work\n\n`python experiments/schedule.py VIDEO`; medians of {given.runs} runs of "
        f"{given.frames} frames, milliseconds from decoded frame to readings.\n\n{markdown(rows)}\n{about}\n",
        encoding="utf-8",
    )
    print(markdown(rows))


if __name__ == "__main__":
    main()
