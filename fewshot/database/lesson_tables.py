"""Tables of lessons: the readings of every second, and the teacher's markers, corrections and check-ins."""

from __future__ import annotations

from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import JSON as JsonColumn
from sqlalchemy import ForeignKey, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, Session, mapped_column

from fewshot.database.columns import Floats, now
from fewshot.database.owner import LOCAL
from fewshot.database.row_check import Checked
from fewshot.database.sealing import JSON, MAYBE_TEXT, TEXT, Holder, Sealed, parent
from fewshot.database.tables import (
    NEVER_AGAIN,
    Base,
    OwnerRow,
    RowId,
    belongs_to,
    is_emotion,
    key_id,
    key_of_student,
    texts_of_class,
)

SECONDS = "seconds"


def texts_of_lesson(lesson: LessonRow, session: Session) -> tuple[Holder, ...]:
    """Who holds the key for the texts of a lesson: its class, or its owner."""
    if lesson.class_id is not None:
        return (texts_of_class(session, lesson.class_id),)
    return ((parent(session, OwnerRow, lesson.owner_id or LOCAL), "text_key"),)


def _of_marker(row: MarkerRow, session: Session) -> tuple[Holder, ...]:
    return texts_of_lesson(parent(session, LessonRow, row.lesson_id), session)


def _own(row: CorrectionRow | CheckInRow, session: Session) -> tuple[Holder, ...]:
    return (key_of_student(session, row.student_id),)


def _of_correction(row: CorrectionRow | CheckInRow, session: Session) -> tuple[Holder, ...]:
    student, field = key_of_student(session, row.student_id)
    return (student, field), texts_of_class(session, student.class_id)


class LessonRow(RowId, Base):
    """A lesson of the teacher ``owner_id``. It is running until ``ended`` is set.

    ``owner`` (the process that writes it) and ``heartbeat`` show whether it is still written. ``writer`` counts its
    recorders, and only the latest one may write. ``ticket`` is the SHA-256 of the text that lets a program take over at
    once. ``provisional`` is the second that is written, but not finished. ``written`` says how many rows there are:
    random id of a participant -> readings, and ``SECONDS`` -> seconds; None for a lesson that an earlier version wrote.
    """

    __tablename__ = "lessons"
    __table_args__ = NEVER_AGAIN

    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[str] = mapped_column(ForeignKey("owners.id"), index=True, default=LOCAL)
    class_id: Mapped[int | None] = mapped_column(belongs_to("classes.id"), index=True)
    title_: Mapped[bytes] = mapped_column("title", LargeBinary)
    source_: Mapped[bytes] = mapped_column("source", LargeBinary)
    network: Mapped[str] = mapped_column(Text)
    sample: Mapped[bool] = mapped_column(default=False)
    aggregate: Mapped[bool] = mapped_column(default=False)
    started: Mapped[datetime]
    ended: Mapped[datetime | None]
    seconds: Mapped[float] = mapped_column(default=0.0)
    heartbeat: Mapped[datetime] = mapped_column(default=now)
    owner: Mapped[str] = mapped_column(Text, default="")
    writer: Mapped[int] = mapped_column(default=0, server_default="0")
    ticket: Mapped[str] = mapped_column(String(64), default="", server_default="")
    provisional: Mapped[int | None]
    labels_: Mapped[bytes] = mapped_column("labels", LargeBinary)
    written: Mapped[dict[str, int] | None] = mapped_column(JsonColumn(none_as_null=True))
    key: Mapped[str] = key_id()

    own_keys = ("key",)
    title = Sealed("title_", TEXT, texts_of_lesson)
    source = Sealed("source_", TEXT, texts_of_lesson)
    labels: Sealed[list[str]] = Sealed("labels_", JSON, texts_of_lesson)


