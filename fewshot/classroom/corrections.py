"""Corrections by the teacher ("not confused: concentrating"), which change a student's prototypes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from fewshot.audit.log import append
from fewshot.classroom.class_rows import students_of
from fewshot.classroom.names import emotion_of
from fewshot.classroom.roster import no_such_student
from fewshot.database import Database
from fewshot.database.columns import now
from fewshot.database.lesson_tables import CorrectionRow, LessonRow
from fewshot.database.owner import LOCAL_TEACHER, Owner
from fewshot.database.tables import ClassRow, StudentRow, SupportRow, class_called
from fewshot.errors import DimensionMismatch, UsageError
from fewshot.translation import later


@dataclass(frozen=True, slots=True)
class Learned:
    """A correction that is used in a student's prototypes.

    Attributes:
        id: number of the correction.
        student: name.
        said: emotion of the corrected reading; None for "unsure".
        actually: what the student really showed.
        lesson: number of the lesson; None if the lesson was deleted.
        second: seconds since the start of the lesson.
        made: time of the correction, in UTC with time zone.
    """

    id: int
    student: str
    said: str | None
    actually: str
    lesson: int | None
    second: float
    made: datetime


def learned(
    database: Database, class_name: str, student: str | None = None, *, owner: Owner = LOCAL_TEACHER
) -> list[Learned]:
    """All corrections of a class that are in use and can be undone, of every lesson, newest first.

    Args:
        database: where the class is stored.
        class_name: name of the class.
        student: only the corrections of this student.
        owner: to whom the class belongs.
    """
    with database.read() as session:
        row = class_called(session, owner.id, class_name)
        if row is None:
            return []
        names = {one.id: one.name for one in students_of(session, row.id) if student in (None, one.name)}
        wanted = select(CorrectionRow).where(CorrectionRow.student_id.in_(names), CorrectionRow.undone.is_(None))
        rows = session.scalars(wanted.order_by(CorrectionRow.made.desc(), CorrectionRow.id.desc())).all()
        return [
            Learned(one.id, names[one.student_id], one.said, one.actually, one.lesson_id, one.second, one.made)
            for one in rows
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
    *,
    owner: Owner = LOCAL_TEACHER,
) -> int:
    """Record a correction, and add the corrected face to the student's support set.

    Args:
        database: where the class is stored.
        class_name: name of the class.
        lesson: number of a lesson of this class.
        student: name of the student.
        second: seconds since the start of the lesson.
        actually: what the student really showed: an emotion in any common spelling, or one of the student's own states.
        vector: expression vector of the face, unit length, shape (d,).
        said: emotion of the corrected reading; None for "unsure".
        owner: to whom the class belongs.

    Returns:
        Number of the correction.

    Raises:
        UsageError: there is no such lesson or student, the label cannot be used, or the vector is empty.
        DimensionMismatch: another network made the vector.
    """
    label = emotion_of(actually)
    with database.write() as session:
        row = class_called(session, owner.id, class_name)
        kept = session.get(LessonRow, lesson)
        if row is None or kept is None or kept.class_id != row.id:
            raise UsageError(
                later(
                    "Class {classroom!r} has no lesson {lesson}. Nothing was corrected.",
                    classroom=class_name,
                    lesson=lesson,
                )
            )
        if kept.aggregate:
            raise UsageError(
                later("Lesson {lesson} contains counts only, without students. Nothing was corrected.", lesson=lesson)
            )
        ids = {one.name: one.id for one in students_of(session, row.id)}
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
        append(session, owner.id, "corrected", student=ids[student], details={"class": row.id, "lesson": lesson})
        return correction.id


def unlearn(database: Database, class_name: str, correction: int, *, owner: Owner = LOCAL_TEACHER) -> None:
    """Undo a correction of the owner's class: its vector is deleted. Undoing it twice is not an error.

    Raises:
        UsageError: there is no such correction of this class.
    """
    with database.erase() as session:
        row = _correction(session, owner, class_name, correction)
        if row.undone is None:
            append(session, owner.id, "corrected", student=row.student_id, details={"undone": True})
        row.undone = row.undone or now()
        session.execute(delete(SupportRow).where(SupportRow.correction_id == correction))


def _correction(session: Session, owner: Owner, class_name: str, correction: int) -> CorrectionRow:
    of_class = class_called(session, owner.id, class_name)
    row = session.get(CorrectionRow, correction) if abs(correction) < 2**63 else None
    student = None if row is None else session.get(StudentRow, row.student_id)
    if row is None or student is None or of_class is None or student.class_id != of_class.id:
        raise UsageError(
            later(
                "Class {classroom!r} has no correction {correction}, so it cannot be undone.",
                classroom=class_name,
                correction=correction,
            )
        )
    return row


def _checked(vector: NDArray[np.floating], row: ClassRow) -> NDArray[np.float32]:
    checked = np.asarray(vector, np.float32)
    if checked.shape != (row.dimension,):
        raise DimensionMismatch(
            later(
                "The vector of this face has shape {shape}, but class {classroom!r} needs ({numbers},): another "
                "network made it. Watch the class with the network that it was enrolled with.",
                shape=checked.shape,
                classroom=row.name,
                numbers=row.dimension,
            )
        )
    if not np.isfinite(checked).all() or not checked.any():
        raise UsageError(
            later("This face was not readable, so it cannot be corrected. Choose a moment where it is readable.")
        )
    return checked
