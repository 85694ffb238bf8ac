"""What a student's prototypes learn from a teacher: "not confused: concentrating"."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from fewshot.classroom.names import emotion_of
from fewshot.classroom.roster import no_such_student
from fewshot.database import Database
from fewshot.database.columns import now
from fewshot.database.lesson_tables import CorrectionRow, LessonRow
from fewshot.database.tables import ClassRow, StudentRow, SupportRow
from fewshot.errors import DimensionMismatch, UsageError


@dataclass(frozen=True, slots=True)
class Learned:
    """A correction that a student's prototypes rest on now.

    Attributes:
        id: number of the correction.
        student: name.
        said: what the reading had named, None for "unsure".
        actually: what the student really showed.
        lesson: its number; None if it was deleted.
        second: since that lesson's start.
        made: when it was said, UTC, aware.
    """

    id: int
    student: str
    said: str | None
    actually: str
    lesson: int | None
    second: float
    made: datetime


def learned(database: Database, class_name: str, student: str | None = None) -> list[Learned]:
    """What a class has learned from corrections and could unlearn, in whatever lesson, newest first.

    Args:
        student: of this one only.
    """
    wanted = (
        select(CorrectionRow, StudentRow.name)
        .join(StudentRow, CorrectionRow.student_id == StudentRow.id)
        .join(ClassRow, StudentRow.class_id == ClassRow.id)
        .where(ClassRow.name == class_name, CorrectionRow.undone.is_(None))
    )
    if student is not None:
        wanted = wanted.where(StudentRow.name == student)
    with database.read() as session:
        rows = session.execute(wanted.order_by(CorrectionRow.made.desc(), CorrectionRow.id.desc())).all()
        return [
            Learned(row.id, name, row.said, row.actually, row.lesson_id, row.second, row.made) for row, name in rows
        ]


def learn(
    database: Database,
    class_name: str,
    lesson: int,
    student: str,
    second: float,
    actually: str,
    vector: NDArray[np.floating],
    said: str | None,
) -> int:
    """Note a correction, and keep the face it was made on as one more photo of what it really showed.

    Args:
        lesson: number of a lesson of this class.
        second: since it started.
        actually: what the student showed: an emotion in any common spelling, or a state of their own.
        vector: expression vector of the face, unit length, shape (d,).
        said: what the reading had named; None for "unsure".

    Returns:
        Number of the correction.

    Raises:
        UsageError: no such lesson or student, a label that cannot be one, or a vector that is none.
        DimensionMismatch: the vector is another network's.
    """
    label = emotion_of(actually)
    with database.write() as session:
        row = session.scalar(select(ClassRow).where(ClassRow.name == class_name))
        kept = session.get(LessonRow, lesson)
        if row is None or kept is None or kept.class_id != row.id:
            raise UsageError(f"There is no lesson {lesson} of class {class_name!r}, so nothing can be corrected in it.")
        if kept.aggregate:
            raise UsageError(f"Lesson {lesson} keeps counts alone, and knows no student. Nothing was corrected.")
        everybody = select(StudentRow.name, StudentRow.id).where(StudentRow.class_id == row.id)
        ids = dict(session.execute(everybody).tuples().all())
        if student not in ids:
            raise no_such_student(student, row.name, ids)
        correction = CorrectionRow(student_id=ids[student], lesson_id=lesson, second=second, said=said, actually=label)
        session.add(correction)
        session.flush()
        session.add(
            SupportRow(
                student_id=ids[student], correction_id=correction.id, emotion=label, network=row.network,
                vector=_checked(vector, row),
            )
        )  # fmt: skip
        return correction.id


def unlearn(database: Database, class_name: str, correction: int) -> None:
    """Take a correction back: its vector is deleted. One that was taken back already is no error.

    Raises:
        UsageError: there is no such correction of this class.
    """
    with database.write() as session:
        row = _correction(session, class_name, correction)
        row.undone = row.undone or now()
        session.execute(delete(SupportRow).where(SupportRow.correction_id == correction))
    database.forget_deleted()


def _correction(session: Session, class_name: str, correction: int) -> CorrectionRow:
    wanted = select(CorrectionRow).join(StudentRow).join(ClassRow)
    row = session.scalar(wanted.where(CorrectionRow.id == correction, ClassRow.name == class_name))
    if row is None:
        raise UsageError(f"There is no correction {correction} in class {class_name!r}, so it cannot be undone.")
    return row


def _checked(vector: NDArray[np.floating], row: ClassRow) -> NDArray[np.float32]:
    checked = np.asarray(vector, np.float32)
    if checked.shape != (row.dimension,):
        raise DimensionMismatch(
            f"The vector of this face has shape {checked.shape}, class {row.name!r} expects ({row.dimension},): it was "
            f"made by another network. Watch with the one that the class was enrolled with."
        )
    if not np.isfinite(checked).all() or not checked.any():
        raise UsageError("This face could not be read when it was corrected. Correct a moment where it can be.")
    return checked
