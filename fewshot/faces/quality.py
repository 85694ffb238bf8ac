"""Quality of faces: size, blur, pose and exposure, with the reasons why a face is not readable."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from fewshot.faces.align import CROP_SIZE
from fewshot.faces.detections import Detections
from fewshot.faces.light import Levels, face_levels, in_good_light
from fewshot.translation import later
from fewshot.types import Quality


@dataclass(frozen=True)
class Limits:
    """The limits for a readable face. The defaults are for the live loop; ``ENROLLMENT_LIMITS`` is stricter.

    Attributes:
        size: shorter side of the box, pixels.
        sharpness: smallest value of ``sharpness``.
        yaw, pitch, roll: largest angle in both directions, degrees.
        dark, bright: lowest and highest mean grey level of the crop.
        contrast: lowest standard deviation of the grey levels of the crop.
    """

    size: float = 26
    sharpness: float = 0.07
    yaw: float = 50
    pitch: float = 60
    roll: float = 50
    dark: float = 6
    bright: float = 240
    contrast: float = 1.5


# The limit for pitch is the loosest: with five points a raised chin looks like a long nose or a smile (the estimate for
# frontal faces of CFEE and group photos is up to 48 degrees).
LIVE_LIMITS = Limits()
ENROLLMENT_LIMITS = Limits(size=48, sharpness=0.15, yaw=35, pitch=52, roll=40, dark=12, bright=225, contrast=3)

# Light counts after ``in_good_light``; the numbers behind these limits are in docs/explanation/faces.md.
IDENTITY_LIMITS = Limits(size=16, sharpness=0.04, yaw=65, pitch=75, roll=180, dark=4, bright=248, contrast=1)
"""The limits for recognising a student. They are looser: the similarity itself tells whether it is enough.

