"""The live loop with every part open to change: what ``fewshot live`` does, as a hydra script.

python experiments/live_demo.py source=0
python experiments/live_demo.py source=lesson.mp4 class_name=physics smoother.time_constant=1.0 show=false
"""

from __future__ import annotations

import sys
from pathlib import Path

import hydra
from omegaconf import DictConfig

from fewshot.classroom.matching import TrackStudents
from fewshot.classroom.thresholds import identity_thresholds
from fewshot.data.tables import show
from fewshot.errors import FewshotError
from fewshot.live.loop import Loop
from fewshot.live.overlay import Overlay
from fewshot.live.play import play
from fewshot.live.sinks.base import Sink
from fewshot.live.sinks.jsonl import JsonLines
from fewshot.live.sinks.video import AnnotatedVideo
from fewshot.live.sinks.window import Window
from fewshot.live.sources import Source, open_source
from fewshot.perception import open_perception
from fewshot.prototypes.classifier import Classifier
from fewshot.prototypes.store import PrototypeStore
from fewshot.room import Classroom, open_population


def build_loop(cfg: DictConfig) -> Loop:
    """Perception, prototypes, students, smoother and tracker, put together by hand.

    Raises:
        FewshotError: a model is missing, or the class was enrolled with other models.
    """
    parts = {"smoother": hydra.utils.instantiate(cfg.smoother), "tracker": hydra.utils.instantiate(cfg.tracker)}
    if cfg.class_name is None:
        return Loop(open_perception(cfg.detector), Classifier(open_population()), **parts)
    room = Classroom.open(cfg.class_name, detector=cfg.detector)
    perception = room.perception
    store = PrototypeStore.load(room.folder, network=perception.network, identity_network=perception.identity_network)
    for student in set(room.ended_consents()) & set(store.students()):
        store.remove(student)  # from this run's copy
    students = TrackStudents(*store.identity_references(), identity_thresholds(perception.identity_network))
    return Loop(perception, Classifier(room.population, store), students, **parts)


def open_sinks(cfg: DictConfig, source: Source) -> list[Sink]:
    """Where results go: window, annotated video, JSON lines, as the config asks."""
    overlay = Overlay()
    sinks: list[Sink] = [Window(overlay)] if cfg.show else []
    if cfg.save:
        sinks.append(AnnotatedVideo(Path(cfg.save), source.fps or 25.0, source.live, overlay))
    if cfg.jsonl:
        sinks.append(JsonLines(Path(cfg.jsonl)))
    return sinks


@hydra.main(version_base=None, config_path="../conf", config_name="live_demo")
def main(cfg: DictConfig) -> None:
    try:
        loop = build_loop(cfg)
        source = open_source(cfg.source)
        outcome = play(loop, [source], open_sinks(cfg, source))
    except FewshotError as error:
        sys.exit(str(error))
    for note in outcome.notes:
        print(note)
    print(f"{outcome.frames} frames, {outcome.rate:.1f} a second, {outcome.dropped} dropped")
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
