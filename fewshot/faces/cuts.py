"""Cuts in a film: frames after which nothing is where it was."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from fewshot.types import Frame

CUT = 0.6
"""Below this correlation with the frame before, a frame begins a new scene. Measured: 0.47 or less for two different
scenes; 0.77 if four large tiles of a gallery all change places, 0.64 or more for two people before one wall. In these
two cases the identity check has to notice the change."""
_COLUMNS, _ROWS = 32, 18
_FLAT = 2.0
"""Standard deviation, in grey levels, below which a picture shows nothing."""


class Cuts:
    """Compares each frame with the frame before. Brightness and contrast of the whole picture do not matter."""

    def __init__(self) -> None:
        self._before: NDArray[np.float32] | None = None

    def begins(self, frame: Frame) -> bool:
        """Whether this frame, shape (height, width, 3), begins a new scene. Needs the frames in order."""
        now, before = _thumbnail(frame), self._before
        self._before = now
        return before is not None and bool(before.any() and now.any()) and float(before @ now) < CUT


def _thumbnail(frame: Frame) -> NDArray[np.float32]:
    """32x18 grey means without brightness and contrast: a unit vector; zeros if the picture shows nothing."""
    height, width = frame.shape[:2]
    # Four by four samples of each block are enough, and take a tenth of a millisecond of a large frame.
    samples = frame[:: max(1, height // (4 * _ROWS)), :: max(1, width // (4 * _COLUMNS)), 1]
    small = cv2.resize(np.ascontiguousarray(samples), (_COLUMNS, _ROWS), interpolation=cv2.INTER_AREA)
    means = small.astype(np.float32).ravel()
    means -= means.mean()
    return np.asarray(means / np.linalg.norm(means) if means.std() > _FLAT else means * 0, np.float32)