Smallest similarity of a student at a sharpness of 0.04: 0.33 (not enough for a name), at a box of 21 pixels: 0.70; at
most 0.26 for the faces of 36 strangers."""

_UPSIDE_DOWN = 135.0
"""Degrees of roll from which a face counts as upside down and not as tilted."""

# Eyes, nose and mouth corners in units of the distance between the eyes; x points right, y down, z to the camera. x and
# y are SCRFD's landmarks of frontal faces (medians over FER2013, CFEE, ORL, CK+). z is about 0.4 for the nose and 0.1
# for the mouth corners.
_HEAD = np.array([[-0.5, 0, 0], [0.5, 0, 0], [0, 0.545, 0.4], [-0.405, 1.03, 0.1], [0.405, 1.03, 0.1]])
_HEAD -= _HEAD.mean(axis=0)
_TO_AFFINE = np.linalg.pinv(_HEAD).T


def head_pose(landmarks: NDArray[np.floating]) -> NDArray[np.float32]:
    """Approximate yaw, pitch and roll in degrees from five landmarks [n, 5, 2], shape (n, 3).

    An affine camera is fitted to a rigid head in closed form; the direction of its depth axis is the pose. Positive yaw
    turns the nose to the right of the picture, positive pitch turns it down, positive roll is clockwise.
    """
    points = np.asarray(landmarks, np.float64).reshape(-1, 5, 2)
    eyes = points[:, 1] - points[:, 0]
    roll = np.arctan2(eyes[:, 1], eyes[:, 0])
    cosine, sine = np.cos(roll), np.sin(roll)
    upright = np.stack([np.stack([cosine, sine], -1), np.stack([-sine, cosine], -1)], axis=1)
    centred = (points - points.mean(axis=1, keepdims=True)) @ upright.transpose(0, 2, 1)
    camera = centred.transpose(0, 2, 1) @ _TO_AFFINE
    scale = np.sqrt(np.maximum(np.linalg.eigvalsh(camera @ camera.transpose(0, 2, 1))[:, 1], 1e-9))
    turn = np.arcsin(np.clip(camera[:, :, 2] / scale[:, None], -1, 1))
    return np.asarray(np.degrees(np.stack([turn[:, 0], turn[:, 1], roll], axis=1)), np.float32)


def sharpness(grey: NDArray[np.uint8], sizes: NDArray[np.floating]) -> NDArray[np.float32]:
    """Sharpness of the middle of every crop: 1 for crisp, towards 0 for blurred.

    It is the variance of the Laplacian (Pech-Pacheco et al. 2000) divided by the variance of the picture, so that
    contrast and brightness have no effect. The scale depends on the size of the face in the source; otherwise every
    small face would count as blurred.

    Args:
        grey: crops, shape (n, 112, 112).
        sizes: shorter side of the box in the source, pixels, shape (n,).

    Returns:
        Shape (n,).
    """
    values = np.zeros(len(grey), np.float32)
    for scale, half, chosen in ((2, 0.35, sizes >= 56), (4, 1.0, sizes < 56)):
        if not chosen.any():
            continue
        # All crops form one tall picture. The scale divides 112, so no crop mixes with the next.
        side = CROP_SIZE // scale
        tall = grey if chosen.all() else grey[chosen]
        tall = tall.reshape(-1, CROP_SIZE)
        small = cv2.resize(tall, (side, len(tall) // scale), interpolation=cv2.INTER_AREA)
        edges = cv2.Laplacian(small, cv2.CV_16S)
        inner = slice(side // 6, side - side // 6)
        crops, laplacians = (picture.reshape(-1, side, side)[:, inner, inner] for picture in (small, edges))
        raw = _variances(laplacians) / np.maximum(_variances(crops), 25.0)
        values[chosen] = raw / (raw + half)
    return values


def _variances(pictures: NDArray[np.uint8] | NDArray[np.int16]) -> NDArray[np.float32]:
    """Variance of every picture, shape (n,)."""
    flat = pictures.reshape(len(pictures), -1).astype(np.float32)
    flat -= flat.mean(axis=1, keepdims=True)
    return np.asarray(np.einsum("nd,nd->n", flat, flat) / flat.shape[1], np.float32)


def assess(
    frame_shape: tuple[int, ...],
    detections: Detections,
    crops: NDArray[np.uint8],
    limits: Limits = LIVE_LIMITS,
    levels: Levels | None = None,
) -> list[Quality]:
    """Assess the quality of every face of a frame.

    Args:
        frame_shape: (height, width, ...) of the frame.
        detections: n faces.
        crops: aligned grey crops in the expression network's framing, as they are in the frame, shape (n, 112, 112).
        limits: limits for a readable face.
        levels: ``face_levels`` of the crops, if they are known already.

    Returns:
        One quality per face, in the same order.
    """
    if not len(detections):
        return []
    sizes = (detections.boxes[:, 2:] - detections.boxes[:, :2]).min(axis=1)
    light, contrast = levels = levels or face_levels(crops)
    lit = in_good_light(crops, levels)
    measured = np.column_stack([sizes, sharpness(lit, sizes), head_pose(detections.landmarks), light])
    height, width = frame_shape[:2]
    inside = (detections.landmarks >= 0) & (detections.landmarks < (width, height))
    whole = np.all(inside.reshape(len(crops), -1), axis=1)
    judged = []
    for values, spread, entire in zip(measured.tolist(), contrast.tolist(), whole.tolist(), strict=True):
        quality = Quality(*values)
        reasons = _reasons(quality, spread, entire, limits)
        if reasons:
            known = not _reasons(quality, spread, True, IDENTITY_LIMITS)
            quality = replace(quality, reasons=reasons, recognisable=known)
        judged.append(quality)
    return judged


def _reasons(quality: Quality, contrast: float, whole: bool, limits: Limits) -> tuple[str, ...]:
    """The reasons why a face is not readable, in words."""
    reasons = []
    if quality.size < limits.size:
        reasons.append(
            later(
                "face too small: {size:.0f} pixels wide, at least {least:.0f} needed",
                size=quality.size,
                least=limits.size,
            )
        )
    if not whole:
        reasons.append(later("face cut off by the edge of the picture"))
    if quality.sharpness < limits.sharpness:
        reasons.append(
            later(
                "too blurred: sharpness {sharpness:.2f}, at least {least:.2f} needed",
                sharpness=quality.sharpness,
                least=limits.sharpness,
            )
        )
    if abs(quality.yaw) > limits.yaw:
        reasons.append(
            later(
                "face turned too far to the side: {angle:.0f} degrees, at most {most:.0f}",
                angle=abs(quality.yaw),
                most=limits.yaw,
            )
        )
    if abs(quality.pitch) > limits.pitch:
        reasons.append(
            later(
                "face turned too far up or down: {angle:.0f} degrees, at most {most:.0f}",
                angle=abs(quality.pitch),
                most=limits.pitch,
            )
        )
    if abs(quality.roll) > max(limits.roll, _UPSIDE_DOWN):
        reasons.append(later("face upside down: turn the camera or the picture"))
    elif abs(quality.roll) > limits.roll:
        reasons.append(
            later(
                "head tilted too far: {angle:.0f} degrees, at most {most:.0f}",
                angle=abs(quality.roll),
                most=limits.roll,
            )
        )
    if quality.brightness < limits.dark:
        reasons.append(
            later(
                "too dark: mean grey level {level:.0f}, at least {least:.0f} needed",
                level=quality.brightness,
                least=limits.dark,
            )
        )
    elif quality.brightness > limits.bright:
        reasons.append(
            later(
                "too bright: mean grey level {level:.0f}, at most {most:.0f}",
                level=quality.brightness,
                most=limits.bright,
            )
        )
    elif contrast < limits.contrast:
        reasons.append(
            later(
                "too little contrast: {contrast:.1f} grey levels, at least {least:g} needed",
                contrast=contrast,
                least=limits.contrast,
            )
        )
    return tuple(reasons)
