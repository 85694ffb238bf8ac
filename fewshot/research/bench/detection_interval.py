"""Detecting in every frame, or following faces in between: what it saves and costs on a virtual classroom."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from time import perf_counter

import cv2
import numpy as np
from numpy.typing import NDArray

from fewshot.faces.boxes import pairwise_iou
from fewshot.faces.detections import Detections
from fewshot.faces.following import FollowingDetector
from fewshot.live.loop import Loop
from fewshot.live.sources import CapturedFrame
from fewshot.perception import Perception
from fewshot.prototypes.classifier import Classifier
from fewshot.research.bench.scorecard import score
from fewshot.research.simulation.truth import Truth
from fewshot.types import Face, Frame, FrameResult


class TrueStudents:
    """``Students`` that looks names up in the truth; ``frame`` is set from outside."""

    def __init__(self, truth: Truth) -> None:
        self.truth, self.frame = truth, 0

    def wanted(self, _tracks: Sequence[int], _faces: Sequence[Face], _time: float) -> list[int]:
        """Nobody's identity vector: the truth knows."""
        return []

    def assign(self, faces: Sequence[Face], _time: float) -> list[tuple[str | None, float | None]]:
        """The enrolled student whose true box overlaps the face most, if by at least 0.3."""
        there = [face for face in self.truth.at(self.frame) if face.enrolled]
        if not there or not faces:
            return [(None, None)] * len(faces)
        shared = pairwise_iou(np.array([face.box for face in faces]), np.array([face.box for face in there]))
        return [(there[int(row.argmax())].student if row.max() >= 0.3 else None, None) for row in shared]

    def forget(self, alive: Collection[int]) -> None:
        """Nothing is remembered."""

    def deny(self, track: int, student: str, denied: bool = True) -> None:
        """Nobody denies the truth."""


def nearest(found: Detections, box: Sequence[float]) -> tuple[float, NDArray[np.floating]]:
    """Overlap (0 to 1) of the best of the found faces with a true box, and its landmarks, shape (5, 2)."""
    shared = pairwise_iou(found.boxes, np.array([box]))[:, 0]
    best = int(shared.argmax()) if len(shared) else -1
    return (float(shared[best]), found.landmarks[best]) if best >= 0 else (0.0, np.zeros((5, 2)))


class Measured:
    """A detector whose results are kept."""

    def __init__(self, detector: FollowingDetector) -> None:
        self.detector, self.name, self.note = detector, detector.name, detector.note
        self.found: list[Detections] = []
        self.seconds: list[float] = []

    def detect(self, frame: Frame) -> Detections:
        """Detect, and keep the result and its time."""
        start = perf_counter()
        self.found.append(self.detector.detect(frame))
        self.seconds.append(perf_counter() - start)
        return self.found[-1]


def run(
    lesson: Path, truth: Truth, frames: int, every: int, perception: Perception, reader: Classifier
) -> tuple[Measured, list[FrameResult]]:
    """One run over the video with a look of the detector at every ``every``-th frame.

    Args:
        lesson: folder with video.mp4; truth: who is where in it.
        frames: how many at most.
        perception: its detector is the one that looks.
        reader: reads emotions.

    Returns:
        The detector with everything it found, and the results of all frames.
    """
    detector = Measured(FollowingDetector(perception.detector, every))
    students = TrueStudents(truth)
    loop = Loop(Perception(detector, perception.embedder, perception.recogniser), reader, students)
    video = cv2.VideoCapture(str(lesson / "video.mp4"))
    results: list[FrameResult] = []
    for index in range(min(frames, truth.frames)):
        students.frame = index
        results.append(loop.step(CapturedFrame("lesson", index, index / truth.fps, video.read()[1])).result)
    return detector, results


def row(every: int, truth: Truth, detector: Measured, usual: Measured, results: list[FrameResult]) -> dict[str, str]:
    """One row of the table; ``usual`` looked at every frame."""
    drift, shared, shake = [], [], []
    tails: dict[int, list[NDArray[np.floating]]] = {}
    for index, (found, reference) in enumerate(zip(detector.found, usual.found, strict=True)):
        for face in truth.at(index):
            overlap, points = nearest(found, face.box)
            shared.append(overlap)
            if overlap < 0.5:
                continue
            eyes = float(np.linalg.norm(points[1] - points[0]))
            drift.append(float(np.linalg.norm(points - nearest(reference, face.box)[1], axis=1).mean()) / eyes)
            tail = tails.setdefault(face.seat, [])
            tail[:] = [*tail[-2:], points]
            if len(tail) == 3:
                shake.append(float(np.linalg.norm(tail[0] - 2 * tail[1] + tail[2], axis=1).mean()) / eyes)
    card = score(truth, results, {})
    milliseconds = 1000 * np.array(detector.seconds)
    return {
        "detector looks at": "every frame" if every == 1 else f"one frame in {every}",
        "looks": f"{100 * detector.detector.passes / len(results):.0f} %" if every > 1 else "100 %",
        "ms mean / p95": f"{milliseconds.mean():.1f} / {np.percentile(milliseconds, 95):.1f}",
        "found %": f"{100 * np.mean(np.array(shared) >= 0.5):.2f}",
        "false a frame": f"{card.false_faces:.3f}",
        "IoU": f"{np.mean(shared):.3f}",
        "landmark drift mean / p95": f"{np.mean(drift):.3f} / {np.percentile(drift, 95):.3f}",
        "landmark shake": f"{np.median(shake):.4f}",
        "emotion %": f"{100 * card.emotion.value:.2f}",
        "unsure %": f"{100 * card.unsure.value:.2f}",
        "track switches": str(card.track_switches),
    }
