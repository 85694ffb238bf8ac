"""Chooses the faces that are embedded again: those that differ from the crop that was embedded last."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fewshot.types import Face, Quality

CHANGED = 0.1
"""Largest difference between two crops of one expression, see ``difference``; docs/explanation/schedule.md says how it
was chosen."""
OLDEST = 0.3
"""Seconds after which a face is embedded again even if nothing changed."""
SETTLING = 0.2
"""Seconds for which a face that changed is embedded in every frame, because a change of expression takes some time."""
_SIDE = 16
_FACE = slice(2, 14)
"""Rows and columns of the 16x16 thumbnail that show the face and hardly any background."""
_FLATTEST = 8.0
"""Grey levels: the contrast of a flat crop counts as this, so that its noise is not enlarged without limit."""
_TURNED, _LARGER, _SHARPER = 15.0, 1.25, 0.2
"""The quality changed if a pose angle differs by more than this (degrees), the size by this factor, or the sharpness.
The pose is measured from five points and shakes by some degrees while a head stands still."""
_SPREAD = (math.sqrt(5) - 1) / 2
"""The golden ratio spreads the turns of neighbouring track numbers evenly (Knuth 1998, section 6.4)."""

Thumbnails = NDArray[np.float32]


@dataclass(slots=True)
class _Embedded:
    """The crop of a track that was embedded last.

    Attributes:
        thumbnail: of the crop, shape (144,).
        quality: of the face.
        turn: number of the interval of ``OLDEST`` seconds in which it was embedded.
        frame: number of the latest frame in which the face was readable.
        restless: until when the face is embedded in every frame, seconds.
    """

    thumbnail: Thumbnails
    quality: Quality
    turn: int
    frame: int
    restless: float = -math.inf


class ChangedFaces:
    """Remembers the crop of every track that was embedded last, and compares new crops with it.

    The comparison is with the crop that was embedded, not with the frame before, so a slow change adds up until it
    counts. A face that changed is embedded in every frame for a while (``SETTLING``). A face is also embedded if its
    track is new, if it was not readable in the frame before (covered, turned away, not found), if its quality changed,
    and at the latest ``OLDEST`` seconds after the last time. The tracks take these last turns at different moments, so
    a full class never has to be embedded in one frame.

    Needs the frames in order, one at a time.

    Args:
        limit: see ``CHANGED``.
        oldest: see ``OLDEST``.
    """

    def __init__(self, limit: float = CHANGED, oldest: float = OLDEST) -> None:
        self._limit, self._oldest = limit, oldest
        self._known: dict[int, _Embedded] = {}
        self._frame = 0

    def among(self, faces: Sequence[Face], time: float) -> list[Face]:
        """The faces that need a new vector now. Call it once per frame.

        Args:
            faces: the readable faces of the frame, with track numbers, all different.
            time: of the frame, seconds.
        """
        self._frame += 1
        return [face for face, new in zip(faces, self._new(faces, time), strict=True) if new]

    def embedded(self, faces: Sequence[Face], time: float) -> None:
        """Remember that these faces of the same frame are being embedded."""
        for face, thumbnail in zip(faces, thumbnails(faces), strict=True):
            known = self._known.get(face.track)
            restless = known.restless if known else -math.inf
            turn = self._turn(face.track, time)
            self._known[face.track] = _Embedded(thumbnail, face.quality, turn, self._frame, restless)

    def forget(self, alive: Collection[int]) -> None:
        """Drop all tracks that are not ``alive``."""
        self._known = {track: one for track, one in self._known.items() if track in alive}

    def _new(self, faces: Sequence[Face], time: float) -> list[bool]:
        known = [self._known.get(face.track) for face in faces]
        now = thumbnails(faces)
        before = np.array([one.thumbnail if one else row for one, row in zip(known, now, strict=True)], np.float32)
        apart = difference(now, before.reshape(now.shape)).tolist()
        new = []
        for face, one, far in zip(faces, known, apart, strict=True):
            if one is None:
                new.append(True)
                continue
            if far > self._limit:
                one.restless = time + SETTLING
            stays = one.frame == self._frame - 1 and one.turn == self._turn(face.track, time)
            restless = time < one.restless - 1e-6  # less than a frame, more than rounding
            new.append(not stays or restless or not _alike(face.quality, one.quality))
            one.frame = self._frame
        return new

    def _turn(self, track: int, time: float) -> int:
        return math.floor(time / self._oldest + track * _SPREAD % 1)


class LatestVectors:
    """The latest expression vector of every track, for the frames in which its face did not change.

    ``ChangedFaces`` chooses before the vectors are there; this class gives them out afterwards, also if several frames
    are processed at the same time. Needs the frames in order.
    """

    def __init__(self) -> None:
        self._latest: dict[int, tuple[NDArray[np.float32], float]] = {}

    def complete(self, embedded: Sequence[Face], unchanged: Sequence[Face], time: float) -> dict[int, float]:
        """Keep the vectors of the embedded faces, and set ``expression`` of the unchanged ones of the same frame.

        Returns:
            Track of each unchanged face -> seconds since its vector was computed.
        """
        for face in embedded:
            if face.expression is not None:
                self._latest[face.track] = (face.expression, time)
        ages = {}
        for face in unchanged:
            if (known := self._latest.get(face.track)) is not None:
                face.expression, ages[face.track] = known[0], time - known[1]
        return ages

    def forget(self, alive: Collection[int]) -> None:
        """Drop all tracks that are not ``alive``."""
        self._latest = {track: one for track, one in self._latest.items() if track in alive}


def thumbnails(faces: Sequence[Face]) -> Thumbnails:
    """The faces shrunk to 16x16 without background, brightness and contrast: mean 0, spread 1; shape (n, 144)."""
    if not faces:
        return np.zeros((0, (_FACE.stop - _FACE.start) ** 2), np.float32)
    # All crops form one tall picture. Blocks of 7 pixels divide 112, so no crop mixes with the next.
    tall = np.concatenate([face.crop for face in faces])
    small = cv2.resize(tall, (_SIDE, _SIDE * len(faces)), interpolation=cv2.INTER_AREA)
    if small.ndim == 3:
        small = small.mean(axis=2)
    inner = small.reshape(-1, _SIDE, _SIDE)[:, _FACE, _FACE].reshape(len(faces), -1).astype(np.float32)
    inner -= inner.mean(axis=1, keepdims=True)
    return np.asarray(inner / np.maximum(inner.std(axis=1, keepdims=True), _FLATTEST), np.float32)


def difference(first: Thumbnails, second: Thumbnails) -> NDArray[np.float32]:
    """Root mean square difference of thumbnails, in units of a crop's contrast.

    Args:
        first, second: ``thumbnails`` of the same faces, shape (n, d).

    Returns:
        One number per face, shape (n,).
    """
    apart = first - second
    return np.asarray(np.sqrt(np.einsum("nd,nd->n", apart, apart) / first.shape[1]), np.float32)


def _alike(now: Quality, before: Quality) -> bool:
    """Whether the measured quality of a face is about the same: size, sharpness and pose."""
    turned = max(abs(now.yaw - before.yaw), abs(now.pitch - before.pitch), abs(now.roll - before.roll))
    larger = max(now.size, before.size) / max(1.0, min(now.size, before.size))
    return turned <= _TURNED and larger <= _LARGER and abs(now.sharpness - before.sharpness) <= _SHARPER
