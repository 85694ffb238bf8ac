"""One photo of a class, cut into faces: each can be named. Faces are in memory only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from fewshot.app.guest_crops import Crop, portrait_of
from fewshot.app.guests import Guest
from fewshot.app.guided import goodness
from fewshot.classroom.photo_advice import no_face
from fewshot.classroom.same_person import most_alike
from fewshot.errors import UsageError
from fewshot.perception import Perceives
from fewshot.translation import later, together, tr
from fewshot.types import Face, Frame, Vectors

MOST_FACES = 100
LONGEST = 400
"""Pixels of the longer side of a cut: the face in it has about half of that."""
CROWDED = later("another face is too near, so a picture would show two people")


@dataclass(frozen=True, slots=True)
class PhotoFace:
    """One face of a class photo.

    Attributes:
        person: the face with its one picture, as "Who is this?" shows it.
        like: the student of the class whose photos it resembles most, if it does; "" otherwise.
        problem: why it cannot be enrolled, in words; "" if it can.
    """

    person: Guest
    like: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ClassPhoto:
    """The faces of one photo, row by row from left to right.

    Attributes:
        classroom: name of the class.
        faces: those that were not named yet.
    """

    classroom: str
    faces: tuple[PhotoFace, ...] = field(repr=False)

    def of(self, number: int) -> PhotoFace | None:
        """The face with this number; None if it is named or forgotten."""
        return next((face for face in self.faces if face.person.number == number), None)

    def without(self, number: int) -> ClassPhoto:
        """The photo without one face."""
        return replace(self, faces=tuple(face for face in self.faces if face.person.number != number))


@dataclass(frozen=True, slots=True)
class Known:
    """The students of the class so far, to say whom a face resembles.

    Attributes:
        keys: student of each reference, length m.
        references: unit identity vectors, shape (m, k).
        least: smallest cosine similarity that is said.
    """

    keys: Sequence[str]
    references: Vectors
    least: float


def cut_into_faces(
    classroom: str,
    photo: Frame,
    eyes: Perceives,
    read: Callable[[Vectors], Sequence[dict[str, float]]],
    known: Known | None = None,
) -> ClassPhoto:
    """Find all faces of a photo.

    Args:
        classroom: name of the class.
        photo: BGR, shape (height, width, 3).
        eyes: finds and embeds faces, with the limits for enrollment.
        read: expression vectors, shape (n, d), to probabilities over the emotions.
        known: students of the class; None for a class without vectors.

    Raises:
        UsageError: there is no face in it, or too many.
    """
    faces = _in_rows(eyes.look(photo))
    if not faces:
        raise UsageError(tr("The class photo cannot be used: {reason}.", reason=no_face(photo)))
    if len(faces) > MOST_FACES:
        raise UsageError(
            tr(
                "The photo has {number} faces. Cut it into parts with at most {most} faces.",
                number=len(faces),
                most=MOST_FACES,
            )
        )
    readable = [face for face in faces if face.quality.ok and face.expression is not None]
    eyes.identify(photo, readable)
    vectors = [face.expression for face in readable if face.expression is not None]
    shares = dict(zip(map(id, readable), read(np.stack(vectors)), strict=True)) if vectors else {}
    found = [_face(number, photo, face, faces, shares.get(id(face), {}), known) for number, face in enumerate(faces, 1)]
    return ClassPhoto(classroom, tuple(found))


def _face(
    number: int, photo: Frame, face: Face, faces: Sequence[Face], shares: dict[str, float], known: Known | None
) -> PhotoFace:
    cut = portrait_of(photo, face, faces, LONGEST)
    problem = together(*face.quality.reasons, between="; ") or ("" if cut is not None else CROWDED)
    suggests = max(shares, key=lambda state: shares[state], default="")
    picture = np.zeros((1, 1, 3), np.uint8) if cut is None else cut
    crop = Crop(number, 0.0, goodness(face), suggests, b"", b"").filled(picture, face.crop)
    return PhotoFace(Guest(number, 0.0, (crop,)), _like(face, known), problem)


def _like(face: Face, known: Known | None) -> str:
    if known is None or face.identity is None:
        return ""
    nearest = most_alike(face.identity[None], list(known.keys), known.references)
    return nearest[0] if nearest is not None and nearest[1] >= known.least else ""


def _in_rows(faces: Sequence[Face]) -> list[Face]:
    """Row by row from left to right: a face begins a new row if it lies below the middle of the row's first face."""
    rows: list[list[Face]] = []
    for face in sorted(faces, key=lambda one: float(one.box[1])):
        if not rows or float(face.box[1]) > float(rows[-1][0].box[[1, 3]].mean()):
            rows.append([])
        rows[-1].append(face)
    return [face for row in rows for face in sorted(row, key=lambda one: float(one.box[0]))]
