"""Boxes x0, y0, x1, y1: how much they overlap, and which of several boxes of one face is kept."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fewshot.types import Face

Boxes = NDArray[np.floating[Any]]


def pairwise_iou(boxes: Boxes, others: Boxes, end: float = 0.0) -> Boxes:
    """Intersection over union of all boxes with all others.

    Args:
        boxes: pixels, shape (n, 4); n may be 0.
        others: pixels, shape (m, 4).
        end: added to every side length; 1 if the last pixel belongs to the box.

    Returns:
        Overlaps 0..1 with the data type of the boxes, shape (n, m).
    """
    x0, y0, x1, y1 = boxes.reshape(-1, 4).T
    a0, b0, a1, b1 = others.reshape(-1, 4).T
    wide = np.minimum.outer(x1, a1) - np.maximum.outer(x0, a0) + end
    high = np.minimum.outer(y1, b1) - np.maximum.outer(y0, b0) + end
    shared = np.maximum(wide, 0) * np.maximum(high, 0)
    areas = np.add.outer((x1 - x0 + end) * (y1 - y0 + end), (a1 - a0 + end) * (b1 - b0 + end))
    return np.asarray(shared / np.maximum(areas - shared, 1e-6))


def non_maximum_suppression(
    boxes: Boxes, scores: NDArray[np.float32], limit: float, end: float = 0.0
) -> NDArray[np.int64]:
    """The boxes to keep: if boxes overlap by more than ``limit``, only the one with the best score.

    Args:
        boxes: pixels, shape (n, 4).
        scores: shape (n,).
        limit: intersection over union, 0..1.
        end: see ``pairwise_iou``.

    Returns:
        Indices of the kept boxes, best score first, shape (m,).
    """
    order = np.argsort(-scores, kind="stable")
    rivals = pairwise_iou(boxes[order], boxes[order], end) > limit
    dropped = np.zeros(len(order), bool)
    kept = []
    for row, index in enumerate(order):
        if not dropped[row]:
            kept.append(index)
            dropped |= rivals[row]
    return np.array(kept, np.int64)


def face_area(face: Face) -> float:
    """Area of the face's box in square pixels."""
    return box_area(face.box)


def box_area(box: Boxes) -> float:
    """Area of one box in square pixels."""
    width, height = box[2:] - box[:2]
    return float(width * height)


def largest_face(faces: Iterable[Face]) -> Face | None:
    """The face with the largest box; None without faces."""
    return max(faces, key=face_area, default=None)
