"""Detect in every frame, or follow the faces in between? What it saves and what it costs, on a virtual classroom.

    python experiments/detection_interval.py --lesson outputs/live/class_49_12s --frames 150

``--lesson`` is a folder as experiments/virtual_classroom.py makes it (video.mp4, truth.json, photos/neutral). Who is
who is taken from the truth, so that emotions are read by each student's own prototypes and only the detection differs.
Writes experiments/results/detection_interval.md.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from fewshot.loops import open_population
from fewshot.perception import open_perception
from fewshot.prototypes.classifier import Classifier
from fewshot.research.bench.detection_interval import Measured, row, run
from fewshot.research.bench.enrolled_store import enrolled_store
from fewshot.research.evaluation.tables import markdown, show
from fewshot.research.simulation.truth import Truth


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--lesson", type=Path, nargs="+", required=True)
    parser.add_argument("--frames", type=int, default=10_000)
    parser.add_argument("--every", type=int, nargs="*", default=[1, 2, 3, 4, 6])
    parser.add_argument("--out", type=Path, default=Path("experiments/results/detection_interval.md"))
    arguments = parser.parse_args()
    os.environ.setdefault("FEWSHOT_SHARED", str(arguments.shared))
    perception = open_perception("scrfd", threads=1)
    lessons = " ".join(f"outputs/live/{lesson.name}" for lesson in arguments.lesson)
    text = ["# Detecting in every frame, or following faces in between", ""]
    text += [
        f"    python experiments/detection_interval.py --lesson {lessons}",
        "",
        f"Network `{perception.network}`.",
        "",
    ]
    for lesson in arguments.lesson:
        truth = Truth.load(lesson / "truth.json")
        reader = Classifier(open_population(), enrolled_store(lesson / "photos" / "neutral", perception))
        frames = min(arguments.frames, truth.frames)
        truth = Truth(truth.width, truth.height, truth.fps, frames, truth.seats)
        rows: list[dict[str, str]] = []
        usual: Measured | None = None
        for every in arguments.every:
            detector, results = run(lesson, truth, frames, every, perception, reader)
            usual = usual or detector
            rows.append(row(every, truth, detector, usual, results))
            show(rows[-1:], f"{lesson.name}, {frames} frames")
        text += [f"## {lesson.name}, {frames} frames at {truth.fps:g} a second", "", markdown(rows), ""]
    text += ["Landmarks in units of the distance between the eyes; shake is the median second difference in time."]
    arguments.out.write_text("\n".join(text) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
