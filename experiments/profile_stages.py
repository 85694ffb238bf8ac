"""Milliseconds of one core that every stage of the loop takes, and beside it the same of an older copy of the package.

    python experiments/profile_stages.py --lesson outputs/live/class_49_12s
    git worktree add ../older v0.1 && python experiments/profile_stages.py --lesson ... --against ../older

Everything runs in one thread on frames that are decoded already, so what is measured is work, not waiting. The two
copies take turns, each in a process of its own. ``--lesson`` is a folder as experiments/virtual_classroom.py makes it.
Writes experiments/results/stages.md.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np

STAGES = ("detect", "align", "track", "embed", "identify", "classify")
WARM = 12
"""Frames that are not counted: in the first one everybody is looked at for the first time."""


def enrolled(photos: Path, perception: Any) -> Any:
    """Everybody in ``<photos>/<student>/<emotion>/*``, as a store."""
    from fewshot.prototypes.store import PrototypeStore
    from fewshot.prototypes.supports import SupportSet
    from fewshot.research.datasets.single_faces import faces_of

    store = PrototypeStore(
        perception.embedder.dimension, perception.identity_dimension, perception.network, perception.identity_network
    )
    for folder in sorted(photos.iterdir()):
        paths = sorted(folder.glob("*/*"))
        faces, kept = faces_of(perception, paths)
        supports = SupportSet(
            np.stack([face.expression for face in faces]), [paths[i].parent.name for i in kept], [str(i) for i in kept]
        )
        store.add(folder.name, supports, np.stack([face.identity for face in faces]))
    return store


def measure(lesson: Path, shared: Path, frames: int) -> dict[str, list[float]]:
    """Milliseconds of every frame by stage, of the package that Python finds first."""
    from fewshot.classroom.matching import TrackStudents
    from fewshot.classroom.thresholds import identity_thresholds
    from fewshot.embedding.runtime import Embedder
    from fewshot.faces.detectors.scrfd import ScrfdDetector
    from fewshot.faces.identity import Recogniser
    from fewshot.live.loop import Loop
    from fewshot.live.sources import CapturedFrame
    from fewshot.loops import open_population
    from fewshot.models.files import resolve
    from fewshot.perception import Perception
    from fewshot.prototypes.classifier import Classifier

    cv2.setNumThreads(1)
    pack = shared / "models/insightface/models/buffalo_sc"
    detector, recogniser = ScrfdDetector(pack / "det_500m.onnx", threads=1), Recogniser(pack / "w600k_mbf.onnx", 1)
    perception = Perception(detector, Embedder(resolve("expression"), threads=1), recogniser)
    store = enrolled(lesson / "photos" / "neutral", perception)
    students = TrackStudents(*store.identity_references(), identity_thresholds(perception.identity_network))
    follow = {"moving": perception.following()} if hasattr(perception, "following") else {}
    loop = Loop(perception, Classifier(open_population(), store), students, **follow)
    video = cv2.VideoCapture(str(lesson / "video.mp4"))
    pictures = [video.read()[1] for _ in range(frames)]
    fps = video.get(cv2.CAP_PROP_FPS)
    for index, picture in enumerate(pictures):
        loop.step(CapturedFrame("lesson", index, index / fps, picture))
    return {stage: [1000 * value for value in loop.times.seconds(stage)[WARM:]] for stage in STAGES}


def in_process(package: Path, arguments: argparse.Namespace) -> dict[str, list[float]]:
    """``measure`` with the copy of the package that lies in ``package``."""
    environment = os.environ | {"PYTHONPATH": str(package), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    environment.setdefault("FEWSHOT_SHARED", str(arguments.shared))
    command = [sys.executable, __file__, "--child", "--lesson", arguments.lesson, "--shared", arguments.shared]
    command += ["--frames", str(arguments.frames)]
    done = subprocess.run(list(map(str, command)), env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"The copy of the package in {package} does not run:\n{done.stderr[-2000:]}")
    result: dict[str, list[float]] = json.loads(done.stdout.splitlines()[-1])
    return result


def command(arguments: argparse.Namespace) -> str:
    """What to repeat it with; an older copy of the package lies elsewhere everywhere."""
    against = " --against OLDER_COPY" if arguments.against else ""
    frames = f" --frames {arguments.frames} --rounds {arguments.rounds}"
    return f"python experiments/profile_stages.py --lesson outputs/live/{arguments.lesson.name}{against}{frames}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--lesson", type=Path, required=True)
    parser.add_argument("--against", type=Path, help="folder with an older copy of the package")
    parser.add_argument("--frames", type=int, default=48)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("experiments/results/stages.md"))
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        print(json.dumps(measure(arguments.lesson, arguments.shared, arguments.frames)))
        return
    copies = {"before": arguments.against, "now": Path(__file__).resolve().parents[1]}
    times: dict[str, dict[str, list[float]]] = {name: {} for name, folder in copies.items() if folder}
    for _ in range(arguments.rounds):
        for name, stages in times.items():
            for stage, values in in_process(copies[name], arguments).items():
                stages.setdefault(stage, []).extend(values)
    lines = ["# Milliseconds of each stage, 49 faces", "", f"    {command(arguments)}", ""]
    lines += ["| ms of one core: mean (median) | " + " | ".join(times) + " |", "|---" * (len(times) + 1) + "|"]
    for stage in STAGES:
        cells = [f"{np.mean(stages[stage]):.2f} ({np.median(stages[stage]):.2f})" for stages in times.values()]
        lines.append(f"| {stage} | " + " | ".join(cells) + " |")
    sums = [sum(float(np.mean(stages[stage])) for stage in STAGES) for stages in times.values()]
    lines.append("| sum of the means | " + " | ".join(f"{value:.1f}" for value in sums) + " |")
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