class SecondRow(Checked, Base):
    """One second of a lesson; ``counts`` only in a lesson with counts only, and only for 5 people or more.

    They are sealed by the lesson's key; see ``reading_codec``.
    """

    __tablename__ = "lesson_seconds"

    lesson_id: Mapped[int] = mapped_column(belongs_to("lessons.id"), primary_key=True, autoincrement=False)
    second: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    frames: Mapped[int]
    counts: Mapped[bytes | None] = mapped_column(LargeBinary)


class ParticipantRow(RowId, Base):
    """A student in a lesson; the row without a student is for all faces of people who are not enrolled."""

    __tablename__ = "participants"
    __table_args__ = (UniqueConstraint("lesson_id", "student_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    lesson_id: Mapped[int] = mapped_column(belongs_to("lessons.id"))
    student_id: Mapped[int | None] = mapped_column(belongs_to("students.id"), index=True)


class ReadingRow(Base):
    """What one participant showed in one second; see ``fewshot.session.lesson.Readings``.

    ``sealed`` holds all of it, sealed by the keys of the student and the lesson; see ``reading_codec``. The columns
    behind it are of an earlier version, and empty in new rows.
    """

    __tablename__ = "readings"

    participant_id: Mapped[int] = mapped_column(belongs_to("participants.id"), primary_key=True, autoincrement=False)
    second: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    frames: Mapped[int | None]
    readable: Mapped[int | None]
    faces: Mapped[int | None]
    emotion: Mapped[int | None]
    confidence: Mapped[float | None]
    probabilities: Mapped[NDArray[np.float32] | None] = mapped_column(Floats)


class MarkerRow(RowId, Base):
    """A moment that the teacher marked."""

    __tablename__ = "markers"
    __table_args__ = NEVER_AGAIN

    id: Mapped[int] = mapped_column(primary_key=True)
    lesson_id: Mapped[int] = mapped_column(belongs_to("lessons.id"), index=True)
    second: Mapped[float]
    text_: Mapped[bytes] = mapped_column("text", LargeBinary)

    text = Sealed("text_", TEXT, _of_marker)


class CorrectionRow(RowId, Base):
    """A teacher's correction of a reading. It is kept after its lesson is deleted, because prototypes use it."""

    __tablename__ = "corrections"
    __table_args__ = NEVER_AGAIN

    id: Mapped[int] = mapped_column(primary_key=True)
    student_id: Mapped[int] = mapped_column(belongs_to("students.id"), index=True)
    lesson_id: Mapped[int | None] = mapped_column(ForeignKey("lessons.id", ondelete="SET NULL"), index=True)
    second: Mapped[float]
    said_: Mapped[bytes | None] = mapped_column("said", LargeBinary)
    actually_: Mapped[bytes] = mapped_column("actually", LargeBinary)
    made: Mapped[datetime] = mapped_column(default=now)
    undone: Mapped[datetime | None]

    said = Sealed("said_", MAYBE_TEXT, _of_correction, _own, is_emotion)
    actually = Sealed("actually_", TEXT, _of_correction, _own, is_emotion)


class CheckInRow(RowId, Base):
    """A check-in that the teacher closed: what came of it, and a note.

    The note is about a child, and may name another one. So the student's key and the key of the class's texts seal it.
    """

    __tablename__ = "check_ins"
    __table_args__ = (UniqueConstraint("lesson_id", "student_id"), NEVER_AGAIN)

    id: Mapped[int] = mapped_column(primary_key=True)
    lesson_id: Mapped[int] = mapped_column(belongs_to("lessons.id"))
    student_id: Mapped[int] = mapped_column(belongs_to("students.id"), index=True)
    answer_: Mapped[bytes] = mapped_column("answer", LargeBinary)
    note_: Mapped[bytes | None] = mapped_column("note", LargeBinary)
    made: Mapped[datetime] = mapped_column(default=now)

    answer = Sealed("answer_", TEXT, _own)
    note = Sealed("note_", MAYBE_TEXT, _of_correction)
