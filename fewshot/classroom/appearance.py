"""Does a track still show the face that it showed in the frame before?"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from fewshot.faces.align import CROP_SIZE
from fewshot.types import Face

ALIKE = 0.9
"""Correlation below which a face is another picture. Measured on the virtual classroom at 25 frames a second: the same
picture 0.98 and more (0.1st percentile), two people 0.84 and less (99th), one person's next photo 0.55 to 0.97."""
RECENT = 0.2
"""Seconds between two frames beyond which a face may well look otherwise: then nothing is concluded."""
_SIDE = 8


class Appearance:
    """A thumbnail of every track. It says nothing about who somebody is, only that a picture has changed.

    A tracker follows boxes: when two tiles of a gallery change places between two frames, the tracks stay where they
    are, and without this nobody would notice before it is their turn to be looked at again.
    """

    def __init__(self) -> None:
        self._thumbnails: dict[int, NDArray[np.float32]] = {}
        self._times: dict[int, float] = {}

    def changed(self, faces: Sequence[Face], time: float) -> set[int]:
        """Numbers of the tracks whose face is another picture than in the frame before, ``RECENT`` seconds ago at most.

        Args:
            faces: of this frame, with their tracks; those without one, and those without a crop, are passed over.
            time: of this frame, seconds.
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
    """Every crop, small, without its light and contrast: unit vectors, shape (n, 64)."""
    # All crops as one tall picture; blocks of 14 pixels divide 112, so no crop leaks into the next.
    tall = np.concatenate([face.crop for face in faces])
    small = cv2.resize(tall, (_SIDE, _SIDE * len(faces)), interpolation=cv2.INTER_AREA)
    if small.ndim == 3:
        small = small.mean(axis=2)
    flat = small.reshape(len(faces), -1).astype(np.float32)
    flat -= flat.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(flat, axis=1, keepdims=True)
    # A picture of one grey has no pattern: it equals any other of that kind.
    flat[norms[:, 0] < 1e-3], norms[norms < 1e-3] = 1.0, np.sqrt(_SIDE * _SIDE)
    return np.asarray(flat / norms, np.float32)
