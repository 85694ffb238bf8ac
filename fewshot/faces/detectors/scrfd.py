"""SCRFD (Guo et al. 2021, https://arxiv.org/abs/2105.04714), the default face detector.

The results equal those of insightface's own class (a test compares them). The work before and after the network takes
a sixth of the time.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fewshot.errors import Note
from fewshot.faces.boxes import non_maximum_suppression
from fewshot.faces.detections import Detections
from fewshot.inference.onnx import open_session
from fewshot.types import Frame

_STRIDES = (8, 16, 32)
"""Input pixels between two cells, for each of the network's three grids."""
_ANCHORS = 2
"""Candidates per cell; both have the cell's corner as their origin."""
_SQUEEZE = 1.03
"""A side of the frame is shrunk by up to this factor if that saves a whole row of cells."""
_OVERLAP = 0.4
"""If two boxes overlap by more than this, only the better one is kept."""

_Candidates = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]
"""Boxes (n, 4), scores (n,), landmarks (n, 10)."""


def input_size(width: int, height: int, longest: int) -> tuple[int, int]:
    """Network input (width, height) for a frame: same shape, ``longest`` on the longer side, multiples of 32.

    A side that is up to 3 % longer than a multiple of 32 is shrunk to it. For a 16:9 frame this saves 1/12 of the work,
    and faces are found equally well (docs/explanation/faces.md).

    >>> input_size(1920, 1080, 640), input_size(1080, 1920, 640), input_size(640, 480, 640)
    ((640, 352), (352, 640), (640, 480))
    """
    stride = _STRIDES[-1]
    sides = np.array(shrunk_size(width, height, longest)) / stride
    below = np.floor(sides)
    width, height = (np.maximum(np.where(sides <= _SQUEEZE * below, below, np.ceil(sides)), 1) * stride).astype(int)
    return int(width), int(height)


def shrunk_size(width: int, height: int, longest: int) -> tuple[int, int]:
    """Width and height with ``longest`` pixels on the longer side, at least 1."""
    scale = longest / max(width, height)
    return max(1, int(width * scale + 1e-6)), max(1, int(height * scale + 1e-6))


class ScrfdDetector:
    """One pass of SCRFD over the frame, shrunk to 640 pixels on its longer side. Several threads may call it.

    Args:
        path: the .onnx file with landmarks (``det_500m.onnx`` of the pack buffalo_sc).
        longest: longer side of the network's input, pixels, a multiple of 32. 640 finds every face of a 1080p gallery
            of 49. A larger value finds smaller faces; the time grows with its square.
        threshold: lowest score of a face.
        threads: threads for the network, see ``open_session``.
    """

    name = "scrfd"
    note: Note | None = None

    def __init__(self, path: Path, longest: int = 640, threshold: float = 0.5, threads: int | None = None) -> None:
        self._session = open_session(path, threads)
        self._input = self._session.get_inputs()[0].name
        self._longest, self._threshold = longest, threshold

    def detect(self, frame: Frame) -> Detections:
        """All faces of a BGR frame, shape (height, width, 3)."""
        height, width = frame.shape[:2]
        picture = shrunk(frame, self._longest)
        size = input_size(width, height, self._longest)
        outputs = self._session.run(None, {self._input: as_input(picture, size)})
        boxes, scores, points = candidates(outputs, size[0], self._threshold)
        kept = non_maximum_suppression(boxes, scores, _OVERLAP, end=1)  # a box includes its last pixel
        scale = np.array([width / picture.shape[1], height / picture.shape[0]], np.float32)
        landmarks = points[kept].reshape(-1, 5, 2) * scale
        return Detections.of(boxes[kept] * np.tile(scale, 2), scores[kept], landmarks, frame)


def shrunk(frame: Frame, longest: int) -> Frame:
    """The frame at the size for the network: ``longest`` pixels on its longer side, no larger than the input."""
    height, width = frame.shape[:2]
    size = np.minimum(shrunk_size(width, height, longest), input_size(width, height, longest)).tolist()
    # Linear interpolation is fast and good down to 1/4 of the size; below that it damages the faces of a large photo.
    method = cv2.INTER_AREA if longest < 0.25 * max(width, height) else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(frame, size, interpolation=method), np.uint8)


def as_input(picture: Frame, size: tuple[int, int]) -> NDArray[np.float32]:
    """Red, green and blue planes, -1 to 1, black outside the picture; shape (1, 3, height, width) for ``size``."""
    blob = np.empty((1, 3, size[1], size[0]), np.float32)
    height, width = picture.shape[:2]
    blob[:, :, height:] = blob[:, :, :, width:] = -127.5 / 128
    for target, plane in zip(blob[0, ::-1], cv2.split(picture), strict=True):
        cv2.addWeighted(plane, 1 / 128, plane, 0, -127.5 / 128, target[:height, :width], cv2.CV_32F)
    return blob


def candidates(outputs: Sequence[NDArray[np.float32]], width: int, threshold: float) -> _Candidates:
    """Candidate faces of the network, in pixels of its input; one face may occur several times.

    Args:
        outputs: for every grid scores, shape (cells, 1), then distances to the box's sides, shape (cells, 4), then
            distances to the landmarks, shape (cells, 10), in units of the stride. A leading axis of 1 is allowed.
        width: width of the input, pixels.
        threshold: lowest score.

    Returns:
        Boxes, shape (n, 4), scores, shape (n,), and landmarks, shape (n, 10).
    """
    boxes, scores, points = [], [], []
    for level, stride in enumerate(_STRIDES):
        certainty = outputs[level].ravel()
        rows = np.flatnonzero(certainty >= threshold)
        cells, columns = rows // _ANCHORS, width // stride
        origin = np.stack([cells % columns, cells // columns], axis=1).astype(np.float32) * stride
        sides = outputs[level + 3].reshape(-1, 4)[rows] * stride
        boxes.append(np.hstack([origin - sides[:, :2], origin + sides[:, 2:]]))
        points.append(np.tile(origin, 5) + outputs[level + 6].reshape(-1, 10)[rows] * stride)
        scores.append(certainty[rows])
    return np.concatenate(boxes), np.concatenate(scores), np.concatenate(points)
