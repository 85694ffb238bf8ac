"""Tables of lessons: who showed what in which second, and what the teacher added."""

from __future__ import annotations

from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import JSON, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from fewshot.database.columns import now
from fewshot.database.tables import NEVER_AGAIN, Base, belongs_to


class LessonRow(Base):
    """A lesson. It runs until ``ended`` is set; ``owner`` and ``heartbeat`` tell whether anybody still writes it."""

    __tablename__ = "lessons"
    __table_args__ = NEVER_AGAIN

    id: Mapped[int] = mapped_column(primary_key=True)
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
    labels: Mapped[list[str]] = mapped_column(JSON)


class SecondRow(Base):
    """One second of a lesson; ``counts`` only in a lesson of counts alone, and only of 5 people or more."""

    __tablename__ = "lesson_seconds"

    lesson_id: Mapped[int] = mapped_column(belongs_to("lessons.id"), primary_key=True, autoincrement=False)
    second: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    frames: Mapped[int]
    counts: Mapped[list[int] | None] = mapped_column(JSON(none_as_null=True))


class ParticipantRow(Base):
    """A student in a lesson; the one without a student stands for all faces of nobody enrolled."""

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
    """A moment the teacher marked."""

    __tablename__ = "markers"
    __table_args__ = NEVER_AGAIN

    id: Mapped[int] = mapped_column(primary_key=True)
    lesson_id: Mapped[int] = mapped_column(belongs_to("lessons.id"), index=True)
    second: Mapped[float]
    text: Mapped[str] = mapped_column(Text)


class CorrectionRow(Base):
    """What a teacher said about a reading. It outlives its lesson, as the student's prototype has learned from it."""

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
