"""The fallback detector: an OpenCV cascade finds boxes, and a small network finds landmarks or rejects the box."""

from __future__ import annotations

import threading
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fewshot.errors import Note
from fewshot.faces.boxes import non_maximum_suppression
from fewshot.faces.detections import Detections
from fewshot.inference.onnx import open_session
from fewshot.types import Frame

CASCADE = "haarcascade_frontalface_alt2.xml"
INPUT = 48
"""Side of the landmark network's input, pixels."""
ENLARGED = 1.15
"""The landmark network's input is this much larger than the cascade's box."""

# Rotation of the picture in each search (degrees), and its resolution (share). The cascade misses heads that are tilted
# by more than 15 degrees. Such heads are rarely small, so a lower resolution is enough for them.
_SEARCHES = ((0, 1.0), (20, 0.75), (-20, 0.75))
# SCRFD's box relative to the centre of the landmarks (left, top, right, bottom), in units of their spread (medians).
_BOX = np.array([-1.75, -2.5, 1.75, 2.0], np.float32)
# The framing of the second pass: the median of the cascade's boxes, in units of the landmarks' spread.
_SIDE, _ABOVE = 4.2 * ENLARGED, 0.3

Points = NDArray[np.float32]
Views = NDArray[np.float32]
"""Upright squares for the network: centre x, y and side (pixels of the frame), angle (radians); shape (n, 4)."""


def open_cascade() -> cv2.CascadeClassifier:
    """The frontal cascade in the opencv-python wheel, read from memory: on Windows OpenCV cannot open every path."""
    text = (Path(cv2.__file__).parent / "data" / CASCADE).read_text(encoding="utf-8")
    storage = cv2.FileStorage(text, cv2.FILE_STORAGE_READ | cv2.FILE_STORAGE_MEMORY)
    cascade = cv2.CascadeClassifier()
    cascade.read(storage.getFirstTopLevelNode())
    return cascade


def boxes_around(landmarks: Points) -> NDArray[np.float32]:
    """Boxes as SCRFD would draw them around five landmarks [n, 5, 2], shape (n, 4)."""
    centres, spreads = _centres_and_spreads(landmarks)
    return np.tile(centres, 2) + spreads[:, None] * _BOX


def views_around(landmarks: Points) -> Views:
    """The views of the faces with these landmarks [n, 5, 2], in the framing that suits the network best."""
    centres, spreads = _centres_and_spreads(landmarks)
    across = landmarks[:, 1] - landmarks[:, 0] + landmarks[:, 4] - landmarks[:, 3]
    angles = np.arctan2(across[:, 1], across[:, 0])
    up = np.stack([np.sin(angles), -np.cos(angles)], axis=1)
    middles = centres + up * (_ABOVE * spreads[:, None])
    return np.column_stack([middles, spreads * _SIDE, angles]).astype(np.float32)


