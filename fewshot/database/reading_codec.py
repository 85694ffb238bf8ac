"""Seals what a lesson says of every second: a student's readings as one blob, and the counts of the class.

A student's readings are sealed by the student's and the lesson's key together, so dropping either erases them. The
readings of people who are not enrolled, and counts, are sealed by the lesson's key.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from fewshot.database.lesson_tables import LessonRow, ParticipantRow, ReadingRow, SecondRow
from fewshot.database.sealing import Holder, bound_to, cipher_for, cipher_of, refuse_changed
from fewshot.database.tables import key_of_student
from fewshot.vault import KeyGone
from fewshot.vault.cipher import PLAIN, Cipher, NotSealedHere

_NUMBERS = struct.Struct("<4if")


class Measured(NamedTuple):
    """What one participant showed in one second; ``probabilities`` are little-endian float32."""

    frames: int
    readable: int
    faces: int
    emotion: int
    confidence: float | None
    probabilities: bytes


class ReadingCipher:
    """Seals and opens the readings of one participant of a lesson.

    Args:
        cipher: of the keys.
        participant: random id of the participant's row.
    """

    def __init__(self, cipher: Cipher, participant: str) -> None:
        self._cipher, self._bound = cipher, bound_to("readings", "sealed", participant) + b"|%d"

    def seal(self, second: int, measured: Measured) -> bytes:
        """The sealed reading of a second."""
        confidence = float("nan") if measured.confidence is None else measured.confidence
        plain = _NUMBERS.pack(*measured[:4], confidence) + measured.probabilities
        return self._cipher.seal(plain, self._bound % second)

    def open(self, second: int, sealed: bytes) -> Measured:
        """The reading of a second.

        Raises:
            NotSealedHere: it was changed, or is of another second or participant.
        """
        plain = self._cipher.open(sealed, self._bound % second)
        frames, readable, faces, emotion, confidence = _NUMBERS.unpack_from(plain)
        sure = None if math.isnan(confidence) else confidence
        return Measured(frames, readable, faces, emotion, sure, plain[_NUMBERS.size :])


def reading_cipher(
    session: Session, lesson: LessonRow, participant: ParticipantRow, new: bool = False
) -> ReadingCipher:
    """What seals the readings of a participant.

    Args:
        session: of a transaction.
        lesson: the lesson.
        participant: of this lesson.
        new: whether keys that are not there yet may be made, for writing.

    Raises:
        KeyGone: a key is not there.
    """
    holders: list[Holder] = [(lesson, "key")]
    if participant.student_id is not None:
        holders.insert(0, key_of_student(session, participant.student_id))
    return ReadingCipher((cipher_for if new else cipher_of)(session, holders), participant.rid)


def seal_counts(session: Session, lesson: LessonRow, second: int, counts: Sequence[int]) -> bytes:
    """Seal the counts of a second."""
    return cipher_for(session, [(lesson, "key")]).seal(json.dumps(list(counts)).encode(), _bound(lesson, second))


def open_counts(session: Session, lesson: LessonRow, second: int, stored: bytes) -> list[int]:
    """The counts of a second; see ``seal_counts``."""
    if stored[:1] == bytes([PLAIN]):
        refuse_changed([(lesson, "key")], stored)
        return list(json.loads(stored[1:]))
    return list(json.loads(cipher_of(session, [(lesson, "key")]).open(stored, _bound(lesson, second))))


def used_columns(session: Session, lesson: LessonRow) -> set[int]:
    """Columns of the labels that any reading of a lesson gives a probability above 0."""
    used: set[int] = set()
    for shown in all_probabilities(session, lesson):
        used.update(np.flatnonzero(shown > 0).tolist())
    return used


def all_probabilities(session: Session, lesson: LessonRow) -> Iterator[NDArray[np.float32]]:
    """The probabilities of every reading of a lesson, each of shape (labels so far,)."""
    for participant in session.scalars(select(ParticipantRow).where(ParticipantRow.lesson_id == lesson.id)).all():
        wanted = select(ReadingRow.second, ReadingRow.sealed, ReadingRow.probabilities)
        rows = session.execute(wanted.where(ReadingRow.participant_id == participant.id)).all()
        cipher = reading_cipher(session, lesson, participant) if any(sealed for _, sealed, _ in rows) else None
        for second, sealed, plain in rows:
            if cipher is not None and sealed is not None:
                yield np.frombuffer(cipher.open(second, sealed).probabilities, "<f4")
            elif plain is not None:
                yield plain


def check_seconds(session: Session, lesson: LessonRow) -> tuple[int, int]:
    """Open every sealed reading and count of a lesson. Returns how many can be opened, and how many cannot."""
    tried: list[bool] = []
    # Without the ORM, which refuses a row that was changed; here it is counted.
    counted = select(SecondRow.second, SecondRow.counts).where(SecondRow.lesson_id == lesson.id)
    for second in session.execute(counted).all():
        if second.counts is not None and second.counts[:1] != bytes([PLAIN]):
            tried.append(_opens(open_counts, session, lesson, second.second, second.counts))
    for participant in session.scalars(select(ParticipantRow).where(ParticipantRow.lesson_id == lesson.id)).all():
        wanted = select(ReadingRow.second, ReadingRow.sealed).where(ReadingRow.participant_id == participant.id)
        rows = session.execute(wanted.where(ReadingRow.sealed.is_not(None))).all()
        try:
            cipher = reading_cipher(session, lesson, participant) if rows else None
        except KeyGone:
            cipher = None
        tried += [cipher is not None and _opens(cipher.open, number, sealed) for number, sealed in rows]
    return sum(tried), len(tried) - sum(tried)


def _opens(work: Callable[..., object], *words: object) -> bool:
    try:
        work(*words)
    except (KeyGone, NotSealedHere, ValueError, struct.error):
        return False
    return True


def as_bytes(probabilities: NDArray[np.floating]) -> bytes:
    """Probabilities of shape (labels,) as they are sealed."""
    return np.ascontiguousarray(probabilities, "<f4").tobytes()


def _bound(lesson: LessonRow, second: int) -> bytes:
    return bound_to("lesson_seconds", "counts", f"{lesson.rid}|{second}")


def measured_of(row: Any) -> Measured:
    """The reading of a row that an earlier version wrote: of ``ReadingRow``, or with its columns."""
    shown = row.probabilities
    return Measured(
        row.frames or 0, row.readable or 0, row.faces or 0, -1 if row.emotion is None else row.emotion,
        row.confidence, b"" if shown is None else as_bytes(shown),
    )  # fmt: skip


def seal_lesson(session: Session, lesson: LessonRow) -> None:
    """Seal the counts and readings of a lesson that an earlier version wrote; see ``database.seal_all``."""
    for second in session.scalars(select(SecondRow).where(SecondRow.lesson_id == lesson.id)):
        if second.counts is not None and second.counts[:1] == bytes([PLAIN]):
            second.counts = seal_counts(session, lesson, second.second, json.loads(second.counts[1:]))
    for participant in session.scalars(select(ParticipantRow).where(ParticipantRow.lesson_id == lesson.id)):
        wanted = select(ReadingRow).where(ReadingRow.participant_id == participant.id, ReadingRow.sealed.is_(None))
        rows = session.scalars(wanted).all()
        if not rows:
            continue
        cipher = reading_cipher(session, lesson, participant, new=True)
        for row in rows:
            row.sealed = cipher.seal(row.second, measured_of(row))
            row.frames = row.readable = row.faces = row.emotion = row.confidence = row.probabilities = None
    session.flush()
