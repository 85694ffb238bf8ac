"""A reader of labels that reads no picture, and a class that does not change by itself."""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence

import numpy as np
from drawn_faces import make_face

from fewshot.call_labels.tile_labels import Text
from fewshot.classroom.class_watch import Standing
from fewshot.types import Face, Frame

FRAME = np.zeros((90, 160, 3), np.uint8)
CLASS = ("Asha Patel", "Ben Okafor", "Anna", "Anne")


class Script:
    """Says of the face at place x what ``texts`` has for x; None where nothing can be read."""

    def __init__(self, **texts: str | Text | None) -> None:
        self.texts = texts
        self.asked: list[list[int]] = []
        self.gate: threading.Event | None = None
        self.error: Exception | None = None

    def read(self, frame: Frame, boxes: Sequence[np.ndarray], wanted: Sequence[int]) -> list[Text | None]:
        assert frame is not FRAME, "the loop's own frame may change while it is read"
        self.asked.append([int(boxes[number][0]) for number in wanted])
        if self.gate is not None:
            assert self.gate.wait(10)
        if self.error is not None:
            raise self.error
        found = [self.texts.get(f"x{int(boxes[number][0])}") for number in wanted]
        return [Text(one, 0.99) if isinstance(one, str) else one for one in found]


def faces(*places: int, track: int | None = None) -> list[Face]:
    """Faces of the tracks 0, 1, ... at these places; each is a readable face without any vector."""
    made = []
    for number, x in enumerate(places):
        face = make_face(track=number if track is None else track)
        face.box = np.array([x, 10, x + 20, 30], np.float32)
        made.append(face)
    return made


class Class:
    """The state of a class."""

    def __init__(self, *students: str, consenting: Collection[str] | None = None) -> None:
        self.students, self.consenting = students, students if consenting is None else consenting

    def look(self) -> Standing:
        return Standing("physics", frozenset(self.students), frozenset(self.consenting), ())
