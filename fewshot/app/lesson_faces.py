"""The faces that a running lesson holds in memory, so that a correction shows and teaches what the teacher saw."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from fewshot.app.lesson_parts import Near, Picked
from fewshot.errors import UsageError
from fewshot.prototypes.evidence import GENERAL, Evidence
from fewshot.translation import tr
from fewshot.translation.words import emotion_word
from fewshot.types import Face, Frame, FrameResult, Reading, Vectors

NEAREST = 3
PICTURE_WIDTH = 960
LEAST = 0.005
"""Least probability of a state that is listed; a smaller one would be shown as 0 %."""


@dataclass(frozen=True, slots=True)
class HeldFace:
    """A face in memory. It is never stored, and its text contains neither picture nor vector, so no log does.

    Attributes:
        vector: of the expression network, shape (d,).
        crop: as the network saw it, uint8, shape (112, 112), or None.
    """

    vector: Vectors = field(repr=False)
    crop: NDArray[np.uint8] | None = field(default=None, repr=False)

    def png(self) -> bytes | None:
        """The crop as a PNG; None without one."""
        if self.crop is None:
            return None
        ok, encoded = cv2.imencode(".png", self.crop)
        return encoded.tobytes() if ok else None


class HeldFaces:
    """The newest face of every student. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faces: dict[str, HeldFace] = {}
        self._pictures = True

    def keep(self, student: str, face: Face) -> None:
        """Keep a face instead of the student's last one; one without a vector is left out."""
        if face.expression is not None:
            with self._lock:
                self._faces[student] = HeldFace(face.expression, face.crop if self._pictures else None)

    def of(self, student: str) -> HeldFace | None:
        """The newest face of a student."""
        with self._lock:
            return self._faces.get(student)

    def drop(self, student: str) -> None:
        """Forget a student's face."""
        with self._lock:
            self._faces.pop(student, None)

    def only(self, students: Collection[str]) -> None:
        """Forget the faces of all others."""
        with self._lock:
            self._faces = {name: face for name, face in self._faces.items() if name in students}

    def forget_pictures(self) -> None:
        """The lesson is over: its last readings can still be corrected, but no picture is left."""
        with self._lock:
            self._pictures = False
            self._faces = {name: replace(face, crop=None) for name, face in self._faces.items()}


class DeniedNames:
    """Faces of which the teacher said that they are not a student's: (track, student). Threads may share it."""

    def __init__(self) -> None:
        self.pairs: tuple[tuple[int, str], ...] = ()

    def add(self, track: int, student: str) -> None:
        """The track does not show this student."""
        self.discard(track, student)
        self.pairs = (*self.pairs, (track, student))

    def discard(self, track: int, student: str) -> None:
        """It may show this student after all."""
        self.pairs = tuple(pair for pair in self.pairs if pair != (track, student))

    def hides(self, reading: Reading) -> bool:
        """Whether the reading has a name that its face must not have."""
        return (reading.track, reading.student) in self.pairs

    def without(self, result: FrameResult) -> FrameResult:
        """The result without such names: frames that were on their way when a name was denied still have them."""
        if not any(map(self.hides, result.readings)):
            return result
        kept = (replace(one, student=None) if self.hides(one) else one for one in result.readings)
        return replace(result, readings=tuple(kept))


def nearest(reading: Reading, evidence: Mapping[str, Evidence]) -> tuple[Near, ...]:
    """The most probable states of a reading, at most three, and what each rests on.

    Args:
        reading: of the face; () follows from one that could not be read.
        evidence: state -> what it rests on; for other states the reading's own kind of prototypes is named.
    """
    general = tr(GENERAL.get(reading.prototypes, ""))  # type: ignore[call-overload]
    shares = sorted(reading.probabilities.items(), key=lambda item: -item[1])[:NEAREST]
    return tuple(
        Near(state, share, evidence[state].words if state in evidence else general)
        for state, share in shares
        if share >= LEAST
    )


def what_to_learn(
    picked: Picked, actually: str, lesson: str, learns: bool, named: bool, shown: Sequence[str] = ()
) -> Vectors:
    """The vector of a face that a correction learns from, shape (d,).

    Args:
        picked: the reading that was clicked.
        actually: what the teacher says that it should have been.
        lesson: token of the lesson that runs.
        learns: whether corrections reach prototypes in this lesson.
        named: whether the student is still in the lesson.
        shown: the only states that the sample photographs show; () for any.

    Raises:
        UsageError: there is nothing to learn from.
    """
    if not learns:
        raise UsageError(
            tr("The sample class has no face vectors, so fewshot cannot learn from it. Try this in your own class.")
        )
    if picked.lesson and picked.lesson != lesson:
        raise UsageError(
            tr(
                "This reading of {student} is of another lesson, so nothing was learned. Click the tile again.",
                student=picked.student,
            )
        )
    if not named:
        raise UsageError(
            tr(
                "{student} is no longer in this lesson: the student was removed, or the consent has ended. Nothing was "
                "corrected.",
                student=picked.student,
            )
        )
    if shown and actually not in shown:
        raise UsageError(
            tr(
                "The sample photographs show only {states}. Choose one of them. In your own class you can name any "
                "state.",
                states=_and(shown),
            )
        )
    if picked.vector is None:
        raise UsageError(
            tr(
                "{student} could not be read at that moment. Try again when the tile shows a reading.",
                student=picked.student,
            )
        )
    return picked.vector


def _and(states: Sequence[str]) -> str:
    first, *rest = map(emotion_word, states)
    for state in rest:
        first = tr("{these} and {this}", these=first, this=state)
    return first


def as_jpeg(frame: Frame) -> bytes:
    """A frame as JPEG, at most ``PICTURE_WIDTH`` pixels wide; b"" if it cannot be encoded."""
    height, width = frame.shape[:2]
    if width > PICTURE_WIDTH:
        size = (PICTURE_WIDTH, round(height * PICTURE_WIDTH / width))
        frame = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    ok, encoded = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, 80])
    return encoded.tobytes() if ok else b""
