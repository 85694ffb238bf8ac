"""Positions of the faces in a frame: the result and the interface of every detector."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fewshot.errors import Note
from fewshot.types import Frame


@dataclass(frozen=True)
class Detections:
    """All faces of one frame, best score first; may be empty.

    Attributes:
        boxes: x0, y0, x1, y1 in pixels of the frame, clipped to it, float32, shape (n, 4).
        scores: 0..1, float32, shape (n,).
        landmarks: left eye, right eye, nose, left and right mouth corner (as seen in the picture), pixels of the
            frame (not clipped), float32, shape (n, 5, 2).
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    landmarks: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, chosen: NDArray[np.bool_] | NDArray[np.integer]) -> Detections:
        """A selection of the faces, by a boolean mask or by indices, shape (m,)."""
        return Detections(self.boxes[chosen], self.scores[chosen], self.landmarks[chosen])

    @classmethod
    def of(cls, boxes: ArrayLike, scores: ArrayLike, landmarks: ArrayLike, frame: Frame) -> Detections:
        """Clip boxes to the frame, drop boxes smaller than one pixel, and sort by score."""
        height, width = frame.shape[:2]
        limits = np.array([width, height, width, height], np.float32)
        clipped = np.clip(np.asarray(boxes, np.float32).reshape(-1, 4), 0, limits)
        found = cls(
            clipped, np.asarray(scores, np.float32).ravel(), np.asarray(landmarks, np.float32).reshape(-1, 5, 2)
        )
        order = np.argsort(-found.scores, kind="stable")
        sides = clipped[:, 2:] - clipped[:, :2]
        return found[order[(sides.min(axis=1) >= 1)[order]]] if len(order) else found


class Detector(Protocol):
    """Finds faces.

    Attributes:
        name: short name, for reports.
        note: for the user if this is a replacement for a better detector, else None.
    """

    name: str
    note: Note | None

    def detect(self, frame: Frame) -> Detections:
        """All faces of a BGR frame, shape (height, width, 3)."""
        ...
