"""Face detectors on the same pictures: faces found, false alarms, error of the landmarks, milliseconds."""

from __future__ import annotations

import csv
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from fewshot.errors import SourceError
from fewshot.faces.any_size import any_size
from fewshot.faces.boxes import pairwise_iou
from fewshot.faces.detections import Detector
from fewshot.faces.detectors.scrfd import ScrfdDetector
from fewshot.types import Frame

SMALLEST = 0.025
"""Smaller than this share of the longer side is a face in the far background, in nobody's lesson."""


def gallery(shared: Path, seed: int, side: int = 7) -> Frame:
    """A 1080p gallery view of 49 CFEE subjects."""
    with (shared / "data/subjects.csv").open(newline="") as table:
        rows = [row for row in csv.DictReader(table) if row["dataset"].startswith("cfee")]
    rng = np.random.default_rng(seed)
    subjects = rng.choice(sorted({row["subject"] for row in rows}), side * side, replace=False)
    height, width = 1080 // side, 1920 // side
    frame = np.full((1080, 1920, 3), 24, np.uint8)
    for tile, subject in enumerate(subjects):
        paths = [row["path"] for row in rows if row["subject"] == subject]
        picture = _read(shared / "data" / paths[rng.integers(len(paths))])
        scale = max(width / picture.shape[1], height / picture.shape[0])
        picture = np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
        top, left = (picture.shape[0] - height) // 2, (picture.shape[1] - width) // 2
        y, x = tile // side * height, tile % side * width
        frame[y : y + height, x : x + width] = picture[top : top + height, left : left + width]
    return frame


def _read(path: Path) -> Frame:
    picture = cv2.imread(str(path))
    if picture is None:
        raise SourceError(f"Cannot read {path}. The detectors are compared on it: put the data in place.")
    return np.asarray(picture, np.uint8)


def pictures(shared: Path) -> Iterator[tuple[str, Frame]]:
    """(group, picture) of everything that is measured on.

    Raises:
        SourceError: a picture cannot be read.
    """
    import insightface

    yield "sample (6)", _read(Path(insightface.__file__).parent / "data/images/t1.jpg")
    for seed in range(2):
        yield "galleries 7x7", gallery(shared, seed)
    for path in sorted((shared / "data/scenes").glob("*.jpg")):
        yield "group photos", _read(path)
    for group, name, step in (("meeting video", "paulromeo_faces.mp4", 30), ("no face", "pyfeat_no_face.mp4", 10)):
        video, index = cv2.VideoCapture(str(shared / "data/scenes" / name)), 0
        while video.grab():
            if index % step == 0:
                yield group, np.asarray(video.retrieve()[1], np.uint8)
            index += 1


def table(detectors: list[Detector], shared: Path) -> list[str]:
    """Rows of markdown: found / there and false alarms, for every group of pictures."""
    reference = ScrfdDetector(shared / "models/insightface/models/buffalo_sc/det_500m.onnx", longest=1280)
    counts: dict[str, dict[str, list[int]]] = {}
    for group, picture in pictures(shared):
        truth = reference.detect(picture).boxes
        large = (truth[:, 2:] - truth[:, :2]).min(axis=1, initial=9999) >= SMALLEST * max(picture.shape)
        row = counts.setdefault(group, {detector.name: [0, 0, 0] for detector in detectors})
        for detector in detectors:
            match = pairwise_iou(detector.detect(picture).boxes, truth) > 0.4
            row[detector.name][0] += int((match.any(axis=0) & large).sum())
            row[detector.name][1] += int(large.sum())
            row[detector.name][2] += int((~match.any(axis=1)).sum())
    lines = ["| faces found, false alarms | " + " | ".join(d.name for d in detectors) + " |"]
    lines.append("|---" * (len(detectors) + 1) + "|")
    for group, row in counts.items():
        cells = [f"{found}/{there}, {false}" for found, there, false in row.values()]
        lines.append(f"| {group} | " + " | ".join(cells) + " |")
    return lines


def landmark_error(detector: Detector, shared: Path) -> str:
    """Mean distance to the reference's points, in units of the distance between the eyes, on CK+."""
    reference = ScrfdDetector(shared / "models/insightface/models/buffalo_sc/det_500m.onnx", longest=320)
    errors, there = [], 0
    for path in sorted((shared / "data/ckplus").rglob("*.png"))[::5]:
        photo = _read(path)
        truth, found = any_size(reference).detect(photo), any_size(detector).detect(photo)
        there += len(truth) > 0
        if len(truth) and len(found):
            eyes = np.linalg.norm(truth.landmarks[0, 0] - truth.landmarks[0, 1])
            errors.append(np.linalg.norm(truth.landmarks[0] - found.landmarks[0], axis=1).mean() / eyes)
    median, worst = np.percentile(errors, [50, 95])
    return f"{np.mean(errors):.3f} ({median:.3f}, {worst:.3f}; {len(errors)}/{there})"


def milliseconds(detector: Detector, frame: Frame, repeats: int = 15) -> str:
    """Median time of a frame."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        detector.detect(frame)
        seconds.append(time.perf_counter() - start)
    return f"{np.median(seconds) * 1000:.0f}"
