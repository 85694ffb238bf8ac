"""Finds faces that fill the picture. A detector needs some background, so a margin is added around the picture."""

from __future__ import annotations

import cv2
import numpy as np

from fewshot.faces.detections import Detections, Detector
from fewshot.faces.following import FollowingDetector
from fewshot.types import Frame

_GREY = (127, 127, 127)


class AnySizeDetector:
    """A detector that also finds a face that fills the frame: a phone held close, a portrait webcam, a cropped photo.

    Enrollment, the loop and all evaluations use it, so that they get the same crops. It needs a second detection pass
    only if the first pass finds no face; what the first pass finds stays as it is.

    Args:
        inner: the detector.
    """

    def __init__(self, inner: Detector) -> None:
        self.inner, self.name, self.note = inner, inner.name, inner.note

    def detect(self, frame: Frame) -> Detections:
        """All faces of a BGR frame, shape (height, width, 3)."""
        found = self.inner.detect(frame)
        return found if len(found) else self._with_margin(frame)

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
