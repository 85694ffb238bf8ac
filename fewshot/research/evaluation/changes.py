"""What goes wrong with a picture before anybody reads it: blur, compression, distance, darkness, glasses, hands."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fewshot.types import Face, Frame

Finder = Callable[[Frame], Face | None]
"""The face of a picture, with landmarks; None if there is none, and then the picture stays as it is."""

SMALL = 32
"""Shorter side of a small face's box, pixels."""
_CANVAS = (384, 640)
"""Height and width of the picture that a small face is put into: half of a 720p call."""
_GLASSES = (30, 26, 24)
_CLOTH = (168, 160, 150)


def blur(frame: Frame, face: Face) -> Frame:
    """Out of focus: Gaussian of 6 % of the distance between the eyes."""
    return np.asarray(cv2.GaussianBlur(frame, (0, 0), max(0.06 * _eye_distance(face), 0.3)), np.uint8)


def jpeg20(frame: Frame, _face: Face) -> Frame:
    """Saved as JPEG of quality 20, as bad calls are."""
    _, coded = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, 20])
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)


def small(frame: Frame, face: Face) -> Frame:
    """A face of 32 pixels in a grey picture of 640x384: the detector has to find it there."""
    zoom = SMALL / float((face.box[2:] - face.box[:2]).min())
    zoom = min(zoom, *(most / length for most, length in zip(_CANVAS, frame.shape[:2], strict=True)))
    height, width = (max(1, round(length * zoom)) for length in frame.shape[:2])
    canvas = np.full((*_CANVAS, 3), 127, np.uint8)
    top, left = (_CANVAS[0] - height) // 2, (_CANVAS[1] - width) // 2
    canvas[top : top + height, left : left + width] = cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA)
    return canvas


def dark(frame: Frame, _face: Face) -> Frame:
    """An eighth of the light, with a sensor's noise, which depends on nothing but the picture."""
    noise = np.random.default_rng(zlib.crc32(frame.tobytes())).normal(0, 2.0, frame.shape)
    return np.clip(np.rint(frame / 8.0 + noise), 0, 255).astype(np.uint8)


def glasses(frame: Frame, face: Face) -> Frame:
    """Dark-rimmed glasses, drawn to the eyes."""
    drawn = frame.copy()
    left, right = (face.landmarks[place].astype(np.float64) for place in (0, 1))
    along, apart = right - left, _eye_distance(face)
    angle = float(np.degrees(np.arctan2(along[1], along[0])))
    axes = (max(1, round(0.36 * apart)), max(1, round(0.27 * apart)))
    thick = max(1, round(0.055 * apart))
    for eye in (left, right):
        cv2.ellipse(drawn, _pixel(eye), axes, angle, 0, 360, _GLASSES, thick, cv2.LINE_AA)
    outward = along * 0.36
    temples = [(eye + way, eye + 2.6 * way) for eye, way in ((left, -outward), (right, outward))]
    for one, other in ((left + outward, right - outward), *temples):
        cv2.line(drawn, _pixel(one), _pixel(other), _GLASSES, thick, cv2.LINE_AA)
    return drawn


def mouth_covered(frame: Frame, face: Face) -> Frame:
    """The lower half behind a mask, from the nose down to below the chin."""
    return _covered(frame, face, [(-1.05, 0.42), (0.0, 0.30), (1.05, 0.42), (0.85, 1.55), (0.0, 1.95), (-0.85, 1.55)])


def side_covered(frame: Frame, face: Face) -> Frame:
    """The half on the left of the picture behind a hand or another head."""
    return _covered(frame, face, [(0.0, -1.1), (0.0, 2.0), (-1.3, 2.0), (-1.3, -1.1)])


CHANGES: dict[str, Callable[[Frame, Face], Frame]] = {
    "blur": blur,
    "JPEG 20": jpeg20,
    "32-pixel face": small,
    "dark": dark,
    "glasses": glasses,
    "mouth covered": mouth_covered,
    "one side covered": side_covered,
}


@dataclass(frozen=True)
class Spoiled:
    """One of ``CHANGES``, done to the largest face of a picture.

    Attributes:
        name: which one.
        find: tells where the face is, on the picture as it was.
    """

    name: str
    find: Finder

    def __call__(self, frame: Frame) -> Frame:
        face = self.find(frame)
        return frame if face is None else CHANGES[self.name](frame, face)


def _covered(frame: Frame, face: Face, corners: list[tuple[float, float]]) -> Frame:
    """A flat shape over the face; corners in eye distances from between the eyes, x along the eyes, y down the face."""
    left, right, _, *mouth = face.landmarks.astype(np.float64)
    across = right - left
    down = np.mean(mouth, axis=0) - (left + right) / 2
    # A turned head is narrower between the eyes than from eyes to mouth; 1.03 is the mouth's depth of a frontal one.
    across = across * max(1.0, float(np.linalg.norm(down)) / 1.03 / max(float(np.linalg.norm(across)), 1e-6))
    points = np.array([(left + right) / 2 + x * across + y * down / 1.03 for x, y in corners])
    drawn = frame.copy()
    cv2.fillPoly(drawn, [np.rint(points).astype(np.int32)], _CLOTH, cv2.LINE_AA)
    return drawn


def _eye_distance(face: Face) -> float:
    return float(np.linalg.norm(face.landmarks[1] - face.landmarks[0]))


def _pixel(point: NDArray[np.float64]) -> tuple[int, int]:
    return round(float(point[0])), round(float(point[1]))
