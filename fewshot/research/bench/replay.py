"""Look once, read many times: the same faces of one video for several classes, smoothings and estimators."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fewshot.perception import Perceives
from fewshot.types import Face, Frame, Vectors

_Key = tuple[int, bytes]


class Recorder:
    """A perception that remembers what it saw in every frame of one video and can be rewound.

    The first run does the work (and is the one to be timed); the ones after it get the same boxes and quality for
    nothing, and the vectors too where the first run computed them. Crops are kept, 12 KB a face: a later run asks who
    somebody is in other frames than the first did. Frames must come one after the other (``Loop.run``, not
    ``Pipeline``): it counts them.

    Args:
        perception: does the looking.

    Attributes:
        times: seconds of each stage in the latest call; empty in a run that only repeats.
    """

    def __init__(self, perception: Perceives) -> None:
        self._perception = perception
        self._frames: list[list[Face]] = []
        self._expressions: dict[_Key, Vectors] = {}
        self._identities: dict[_Key, Vectors] = {}
        self._cursor = -1
        self.times: dict[str, float] = {}

    def __getattr__(self, name: str) -> object:
        """Everything else (``network``, ``identity_network``, ...) is the perception's."""
        return getattr(self._perception, name)

    def rewind(self) -> None:
        """The next frame is the first one of the same video."""
        self._cursor = -1

    def look(self, frame: Frame) -> list[Face]:
        """``find``, then ``embed``."""
        faces = self.find(frame)
        self.embed(faces)
        return faces

    def find(self, frame: Frame) -> list[Face]:
        """The faces of the next frame, free of what an earlier run wrote into them."""
        self._cursor += 1
        if self._cursor == len(self._frames):
            faces = self._perception.find(frame)
            self.times = dict(self._perception.times)
            self._frames.append([replace(face) for face in faces])
            return faces
        self.times = {}
        return [replace(face) for face in self._frames[self._cursor]]

    def embed(self, faces: Sequence[Face]) -> None:
        """Fill in ``expression`` of these faces of the latest frame, from memory where it is known."""
        unknown = [face for face in faces if self._key(face) not in self._expressions]
        if unknown:
            self._perception.embed(unknown)
            self.times = dict(self._perception.times)
        for face in faces:
            if face.expression is not None:
                self._expressions[self._key(face)] = face.expression
            face.expression = self._expressions.get(self._key(face))

    def identify(self, frame: Frame, faces: Sequence[Face]) -> None:
        """Fill in ``identity`` of these faces of the latest frame, from memory where it is known."""
        unknown = [face for face in faces if self._key(face) not in self._identities]
        if unknown:
            self._perception.identify(frame, unknown)
            self.times = dict(self._perception.times)
        for face in faces:
            if face.identity is not None:
                self._identities[self._key(face)] = face.identity
            face.identity = self._identities.get(self._key(face))

    def _key(self, face: Face) -> _Key:
        return self._cursor, face.box.tobytes()