def _centres_and_spreads(landmarks: Points) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean of the five points [n, 2], and their root mean square distance from it [n]."""
    centres = landmarks.mean(axis=1)
    return centres, np.sqrt(((landmarks - centres[:, None]) ** 2).sum(axis=2).mean(axis=1))


class CascadeDetector:
    """A cascade (Viola and Jones 2001) that misses few faces, and a network that rejects boxes without a face.

    Args:
        path: ``landmarks.onnx``.
        longest: longer side of the picture that the cascade searches, pixels. Faces need at least 20 pixels there.
        threshold: lowest score of a face, 0..1, from the landmark network.
        note: for the user.
    """

    name = "cascade"

    def __init__(self, path: Path, longest: int = 800, threshold: float = 0.9, note: Note | None = None) -> None:
        self.note = note
        # OpenCV's cascade stores the picture that it searches, so every thread needs its own cascade.
        self._cascades = threading.local()
        self._session = open_session(path)
        self._longest, self._threshold = longest, threshold

    def _cascade(self) -> cv2.CascadeClassifier:
        if not hasattr(self._cascades, "own"):
            self._cascades.own = open_cascade()
        own: cv2.CascadeClassifier = self._cascades.own
        return own

    def detect(self, frame: Frame) -> Detections:
        """All faces of a BGR frame, shape (height, width, 3)."""
        grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
        views = self._candidates(grey)
        landmarks, first = self._find_landmarks(grey, views)
        kept = self._sure(landmarks, first, self._threshold / 2)
        # A second pass, centred on the landmarks, makes them more exact. A false detection rarely passes twice.
        landmarks, second = self._find_landmarks(grey, views_around(landmarks[kept]))
        scores = np.minimum(first[kept], second)
        kept = self._sure(landmarks, scores, self._threshold)
        landmarks, scores = landmarks[kept], scores[kept]
        return Detections.of(boxes_around(landmarks), scores, landmarks, frame)

    @staticmethod
    def _sure(landmarks: Points, scores: NDArray[np.float32], threshold: float) -> NDArray[np.int64]:
        """Indices of the candidates with a score above the threshold; only the best of each face."""
        above = np.flatnonzero(scores > threshold)
        return above[non_maximum_suppression(boxes_around(landmarks[above]), scores[above], 0.3)]

    def _candidates(self, grey: NDArray[np.uint8]) -> Views:
        """Candidate faces of the cascade, upright and tilted."""
        found = [np.zeros((0, 4), np.float32)]
        for degrees, share in _SEARCHES:
            scale = min(1.0, self._longest / max(grey.shape)) * share
            picture = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else grey
            turn = _turned(picture.shape, degrees)
            if degrees:
                size = np.abs(turn[:, :2]) @ (picture.shape[1], picture.shape[0])
                picture = cv2.warpAffine(picture, turn, (int(size[0]), int(size[1])))
            # Coarse steps and one neighbour: fast, and finds as many faces as fine steps. Histogram equalisation would
            # miss faces and add false ones.
            rows = self._cascade().detectMultiScale(picture, scaleFactor=1.2, minNeighbors=1, minSize=(20, 20))
            boxes = np.array(rows, np.float32).reshape(-1, 4)
            back = cv2.invertAffineTransform(turn)
            middles = (boxes[:, :2] + boxes[:, 2:] / 2) @ back[:, :2].T + back[:, 2]
            angles = np.full(len(boxes), np.arctan2(turn[0, 1], turn[0, 0]))
            found.append(np.column_stack([middles / scale, boxes[:, 2] * ENLARGED / scale, angles]))
        return np.concatenate(found).astype(np.float32)

    def _find_landmarks(self, grey: NDArray[np.uint8], views: Views) -> tuple[Points, NDArray[np.float32]]:
        """Landmarks [n, 5, 2] in pixels of the frame, and scores [n], of n views in one batch."""
        if not len(views):
            return np.zeros((0, 5, 2), np.float32), np.zeros(0, np.float32)
        outputs = self._session.run(None, {"crops": _crops(grey, views)})[0]
        cosine, sine = np.cos(views[:, 3]), np.sin(views[:, 3])
        turns = np.stack([np.stack([cosine, -sine], -1), np.stack([sine, cosine], -1)], axis=1)
        offsets = outputs[:, :10].reshape(-1, 5, 2) * views[:, 2, None, None]
        landmarks = offsets @ turns.transpose(0, 2, 1) + views[:, None, :2]
        return landmarks.astype(np.float32), 1 / (1 + np.exp(-outputs[:, 10]))


def _turned(shape: tuple[int, ...], degrees: float) -> NDArray[np.float64]:
    """The 2x3 matrix that rotates a picture counter-clockwise onto the smallest canvas that contains it."""
    height, width = shape[:2]
    matrix = np.asarray(cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0), np.float64)
    matrix[:, 2] += (np.abs(matrix[:, :2]) @ (width, height) - (width, height)) / 2
    return matrix


def _crops(grey: NDArray[np.uint8], views: Views) -> NDArray[np.float32]:
    """The views at the network's size, 0..1, shape (n, 1, 48, 48). Outside the picture its edge is repeated."""
    # To avoid aliasing, the picture is first halved until a factor of at most two is left for each view.
    halvings = np.clip(np.log2(np.maximum(views[:, 2] / INPUT, 1)).astype(int), 0, 5)
    levels = [grey]
    for _ in range(int(halvings.max(initial=0))):
        levels.append(cv2.resize(levels[-1], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
    crops = np.empty((len(views), 1, INPUT, INPUT), np.float32)
    for crop, (x, y, side, angle), halved in zip(crops, views, halvings, strict=True):
        picture = levels[halved]
        ratio = np.array([picture.shape[1] / grey.shape[1], picture.shape[0] / grey.shape[0]])
        scale = INPUT / side
        linear = scale * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) / ratio
        shift = INPUT / 2 - linear @ (ratio * (x, y))
        matrix = np.column_stack([linear, shift])
        crop[0] = cv2.warpAffine(picture, matrix, (INPUT, INPUT), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(crops / 255, np.float32)
