"""The fallback: OpenCV's cascades find boxes, a small network of our own says where the landmarks are, or "no face"."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fewshot.faces.detector import Detections
from fewshot.faces.onnx import open_session
from fewshot.faces.tracker import pairwise_iou
from fewshot.types import Frame

CASCADES = ("haarcascade_frontalface_alt2.xml", "haarcascade_frontalface_default.xml")
INPUT = 48
"""Side of the landmark network's input, pixels."""

# The landmark network sees a little more than the box.
ENLARGED = 1.15
# From the spread of the landmarks to SCRFD's box: half width, half height above and below their centre.
_BOX = np.array([-1.80, -2.05, 1.80, 2.55], np.float32)


def open_cascades() -> list[cv2.CascadeClassifier]:
    """The frontal cascades in the opencv-python wheel, read from memory: on Windows OpenCV cannot open every path."""
    opened = []
    for name in CASCADES:
        text = (Path(cv2.data.haarcascades) / name).read_text(encoding="utf-8")
        storage = cv2.FileStorage(text, cv2.FILE_STORAGE_READ | cv2.FILE_STORAGE_MEMORY)
        cascade = cv2.CascadeClassifier()
        cascade.read(storage.getFirstTopLevelNode())
        opened.append(cascade)
    return opened


def squares(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """What the landmark network sees of every box [n, 4]: a square around it, shape (n, 4)."""
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    halves = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True, initial=0) * ENLARGED / 2
    return np.concatenate([middles - halves, middles + halves], axis=1)


def boxes_around(landmarks: NDArray[np.float32]) -> NDArray[np.float32]:
    """Boxes as SCRFD would draw them around five landmarks [n, 5, 2], shape (n, 4)."""
    centres = landmarks.mean(axis=1)
    spreads = np.sqrt(((landmarks - centres[:, None]) ** 2).sum(axis=2).mean(axis=1))
    return np.tile(centres, 2) + spreads[:, None] * _BOX


def without_overlaps(boxes: NDArray[np.float32], scores: NDArray[np.float32], limit: float) -> NDArray[np.int64]:
    """Indices of boxes [n, 4], best first, leaving out whatever overlaps a better one by more than ``limit``."""
    order = np.argsort(-scores, kind="stable")
    overlaps = pairwise_iou(boxes, boxes)
    kept: list[int] = []
    for index in order:
        if not kept or overlaps[index, kept].max() <= limit:
            kept.append(int(index))
    return np.array(kept, np.int64)


class CascadeDetector:
    """Two cascades (Viola and Jones 2001) set to miss little, and a network that throws out what is no face.

    Args:
        path: ``landmarks.onnx``.
        longest: longer side of the picture that the cascades search, pixels. They find faces from 20 pixels there.
        threshold: lowest score of a face, 0..1, by the landmark network.
        note: one line for the user.
    """

    name = "cascade"

    def __init__(self, path: Path, longest: int = 800, threshold: float = 0.5, note: str | None = None) -> None:
        self.note = note
        self._cascades = open_cascades()
        self._session = open_session(path)
        self._longest, self._threshold = longest, threshold

    def detect(self, frame: Frame) -> Detections:
        """All faces of a BGR frame, shape (height, width, 3)."""
        grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
        candidates = self._candidates(grey)
        landmarks, scores = self._landmarks(grey, candidates)
        sure = scores > self._threshold * 0.5
        # Looking again where the landmarks are halves their error, and judges a badly framed face better.
        again = boxes_around(landmarks[sure])
        landmarks, scores = self._landmarks(grey, again)
        boxes = boxes_around(landmarks)
        sure = scores > self._threshold
        boxes, scores, landmarks = boxes[sure], scores[sure], landmarks[sure]
        kept = without_overlaps(boxes, scores, 0.3)
        return Detections.of(boxes[kept], scores[kept], landmarks[kept], frame)

    def _candidates(self, grey: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Boxes that a cascade takes for faces, shape (n, 4)."""
        scale = min(1.0, self._longest / max(grey.shape))
        small = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else grey
        found = []
        for cascade in self._cascades:
            # Coarse steps and one neighbour: fast, and as many faces as with fine steps. Equalising the histogram
            # loses faces and adds mistakes.
            rows = cascade.detectMultiScale(small, scaleFactor=1.2, minNeighbors=1, minSize=(20, 20))
            found.append(np.array(rows, np.float32).reshape(-1, 4))
        boxes = np.concatenate(found) / scale
        boxes[:, 2:] += boxes[:, :2]
        return boxes

    def _landmarks(
        self, grey: NDArray[np.uint8], boxes: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Landmarks [n, 5, 2] in pixels and scores [n] of boxes [n, 4], in one batch."""
        if not len(boxes):
            return np.zeros((0, 5, 2), np.float32), np.zeros(0, np.float32)
        seen = squares(boxes)
        batch = np.empty((len(boxes), 1, INPUT, INPUT), np.float32)
        for row, (x0, y0, x1, y1) in zip(batch, seen, strict=True):
            row[0] = _cut(grey, x0, y0, x1, y1)
        outputs = self._session.run(None, {"crops": batch / 255})[0]
        sides = (seen[:, 2] - seen[:, 0])[:, None, None]
        middles = (seen[:, None, :2] + seen[:, None, 2:]) / 2
        points = outputs[:, :10].reshape(-1, 5, 2) * sides + middles
        return points.astype(np.float32), 1 / (1 + np.exp(-outputs[:, 10]))


def _cut(grey: NDArray[np.uint8], x0: float, y0: float, x1: float, y1: float) -> NDArray[np.uint8]:
    """A square of the picture at the network's size; beyond the edge the edge is repeated."""
    scale = INPUT / (x1 - x0)
    if scale < 0.5:  # warpAffine picks pixels, which aliases when it shrinks much
        height, width = grey.shape
        left, top, right, bottom = max(0, int(x0)), max(0, int(y0)), min(width, int(x1) + 1), min(height, int(y1) + 1)
        part = grey[top:bottom, left:right]
        grey = cv2.resize(part, None, fx=2 * scale, fy=2 * scale, interpolation=cv2.INTER_AREA)
        x0, y0, scale = (x0 - left) * 2 * scale, (y0 - top) * 2 * scale, 0.5
    matrix = np.array([[scale, 0, -scale * x0], [0, scale, -scale * y0]], np.float32)
    return np.asarray(cv2.warpAffine(grey, matrix, (INPUT, INPUT), borderMode=cv2.BORDER_REPLICATE), np.uint8)
