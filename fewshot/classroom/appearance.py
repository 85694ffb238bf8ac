"""Does a track still show the same face as in the frame before?"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from fewshot.faces.align import CROP_SIZE
from fewshot.types import Face

ALIKE = 0.9
"""Below this correlation a track shows a different picture. Measured on the virtual classroom at 25 frames per second:
0.98 or more for the same picture (0.1st percentile), 0.84 or less for two people (99th percentile), 0.55 to 0.97 for
two photos of one person."""
RECENT = 0.2
"""If two frames are further apart, in seconds, a face may have changed by itself: then nothing is concluded."""
_SIDE = 8


class Appearance:
    """A thumbnail of every track. It does not identify anybody; it only shows that a picture has changed.

    A tracker follows boxes. When two tiles of a gallery change places between two frames, the tracks stay where they
    are. Without this class the change would be noticed only at the next regular identity check.
    """

    def __init__(self) -> None:
        self._thumbnails: dict[int, NDArray[np.float32]] = {}
        self._times: dict[int, float] = {}

    def changed(self, faces: Sequence[Face], time: float) -> set[int]:
        """Numbers of the tracks whose picture changed since the frame before (at most ``RECENT`` seconds earlier).

        Args:
            faces: the faces of this frame. Faces without a track or without a crop are skipped.
            time: time of this frame, seconds.
        """
        tracked = [face for face in faces if face.track >= 0 and face.crop.shape[:2] == (CROP_SIZE, CROP_SIZE)]
        if not tracked:
            return set()
        new = dict(zip((face.track for face in tracked), thumbnails(tracked), strict=True))
        known = [track for track in new if 0 <= time - self._times.get(track, -np.inf) <= RECENT]
        before = np.array([self._thumbnails[track] for track in known]).reshape(-1, _SIDE * _SIDE)
        now = np.array([new[track] for track in known]).reshape(-1, _SIDE * _SIDE)
        self._thumbnails.update(new)
        self._times.update(dict.fromkeys(new, time))
        alike = np.einsum("nd,nd->n", before, now)
        return {track for track, value in zip(known, alike.tolist(), strict=True) if value < ALIKE}

    def forget(self, alive: Collection[int]) -> None:
        """Drop all tracks that are not ``alive``."""
        for track in [track for track in self._thumbnails if track not in alive]:
            del self._thumbnails[track], self._times[track]


def thumbnails(faces: Sequence[Face]) -> NDArray[np.float32]:
    """Every crop shrunk to 8x8, without brightness and contrast: unit vectors, shape (n, 64)."""
    # All crops form one tall picture. Blocks of 14 pixels divide 112, so no crop mixes with the next.
    tall = np.concatenate([face.crop for face in faces])
    small = cv2.resize(tall, (_SIDE, _SIDE * len(faces)), interpolation=cv2.INTER_AREA)
    if small.ndim == 3:
        small = small.mean(axis=2)
    flat = small.reshape(len(faces), -1).astype(np.float32)
    flat -= flat.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(flat, axis=1, keepdims=True)
    # A picture of one single grey has no pattern, so all such pictures count as equal.
    flat[norms[:, 0] < 1e-3], norms[norms < 1e-3] = 1.0, np.sqrt(_SIDE * _SIDE)
    return np.asarray(flat / norms, np.float32)
