"""Turns rows of the database into the plain data of a lesson."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import LargeBinary, select, type_coerce
from sqlalchemy.orm import Session

from fewshot.addresses import public_source
from fewshot.database.columns import now
from fewshot.database.lesson_tables import (
    SECONDS,
    CheckInRow,
    CorrectionRow,
    LessonRow,
    MarkerRow,
    ParticipantRow,
    ReadingRow,
    SecondRow,
)
from fewshot.database.reading_codec import open_counts, reading_cipher
from fewshot.database.row_check import checked_rows
from fewshot.database.tables import StudentRow
from fewshot.database.whole_check import refuse_missing
from fewshot.session.lesson import NOBODY, CheckInAnswer, Correction, Lesson, LessonInfo, Marker, Readings, State
from fewshot.session.liveness import is_at_work

_ROUNDING = 1e-3
_LONGEST = 31 * 24 * 3600
"""Seconds of the longest lesson: a number beyond it is damage, and an array of that length would fill the memory."""


@dataclass(frozen=True, slots=True)
class OpenedReadings:
    """Readings with the lists that their indices refer to; ``numbers``: name -> number of the student."""

    students: list[str]
    labels: list[str]
    readings: Readings
    numbers: Mapping[str, int] = field(default_factory=dict)


def info_of(row: LessonRow, classroom: str | None, at: datetime | None = None) -> LessonInfo:
    """The entry of a lesson in a list. Whether it still runs or was interrupted is checked now."""
    state: State = "ended"
    if row.ended is None:
        state = "running" if is_at_work(row.owner, row.heartbeat, at or now()) else "interrupted"
    ended = row.heartbeat if state == "interrupted" else row.ended
    return LessonInfo(
        id=row.id, classroom=classroom or "", title=row.title, started=row.started, ended=ended, state=state,
        source=public_source(row.source), network=row.network, sample=row.sample, seconds=row.seconds,
        aggregate=row.aggregate,
    )  # fmt: skip


def lesson_of(session: Session, row: LessonRow, classroom: str) -> Lesson:
    """Everything that is stored of a lesson."""
    opened = open_readings(session, row)
    frames, counts = _seconds(session, row, len(opened.labels))
    markers = session.scalars(select(MarkerRow).where(MarkerRow.lesson_id == row.id).order_by(MarkerRow.second)).all()
    return Lesson(
        info=info_of(row, classroom),
        students=opened.students,
        labels=opened.labels,
        readings=opened.readings,
        frames_per_second=frames,
        markers=[Marker(marker.id, marker.second, marker.text) for marker in markers],
        corrections=_corrections(session, row.id),
        kept_counts=counts if row.aggregate else None,
        answers=answers_in(session, [row.id]),
        numbers=opened.numbers,
    )


def stamp_of(session: Session, row: LessonRow, classroom: str) -> tuple[object, ...]:
    """What changes when a report of the lesson does, read without the readings: length, texts, corrections, names."""
    marks = session.scalars(select(MarkerRow).where(MarkerRow.lesson_id == row.id).order_by(MarkerRow.id))
    names = session.scalars(select(StudentRow).where(StudentRow.class_id == row.class_id).order_by(StudentRow.id))
    return (
        info_of(row, classroom),
        tuple(row.labels),
        tuple((mark.id, mark.second, mark.text) for mark in marks),
        tuple(_corrections(session, row.id)),
        tuple((student.id, student.name) for student in names),
    )


def answers_in(session: Session, lessons: Sequence[int]) -> list[CheckInAnswer]:
    """The check-ins of some lessons that were closed, oldest answer first."""
    rows = session.execute(
        select(CheckInRow, StudentRow)
        .join(StudentRow)
        .where(CheckInRow.lesson_id.in_(lessons))
        .order_by(CheckInRow.made, CheckInRow.id)
    ).all()
    return [CheckInAnswer(row.lesson_id, one.name, row.answer, row.note or "", row.made) for row, one in rows]


def open_readings(session: Session, row: LessonRow, since: int = 0) -> OpenedReadings:
    """The readings of a lesson from second ``since`` on, ordered by second, then student."""
    people = session.execute(
        select(ParticipantRow, StudentRow).outerjoin(StudentRow).where(ParticipantRow.lesson_id == row.id)
    ).all()
    names = {one.id: None if student is None else student.name for one, student in people}
    numbers = {student.name: student.id for _, student in people if student is not None}
    students = sorted((name for name in names.values() if name is not None), key=str.casefold)
    places = {name: place for place, name in enumerate(students)}
    place_of = {number: NOBODY if name is None else places[name] for number, name in names.items()}
    wanted = select(
        ReadingRow.second,
        ReadingRow.participant_id,
        ReadingRow.sealed,
        ReadingRow.frames,
        ReadingRow.readable,
        ReadingRow.faces,
        ReadingRow.emotion,
        ReadingRow.confidence,
        # As bytes: to convert 150,000 of them into arrays one by one would take most of the time.
        type_coerce(ReadingRow.probabilities, LargeBinary),
    ).where(ReadingRow.participant_id.in_(list(place_of)), ReadingRow.second >= since)
    rows = session.connection().execute(wanted).all()  # without the ORM, which takes 50 % longer
    if since == 0:
        many = Counter(row[1] for row in rows)
        refuse_missing(session, row, {one.rid: many[one.id] for one, _ in people})
    # The label of a removed student is blank; its column is dropped.
    kept = [column for column, label in enumerate(row.labels) if label]
    labels = [row.labels[column] for column in kept]
    if not rows:
        return OpenedReadings(students, labels, Readings.empty(len(labels)), numbers)
    ciphers = {one.id: reading_cipher(session, row, one) for one, _ in people if row.key}
    second, participant, *_ = zip(*rows, strict=True)
    measured = [rest if sealed is None else ciphers[who].open(when, sealed) for when, who, sealed, *rest in rows]
    frames, readable, faces, emotion, confidence, vectors = zip(*measured, strict=True)
    probabilities = _matrix(vectors, len(row.labels))
    _check_values(probabilities, emotion, confidence)
    who = np.array([place_of[number] for number in participant], np.int32)
    order = np.lexsort((who, second))
    renumbered = np.full(len(row.labels) + 2, -1, np.int32)
    renumbered[kept] = np.arange(len(kept))
    renumbered[-2:] = -2, -1  # indices -2 and -1 stay what they are
    readings = Readings(
        second=_ints(second)[order],
        student=who[order],
        frames=_ints(frames)[order],
        readable=_ints(readable)[order],
        faces=_ints(faces)[order],
        emotion=renumbered[_ints(emotion)][order],
        confidence=np.array([np.nan if value is None else value for value in confidence], np.float32)[order],
        probabilities=probabilities[order][:, kept],
    )
    return OpenedReadings(students, labels, readings, numbers)


def _check_values(
    probabilities: NDArray[np.float32], emotions: Sequence[int], confidences: Sequence[float | None]
) -> None:
    """Raises ValueError for numbers that no recorder writes, so that damage is not taken for a reading."""
    known = [value for value in confidences if value is not None]
    shares = (float(probabilities.min(initial=0.0)), float(probabilities.max(initial=0.0)))
    sure = (min(known, default=0.0), max(known, default=0.0))
    for low, high in (shares, sure):
        if not (low >= -_ROUNDING and high <= 1 + _ROUNDING):  # also for no number
            raise ValueError(f"it has a probability outside of 0 to 1: {low:g} to {high:g}")
    if not -2 <= min(emotions) <= max(emotions) < probabilities.shape[1]:
        raise ValueError("it has a reading of an emotion that is not among its labels")


def _seconds(session: Session, row: LessonRow, labels: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Frames, shape (seconds,), and counts, shape (seconds, labels + 2), of every second."""
    rows = checked_rows(session, SecondRow, SecondRow.lesson_id == row.id)
    kept = [(one.second, one.frames, one.counts) for one in rows]
    refuse_missing(session, row, {SECONDS: len(kept)})
    length = 1 + max((second for second, _, _ in kept), default=-1)
    if length > _LONGEST or min((second for second, _, _ in kept), default=0) < 0:
        raise ValueError(f"it has a second {max(length - 1, 0)}")
    frames, counts = np.zeros(length, np.int32), np.zeros((length, labels + 2), np.int32)
    for second, seen, stored in kept:
        frames[second] = seen
        if stored is not None:
            people = open_counts(session, row, second, stored)
            # Older rows may have fewer labels; unsure and not readable are always the last two.
            counts[second, : len(people) - 2], counts[second, -2:] = people[:-2], people[-2:]
    return frames, counts


def _corrections(session: Session, lesson: int) -> list[Correction]:
    rows = session.execute(
        select(CorrectionRow, StudentRow)
        .join(StudentRow)
        .where(CorrectionRow.lesson_id == lesson)
        .order_by(CorrectionRow.second, CorrectionRow.id)
    ).all()
    return [
        Correction(row.id, row.second, student.name, row.said, row.actually, row.made, row.undone is not None)
        for row, student in rows
    ]


def _ints(values: tuple[int, ...]) -> NDArray[np.int32]:
    return np.array(values, np.int32)


def _matrix(vectors: tuple[bytes, ...], labels: int) -> NDArray[np.float32]:
    """Vectors of up to ``labels`` floats as rows, padded with zeros, because new states may appear during a lesson."""
    width = 4 * labels
    content = b"".join(vector if len(vector) == width else vector.ljust(width, b"\0") for vector in vectors)
    return np.frombuffer(content, "<f4").astype(np.float32).reshape(len(vectors), labels)
