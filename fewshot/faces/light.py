"""Gives crops of dark or pale faces the grey levels of a usual one, so that the networks see them as in good light."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

CONTRAST = 20.0
"""Crops with a smaller standard deviation are stretched to it, in grey levels. Faces in good light have 21 or
more (CFEE), so nothing changes for them."""
_MIDDLE = (90.0, 165.0)
"""The mean of a stretched crop is moved into this range, so that no grey level is cut off."""
_LEAST = 0.5
_FACE = (slice(12, -12), slice(16, -16))
"""The part of a 112x112 crop that shows the face and hardly any background."""


Levels = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Mean and standard deviation of faces, each of shape (n,)."""


def face_levels(crops: NDArray[np.uint8]) -> Levels:
    """Mean and standard deviation of the faces in crops [n, 112, 112] or [n, 112, 112, 3], each of shape (n,)."""
    if not len(crops):
        return np.zeros(0), np.zeros(0)
    both = np.array([cv2.meanStdDev(crop[_FACE]) for crop in crops]).mean(axis=(2, 3))  # over the colours
    return both[:, 0], both[:, 1]


def in_good_light(crops: NDArray[np.uint8], levels: Levels | None = None) -> NDArray[np.uint8]:
    """The crops with enough contrast; those that have it are unchanged.

    Args:
        crops: aligned crops, grey or BGR, shape (n, 112, 112) or (n, 112, 112, 3).
        levels: their ``face_levels``, if they are known already.

    Returns:
        The same array if no crop is changed, else a new one of the same shape.
    """
    means, spreads = levels or face_levels(crops)
    poor = np.flatnonzero(spreads < CONTRAST)
    if not len(poor):
        return crops
    lit = crops.copy()
    for row in poor.tolist():
        gain = CONTRAST / max(float(spreads[row]), _LEAST)
        middle = min(max(float(means[row]), _MIDDLE[0]), _MIDDLE[1])
        # The table of 256 entries is exact and costs less than arithmetic on every pixel.
        table = np.clip((np.arange(256) - means[row]) * gain + middle, 0, 255).astype(np.uint8)
        lit[row] = cv2.LUT(crops[row], table)
    return lit
