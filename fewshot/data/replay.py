"""Look once, read many times: the same faces of one video for several classes, smoothings and estimators."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from fewshot.types import Face, Frame, Vectors

NO_CROP: Frame = np.zeros((1, 1, 3), np.uint8)


class Looking(Protocol):
    """What is recorded: a ``Perception``, or anything with its two calls."""

    def look(self, frame: Frame) -> list[Face]: ...

    def identify(self, frame: Frame, faces: Sequence[Face]) -> None: ...


class Recorder:
    """A perception that remembers what it saw in every frame of one video and can be rewound.

    The first run does the work (and is the one to be timed); the ones after it get the same boxes, quality and
    expression vectors for nothing, and identity vectors too where the first run computed them. Crops are not kept.

    Args:
        perception: does the looking.

    Attributes:
        times: seconds of each stage in the latest frame; empty in a run that only repeats.
    """

    def __init__(self, perception: Looking) -> None:
        self._perception = perception
        self._frames: list[list[Face]] = []
        self._identities: dict[tuple[int, bytes], Vectors] = {}
        self._cursor = -1
        self.times: dict[str, float] = {}

    def __getattr__(self, name: str) -> object:
        """Everything else (``network``, ``identity_network``, ...) is the perception's."""
        return getattr(self._perception, name)

    def rewind(self) -> None:
        """The next frame is the first one of the same video."""
        self._cursor = -1

    def look(self, frame: Frame) -> list[Face]:
        """The faces of the next frame, free of what an earlier run wrote into them."""
        self._cursor += 1
        if self._cursor == len(self._frames):
            faces = self._perception.look(frame)
            self.times = dict(getattr(self._perception, "times", {}))
            self._frames.append([replace(face, crop=NO_CROP) for face in faces])
            return faces
        self.times = {}
        return [replace(face) for face in self._frames[self._cursor]]

    def identify(self, frame: Frame, faces: Sequence[Face]) -> None:
        """Fill in ``identity`` of these faces of the latest frame; only what is not known yet costs anything."""
        keys = [(self._cursor, face.box.tobytes()) for face in faces]
        unknown = [face for face, key in zip(faces, keys, strict=True) if key not in self._identities]
        if unknown:
            self._perception.identify(frame, unknown)
            if self.times:
                self.times = dict(getattr(self._perception, "times", {}))
        for face, key in zip(faces, keys, strict=True):
            if face.identity is not None and key not in self._identities:
                self._identities[key] = face.identity
            face.identity = self._identities.get(key, face.identity)
