"""Milliseconds of one core that every stage of the loop takes, in one thread on frames that are decoded already.

    python -m fewshot.research.bench.stage_times LESSON SHARED FRAMES

prints them as JSON, of the copy of the package that Python finds first: each copy measures itself.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2

from fewshot.classroom.matching import TrackStudents
from fewshot.classroom.thresholds import identity_thresholds
from fewshot.embedding.runtime import Embedder
from fewshot.errors import FewshotError
from fewshot.faces.detectors.scrfd import ScrfdDetector
from fewshot.faces.identity import Recogniser
from fewshot.live.loop import Loop
from fewshot.live.sources import CapturedFrame
from fewshot.loops import open_population
from fewshot.models.files import resolve
from fewshot.perception import Perception
from fewshot.prototypes.classifier import Classifier
from fewshot.research.bench.enrolled_store import enrolled_store

STAGES = ("detect", "align", "track", "embed", "identify", "classify")
WARM = 12
"""Frames that are not counted: in the first one everybody is recognised for the first time."""

Stages = dict[str, list[float]]


def measure(lesson: Path, shared: Path, frames: int) -> Stages:
    """Milliseconds of every frame by stage.

    Args:
        lesson: folder with video.mp4 and photos/neutral, as ``experiments/virtual_classroom.py`` makes it.
        shared: folder with ``models``.
        frames: of the video.
    """
    cv2.setNumThreads(1)
    pack = shared / "models/insightface/models/buffalo_sc"
    detector, recogniser = ScrfdDetector(pack / "det_500m.onnx", threads=1), Recogniser(pack / "w600k_mbf.onnx", 1)
    perception = Perception(detector, Embedder(resolve("expression"), threads=1), recogniser)
    store = enrolled_store(lesson / "photos" / "neutral", perception)
    students = TrackStudents(*store.identity_references(), identity_thresholds(perception.identity_network))
    loop = Loop(perception, Classifier(open_population(), store), students, moving=perception.following())
    video = cv2.VideoCapture(str(lesson / "video.mp4"))
    pictures = [video.read()[1] for _ in range(frames)]
    fps = video.get(cv2.CAP_PROP_FPS)
    for index, picture in enumerate(pictures):
        loop.step(CapturedFrame("lesson", index, index / fps, picture))
    return {stage: [1000 * value for value in loop.times.seconds(stage)[WARM:]] for stage in STAGES}


def in_process(package: Path, lesson: Path, shared: Path, frames: int) -> Stages:
    """``measure`` in a process of its own, by the copy of the package that lies in the folder ``package``.

    Raises:
        FewshotError: it does not run.
    """
    environment = os.environ | {"PYTHONPATH": str(package), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    environment.setdefault("FEWSHOT_SHARED", str(shared))
    # -P: the working directory, often a copy too, must not come before the one that is measured.
    command = [sys.executable, "-P", "-m", __spec__.name, str(lesson), str(shared), str(frames)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise FewshotError(f"The copy of the package in {package} does not run:\n{done.stderr[-2000:]}")
    result: Stages = json.loads(done.stdout.splitlines()[-1])
    return result


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))))
