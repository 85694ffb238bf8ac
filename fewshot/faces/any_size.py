"""Finds faces that fill the picture, and faces that are upside down, which a detector alone misses or misjudges."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from fewshot.faces.boxes import pairwise_iou
from fewshot.faces.detections import Detections, Detector
from fewshot.faces.following import FollowingDetector
from fewshot.types import Frame

_GREY = (127, 127, 127)
_DOUBTFUL = 0.72
"""A face with a lower score may be upside down. SCRFD on CFEE: upright 0.78 to 0.90, upside down 0.70 or less, or not
found at all (13 %). It then puts the eyes where the mouth is, so the landmarks look upright."""
_BETTER = 0.12
"""A face is upside down if the turned frame gives a score that is higher by this much. On CFEE 98 % of such faces, and
none of the upright ones, also if dark, blurred, small or tilted by 45 degrees; with the mouth covered 2 of 63."""
_SURE = 0.72
"""Lowest score in the turned frame of a face that the upright frame does not show."""
_SAME_FACE = 0.3
"""Smallest overlap of two boxes of one face."""
_CERTAIN = 0.78
"""Score of a face that is certainly upright. If it is doubtful in the next pass, the phone may have been turned."""
_READABLE = 26.0
"""Smaller faces, in pixels, are not readable anyway, so they are not checked."""

VIDEO_REST = 10
"""Detection passes of a video without a search, after one that found no face upside down: about a second."""


class AnySizeDetector:
    """A detector that also finds a face that fills the frame: a phone held close, a portrait webcam, a cropped photo.

    A face that is upside down gets its true landmarks: then its roll is about 180 degrees, and it is not classified.

    Enrollment, the loop and all evaluations use it, so that they get the same crops. It needs a second detection pass
    only if the first pass finds no face or doubtful ones; all other faces stay as they are.

    Args:
        inner: the detector.
        rest: after a frame in which no face was upside down, so many frames are not searched for such faces, unless a
            face that was certain is suddenly doubtful. In a video of a full class some face is always doubtful, and a
            search costs as much as the detection itself.
    """

    def __init__(self, inner: Detector, rest: int = 0) -> None:
        self.inner, self.name, self.note = inner, inner.name, inner.note
        self._rest, self._left = rest, 0
        self._before: Detections | None = None  # of the last pass, if ``rest`` is set

    def detect(self, frame: Frame) -> Detections:
        """All faces of a BGR frame, shape (height, width, 3)."""
        found = self.inner.detect(frame)
        if not len(found):
            found = self._with_margin(frame)
        sudden, self._before = self._sudden(found), found if self._rest else None
        if self._left and not sudden:
            self._left -= 1
            return found
        checked = self._check(frame, found)
        # If a face is upside down, the next frames are searched too: it stays that way for a while.
        self._left = self._rest if checked is found or not len(checked) else 0
        return checked

    def for_video(self) -> AnySizeDetector:
        """The same detector for the frames of one video, one at a time: it does not search every frame for faces that
        are upside down."""
        return AnySizeDetector(self.inner, rest=VIDEO_REST)

    def _sudden(self, found: Detections) -> bool:
        """Whether a face is doubtful in whose place the last pass had a certain one, or none at all."""
        if self._before is None or not len(self._before) or not len(found):
            return False
        doubtful = _doubtful(found)
        alike = pairwise_iou(found.boxes[doubtful], self._before.boxes) > _SAME_FACE
        return bool((alike & (self._before.scores < _CERTAIN)).any(axis=1).sum() < doubtful.sum())

    def _check(self, frame: Frame, found: Detections) -> Detections:
        """The faces, those that are upside down corrected; ``found`` itself if there are none."""
        if not len(found):
            # The cascades take a second for an empty frame, and find no face that is upside down by mistake.
            turned = self._turned(frame) if self.name != "cascade" else found
            return turned[turned.scores >= _SURE]
        doubtful = _doubtful(found)
        return self._upside_down(frame, found, doubtful) if doubtful.any() else found

    def _turned(self, frame: Frame) -> Detections:
        """The faces in the frame turned by 180 degrees, in pixels of the frame."""
        height, width = frame.shape[:2]
        found = self.inner.detect(np.ascontiguousarray(frame[::-1, ::-1]))
        corner = np.array([width, height], np.float32)
        boxes = np.tile(corner, 2) - found.boxes[:, [2, 3, 0, 1]]
        # A pixel is a point here, not a square: the last one is at the width minus one.
        return Detections.of(boxes, found.scores, corner - 1 - found.landmarks, frame)

    def _upside_down(self, frame: Frame, found: Detections, doubtful: NDArray[np.bool_]) -> Detections:
        """The faces, with those of the turned frame in place of doubtful ones that are upside down."""
        turned = self._turned(frame)
        alike = pairwise_iou(found.boxes, turned.boxes) > _SAME_FACE
        better = turned.scores >= found.scores[:, None] + _BETTER
        pairs = alike & better & doubtful[:, None]
        if not pairs.any():
            return found
        chosen = np.where(pairs, turned.scores, -1.0).argmax(axis=1)
        boxes, scores, landmarks = found.boxes.copy(), found.scores.copy(), found.landmarks.copy()
        for row in np.flatnonzero(pairs.any(axis=1)).tolist():
            boxes[row], scores[row] = turned.boxes[chosen[row]], turned.scores[chosen[row]]
            landmarks[row] = turned.landmarks[chosen[row]]
        return Detections.of(boxes, scores, landmarks, frame)

    def _with_margin(self, frame: Frame) -> Detections:
        """The faces in the frame with a grey margin of half its size around it, in pixels of the frame."""
        height, width = frame.shape[:2]
        top, left = height // 2, width // 2
        padded = cv2.copyMakeBorder(frame, top, top, left, left, cv2.BORDER_CONSTANT, value=_GREY)
        found = self.inner.detect(np.asarray(padded, np.uint8))
        offset = np.array([left, top], np.float32)
        return Detections.of(found.boxes - np.tile(offset, 2), found.scores, found.landmarks - offset, frame)


def _doubtful(found: Detections) -> NDArray[np.bool_]:
    """Which faces may be upside down, shape (n,)."""
    sides = (found.boxes[:, 2:] - found.boxes[:, :2]).min(axis=1)
    return np.asarray((found.scores < _DOUBTFUL) & (sides >= _READABLE), np.bool_)


def any_size(detector: Detector) -> Detector:
    """A detector that finds faces of any size; an ``AnySizeDetector`` is returned unchanged."""
    return detector if isinstance(detector, AnySizeDetector | FollowingDetector) else AnySizeDetector(detector)
