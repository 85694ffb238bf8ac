"""Runs the detector only in some frames: between two detection passes the landmarks are followed."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fewshot.faces.align import apply, similarity_transforms
from fewshot.faces.detections import Detections, Detector
from fewshot.types import Frame

EVERY = 3
"""Frames from one detection pass to the next; docs/explanation/faces.md shows the effect of other values."""
_LONGEST = 960
"""Longer side, in pixels, of the grey picture in which points are followed."""
_BLOCK = 10
"""Side, in pixels of that picture, of the blocks in which changes of the scene are searched ..."""
_CHANGED = 24.0
"""... and the number of grey levels by which a block outside the faces must change to count."""
_MISFIT = 0.12
"""Largest distance between a followed point and its place after the face's movement, in units of the eye distance."""
_STRETCH = 0.1
"""Largest relative change of a face's size from one frame to the next."""

_Grey = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class _Memory:
    """The frame before: its grey picture, its blocks, its faces, and the frames since the last detection pass."""

    grey: _Grey
    blocks: _Grey
    faces: Detections
    age: int


class FollowingDetector:
    """Runs a detector in every ``every``-th frame, and follows the faces in between (Lucas and Kanade 1981).

    The five points of a face move together: the best-fitting similarity transform moves its box and landmarks. The
    detector runs at once if the fit is bad, if a face leaves, or if something changes outside the faces (a new person,
    a cut). A frame that is the same as the one the detector saw last costs next to nothing.

    One object follows one video: frames must come in order, one at a time.

    Args:
        detector: finds the faces.
        every: largest number of frames from one detection pass to the next.

    Attributes:
        passes: number of detection passes so far.
    """

    def __init__(self, detector: Detector, every: int = EVERY) -> None:
        self.detector, self.every = detector, every
        self.name, self.note = detector.name, detector.note
        self.passes = 0
        self._memory: _Memory | None = None
        self._lock = threading.Lock()

    def detect(self, frame: Frame, whole: NDArray[np.uint8] | None = None) -> Detections:
        """All faces of the next frame.

        Args:
            frame: BGR, shape (height, width, 3).
            whole: the same in grey, shape (height, width), if it is there already.
        """
        if self.every < 2:
            return self.detector.detect(frame)
        with self._lock:
            grey, scale = _shrunk(np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)) if whole is None else whole)
            before, faces, age = self._memory, None, 0
            if before is not None and before.age == 0 and np.array_equal(before.grey, grey):
                return before.faces  # a frozen or flat picture: the detector would find the same again
            blocks = _means(grey)
            if before is not None and before.grey.shape == grey.shape and before.age + 1 < self.every:
                faces, age = self._follow(before, grey, blocks, scale, frame), before.age + 1
            if faces is None:
                faces, age = self.detector.detect(frame), 0
                self.passes += 1
            self._memory = _Memory(grey, blocks, faces, age)
            return faces

    def _follow(self, before: _Memory, grey: _Grey, blocks: _Grey, scale: float, frame: Frame) -> Detections | None:
        """The faces of the frame before at their new positions; None if the detector has to run."""
        if _scene_changed(before, blocks, scale):
            return None
        faces = before.faces
        if not len(faces):
            return faces
        points = (faces.landmarks.reshape(-1, 1, 2) * scale).astype(np.float32)
        moved, found, _ = cv2.calcOpticalFlowPyrLK(
            before.grey, grey, points, np.empty_like(points), winSize=(11, 11), maxLevel=1, criteria=(3, 10, 0.03)
        )
        if not found.all():
            return None
        targets = moved.reshape(-1, 5, 2) / np.float32(scale)
        matrices = similarity_transforms(faces.landmarks, targets)
        landmarks = apply(matrices, faces.landmarks)
        eyes = np.linalg.norm(faces.landmarks[:, 1] - faces.landmarks[:, 0], axis=1)
        misfit = np.linalg.norm(landmarks - targets, axis=2).max(axis=1) / np.maximum(eyes, 1e-6)
        growth = np.linalg.norm(matrices[:, :, 0], axis=1)
        if (misfit > _MISFIT).any() or (np.abs(growth - 1) > _STRETCH).any():
            return None
        return Detections.of(_moved(faces.boxes, matrices, growth), faces.scores, landmarks, frame)


def _shrunk(grey: _Grey) -> tuple[_Grey, float]:
    """The grey frame at the size in which points are followed, and its scale."""
    scale = min(1.0, _LONGEST / max(grey.shape))
    small = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR) if scale < 1 else grey
    return np.asarray(small, np.uint8), scale


def _means(grey: _Grey) -> _Grey:
    """Mean of every block; incomplete blocks at the right and at the bottom are left out."""
    height, width = (max(1, side // _BLOCK) for side in grey.shape)
    whole = grey[: height * _BLOCK, : width * _BLOCK]
    return np.asarray(cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _scene_changed(before: _Memory, blocks: _Grey, scale: float) -> bool:
    """Whether the picture changed outside the followed faces."""
    changed = cv2.absdiff(before.blocks, blocks) > _CHANGED
    if not changed.any():
        return False
    for x0, y0, x1, y1 in before.faces.boxes * (scale / _BLOCK):
        changed[int(y0) : int(y1) + 2, int(x0) : int(x1) + 2] = False
    return bool(changed.any())


def _moved(
    boxes: NDArray[np.float32], matrices: NDArray[np.float32], growth: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Upright boxes that move and grow with their faces."""
    middles = np.asarray((boxes[:, :2] + boxes[:, 2:]) / 2, np.float32)
    centres = apply(matrices, middles[:, None])[:, 0]
    halves = (boxes[:, 2:] - boxes[:, :2]) / 2 * growth[:, None]
    return np.concatenate([centres - halves, centres + halves], axis=1)
