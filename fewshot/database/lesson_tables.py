"""Tables of lessons: the readings of every second, and the teacher's markers and corrections."""

from __future__ import annotations

from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import JSON, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from fewshot.database.columns import now
from fewshot.database.owner import LOCAL
from fewshot.database.tables import NEVER_AGAIN, Base, belongs_to


class LessonRow(Base):
    """A lesson of the teacher ``owner_id``. It is running until ``ended`` is set.

    ``owner`` (the process that writes it) and ``heartbeat`` show whether it is still written. ``writer`` counts its
    recorders, and only the latest one may write. ``ticket`` is the SHA-256 of the text that lets a program take over at
    once. ``provisional`` is the second that is written, but not finished.
    """

    __tablename__ = "lessons"
    __table_args__ = NEVER_AGAIN

    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[str] = mapped_column(ForeignKey("owners.id"), index=True, default=LOCAL)
    class_id: Mapped[int | None] = mapped_column(belongs_to("classes.id"), index=True)
    title: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text)
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
    labels: Mapped[list[str]] = mapped_column(JSON)


class SecondRow(Base):
    """One second of a lesson; ``counts`` only in a lesson with counts only, and only for 5 people or more."""

    __tablename__ = "lesson_seconds"

    lesson_id: Mapped[int] = mapped_column(belongs_to("lessons.id"), primary_key=True, autoincrement=False)
    second: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    frames: Mapped[int]
    counts: Mapped[list[int] | None] = mapped_column(JSON(none_as_null=True))


class ParticipantRow(Base):
    """A student in a lesson; the row without a student is for all faces of people who are not enrolled."""

    __tablename__ = "participants"
    __table_args__ = (UniqueConstraint("lesson_id", "student_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    lesson_id: Mapped[int] = mapped_column(belongs_to("lessons.id"))
    student_id: Mapped[int | None] = mapped_column(belongs_to("students.id"), index=True)


class ReadingRow(Base):
    """What one participant showed in one second; see ``fewshot.session.lesson.Readings``."""

    __tablename__ = "readings"

    participant_id: Mapped[int] = mapped_column(belongs_to("participants.id"), primary_key=True, autoincrement=False)
    second: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    frames: Mapped[int]
    readable: Mapped[int]
    faces: Mapped[int]
    emotion: Mapped[int]
    confidence: Mapped[float | None]
    probabilities: Mapped[NDArray[np.float32]]


class MarkerRow(Base):
    """A moment that the teacher marked."""

    __tablename__ = "markers"
    __table_args__ = NEVER_AGAIN

    id: Mapped[int] = mapped_column(primary_key=True)
    lesson_id: Mapped[int] = mapped_column(belongs_to("lessons.id"), index=True)
    second: Mapped[float]
    text: Mapped[str] = mapped_column(Text)


class CorrectionRow(Base):
    """A teacher's correction of a reading. It is kept after its lesson is deleted, because prototypes use it."""

    __tablename__ = "corrections"
    __table_args__ = NEVER_AGAIN

    id: Mapped[int] = mapped_column(primary_key=True)
    student_id: Mapped[int] = mapped_column(belongs_to("students.id"), index=True)
    lesson_id: Mapped[int | None] = mapped_column(ForeignKey("lessons.id", ondelete="SET NULL"), index=True)
    second: Mapped[float]
    said: Mapped[str | None] = mapped_column(String(64))
    actually: Mapped[str] = mapped_column(String(64))
    made: Mapped[datetime] = mapped_column(default=now)
    undone: Mapped[datetime | None]
