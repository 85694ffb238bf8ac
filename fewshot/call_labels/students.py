"""Names for the loop from labels: only from them, or beside the faces, whose names they can contradict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from enum import StrEnum

from fewshot.call_labels.tile_labels import SOMEBODY, TileLabels
from fewshot.classroom.appearance import Appearance
from fewshot.classroom.class_watch import Standing
from fewshot.live.interfaces import Strangers, Students
from fewshot.live.readings import Match
from fewshot.translation import later
from fewshot.types import Face, Frame

DISAGREE = later("the label of the call and the face name different students")
TWICE = later("two tiles have the label of this student")


class Names(StrEnum):
    """Where the names of a lesson come from."""

    faces = "faces"
    both = "both"
    labels = "labels"


class LabelledStudents:
    """The ``Students`` of a loop that also reads the labels of a call.

    Where the label and the face name two students, the face gets no name, and ``Face.doubt`` says why.

    Args:
        labels: of the tiles.
        look: the state of the class now; its errors end the run.
        faces: recognises students by their faces. None: names come from the labels only, and no identity vector is
            computed for anybody.
    """

    def __init__(self, labels: TileLabels, look: Callable[[], Standing], faces: Students | None = None) -> None:
        self.labels = labels
        self._look, self._faces = look, faces or Strangers()
        self._only = faces is None
        self._appearance = Appearance()
        self._denied: frozenset[tuple[int, str]] = frozenset()
        self._picture: list[str | None] | None = None

    def see(self, frame: Frame, faces: Sequence[Face], time: float) -> None:
        """Look at a frame, BGR, shape (height, width, 3), and its faces before they get names."""
        self._learn_names()
        self.labels.see(frame, faces, time, self._appearance.changed(faces, time))

    def see_picture(self, frame: Frame, faces: Sequence[Face]) -> None:
        """Read the labels of a single picture, BGR, shape (height, width, 3), whose faces get names next."""
        self._learn_names()
        self._picture = self.labels.in_picture(frame, faces)

    def wanted(self, tracks: Sequence[int], faces: Sequence[Face], time: float) -> list[int]:
        """The faces whose identity vectors are needed; none if names come from the labels only."""
        return self._faces.wanted(tracks, faces, time)

    def assign(self, faces: Sequence[Face], time: float) -> Sequence[Match]:
        """Student and identity score of every face; the score is None for a name from a label."""
        matches = self._faces.assign(faces, time)
        said, self._picture = self._picture, None
        if said is None:
            said = [self.labels.student_of(face.track, time) for face in faces]
        often = Counter(student for student in said if student)
        return [
            self._one(face, match, student, often[student] > 1 if student else False)
            for face, match, student in zip(faces, matches, said, strict=True)
        ]

    def forget(self, alive: Collection[int]) -> None:
        """Drop what is known about tracks that ended."""
        self._faces.forget(alive)
        self.labels.forget(alive)
        self._appearance.forget(alive)
        if self._denied:
            self._denied = frozenset(pair for pair in self._denied if pair[0] in set(alive))

    def deny(self, track: int, student: str, denied: bool = True) -> None:
        """See ``Loop.deny``."""
        self._faces.deny(track, student, denied)
        self._denied = self._denied | {(track, student)} if denied else self._denied - {(track, student)}

    def _learn_names(self) -> None:
        standing = self._look()
        self.labels.names(standing.students, standing.consenting)

    def _one(self, face: Face, match: Match, said: str | None, twice: bool) -> Match:
        student, score = match
        if self._only:
            if twice:
                face.doubt = TWICE
            if not said or twice or (face.track, said) in self._denied:
                return None, None
            face.named_by = "label"
            return said, None
        if student is None:
            return match
        if said is not None and said != student and not twice:
            face.doubt = DISAGREE
            return None, score
        face.named_by = "face"
        return match


__all__ = ["DISAGREE", "SOMEBODY", "TWICE", "LabelledStudents", "Names"]
