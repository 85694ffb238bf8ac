"""Finds faces that fill the picture. A detector needs some background, so a margin is added around the picture."""

from __future__ import annotations

import cv2
import numpy as np

from fewshot.faces.boxes import non_maximum_suppression, pairwise_iou
from fewshot.faces.detections import Detections, Detector
from fewshot.faces.following import FollowingDetector
from fewshot.types import Frame

LARGE = 0.5
"""A face is large if the shorter side of its box is at least this share of the frame's shorter side."""
WEAK = 0.65
"""A large face with a lower score is nearly lost or badly placed: it is searched again with a margin."""
_SAME = 0.4
_GREY = (127, 127, 127)


class AnySizeDetector:
    """A detector that also finds a face that fills the frame: a phone held close, a portrait webcam, a cropped photo.

    Enrollment, the loop and all evaluations use it, so that they get the same crops. It needs a second detection pass
    only if the first pass finds no face, or one large face with a low score. Frames with small faces cost nothing.

    Args:
        inner: the detector.
    """

    def __init__(self, inner: Detector) -> None:
        self.inner, self.name, self.note = inner, inner.name, inner.note

    def detect(self, frame: Frame) -> Detections:
        """All faces of a BGR frame, shape (height, width, 3)."""
        found = self.inner.detect(frame)
        if len(found) and not (_large(found, frame) & (found.scores < WEAK)).any():
            return found
        again = self._with_margin(frame)
        return _better(found, again, frame) if len(found) else again

    def _with_margin(self, frame: Frame) -> Detections:
        """The faces in the frame with a grey margin of half its size around it, in pixels of the frame."""
        height, width = frame.shape[:2]
        top, left = height // 2, width // 2
        padded = cv2.copyMakeBorder(frame, top, top, left, left, cv2.BORDER_CONSTANT, value=_GREY)
        found = self.inner.detect(np.asarray(padded, np.uint8))
        offset = np.array([left, top], np.float32)
        return Detections.of(found.boxes - np.tile(offset, 2), found.scores, found.landmarks - offset, frame)


def any_size(detector: Detector) -> Detector:
    """A detector that finds faces of any size; an ``AnySizeDetector`` is returned unchanged."""
    return detector if isinstance(detector, AnySizeDetector | FollowingDetector) else AnySizeDetector(detector)


def _large(found: Detections, frame: Frame) -> np.ndarray:
    """Which faces are large, shape (n,)."""
    sides = (found.boxes[:, 2:] - found.boxes[:, :2]).min(axis=1)
    return np.asarray(sides >= LARGE * min(frame.shape[:2]))


def _better(found: Detections, again: Detections, frame: Frame) -> Detections:
    """Every face once: the better of two boxes of a large face, and small faces as in the first pass."""
    large = _large(again, frame)
    overlap = pairwise_iou(again.boxes, found.boxes).max(axis=1, initial=0.0)
    added = again[large | (overlap < _SAME)] if len(again) else again
    boxes = np.concatenate([found.boxes, added.boxes])
    scores = np.concatenate([found.scores, added.scores])
    landmarks = np.concatenate([found.landmarks, added.landmarks])
    both = Detections.of(boxes, scores, landmarks, frame)
    return both[non_maximum_suppression(both.boxes, both.scores, _SAME)]
