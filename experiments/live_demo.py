"""The live loop with every part open to change: what ``fewshot live`` does, as a hydra script.

python experiments/live_demo.py source=0
python experiments/live_demo.py source=lesson.mp4 class_name=physics smoother.time_constant=1.0 show=false
"""

from __future__ import annotations

import sys
from pathlib import Path

import hydra
from omegaconf import DictConfig

from fewshot.errors import FewshotError
from fewshot.live.loop import Loop
from fewshot.live.overlay import Overlay
from fewshot.live.pipeline import Schedule
from fewshot.live.play import play
from fewshot.live.sinks.base import Sink
from fewshot.live.sinks.jsonl import JsonLines
from fewshot.live.sinks.video import AnnotatedVideo
from fewshot.live.sinks.window import Window
from fewshot.live.sources import Source, open_lasting
from fewshot.live.stopping import signals_stop
from fewshot.loops import open_population
from fewshot.perception import open_perception
from fewshot.prototypes.classifier import Classifier
from fewshot.research.evaluation.tables import show
from fewshot.room import Classroom
from fewshot.session.analysis.words import counted


def build_loop(cfg: DictConfig, schedule: Schedule) -> Loop:
    """Perception, prototypes, students, smoother and tracker, put together as the config asks.

    Raises:
        FewshotError: a model or the class is missing, or the class was enrolled with other models.
    """
    parts = {
        "smoother": hydra.utils.instantiate(cfg.smoother),
        "tracker": hydra.utils.instantiate(cfg.tracker),
        "budget": cfg.budget_ms / 1000 if cfg.budget_ms is not None else None,
    }
    if cfg.class_name is not None:
        return Classroom.open(cfg.class_name, detector=cfg.detector, owner=cfg.owner).loop(**parts)
    perception = open_perception(cfg.detector, threads=schedule.threads())
    return Loop(perception, Classifier(open_population()), moving=perception.following(), **parts)


def open_sinks(cfg: DictConfig, source: Source) -> list[Sink]:
    """Where results go: window, annotated video, JSON lines, as the config asks."""
    overlay = Overlay()
    sinks: list[Sink] = [Window(overlay)] if cfg.show else []
    if cfg.save:
        sinks.append(AnnotatedVideo.for_source(Path(cfg.save), source, overlay))
    if cfg.jsonl:
        sinks.append(JsonLines(Path(cfg.jsonl)))
    return sinks


@hydra.main(version_base=None, config_path="../conf", config_name="live_demo")
def main(cfg: DictConfig) -> None:
    try:
        schedule = hydra.utils.instantiate(cfg.plan)
        loop = build_loop(cfg, schedule)
        source = open_lasting(cfg.source, cfg.wait, print)
        with signals_stop():
            outcome = play(loop, [source], open_sinks(cfg, source), schedule=schedule)
    except FewshotError as error:
        sys.exit(str(error))
    for note in outcome.notes:
        print(note)
    print(f"{counted(outcome.frames, 'frame')}, {outcome.rate:.1f} per second, {outcome.dropped} dropped")
    show(
        [
            {"stage": stage, "p50 ms": f"{row['p50_ms']:.1f}", "p95 ms": f"{row['p95_ms']:.1f}"}
            for stage, row in loop.times.table().items()
        ],
        "stages",
        wide=8,
    )


if __name__ == "__main__":
    main()
