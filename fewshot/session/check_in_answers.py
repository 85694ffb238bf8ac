"""Closes check-ins and opens them again. The note is sealed like all words about a student, and goes with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from fewshot.audit.log import append
from fewshot.database.columns import now
from fewshot.database.key_erasure import renew_texts_of
from fewshot.database.lesson_tables import CheckInRow, LessonRow, ParticipantRow
from fewshot.database.tables import ClassRow, StudentRow
from fewshot.errors import UsageError
from fewshot.session.lesson import Answer, CheckInAnswer
from fewshot.session.lesson_rows import answers_in
from fewshot.session.lessons import LessonStore, found_lesson
from fewshot.translation import tr, tr_n

LONGEST_NOTE = 500
"""Characters."""


def close_check_in(store: LessonStore, lessons: Sequence[int], student: str, answer: Answer, note: str = "") -> None:
    """Close the check-in of a student in one or more lessons at once.

    Args:
        store: the lessons of the owner.
        lessons: numbers of the lessons on whose lists the student stands, at least one.
        student: name of a student of these lessons.
        answer: what came of it.
        note: the teacher's words about it.

    Raises:
        UsageError: there is no such lesson or student, it is closed already, or the note is too long.
    """
    words = note.strip()
    if answer not in get_args(Answer):
        raise UsageError(f"A check-in is closed with one of these: {'; '.join(get_args(Answer))}.")
    if len(words) > LONGEST_NOTE:
        raise UsageError(
            tr_n(
                "This note has {number} character. Use at most {most}.",
                "This note has {number} characters. Use at most {most}.",
                len(words),
                most=LONGEST_NOTE,
            )
        )
    with store.database.write() as session:
        made = now()
        for lesson in lessons:
            row, _ = found_lesson(session, store.owner, lesson)
            number = _student(session, row, student)
            if _closed(session, lesson, number) is not None:
                raise UsageError(
                    tr(
                        "The check-in of {student} is closed already, perhaps in another window. Nothing was changed. "
                        "Load this page again.",
                        student=student,
                    )
                )
            session.add(CheckInRow(lesson_id=lesson, student_id=number, answer=answer, note=words or None, made=made))
            append(session, store.owner.id, "check-in closed", student=number, details={"lesson": lesson})


def open_check_in(store: LessonStore, lesson: int, student: str) -> None:
    """Open a check-in again, with all that were closed with the same click. Their note is deleted.

    Doing it twice is not an error.

    Raises:
        UsageError: there is no such lesson or student.
        ErasurePending: it is open, but the bytes of the note are still in the file; see ``Database.erase``.
    """
    with store.database.erase() as session:
        row, _ = found_lesson(session, store.owner, lesson)
        number = _student(session, row, student)
        closed = _closed(session, lesson, number)
        if closed is None:
            return
        if closed.note_ is not None and row.class_id is not None:
            renew_texts_of(session, session.get_one(ClassRow, row.class_id))  # no backup opens the note any more
        together = CheckInRow.student_id == number, CheckInRow.made == closed.made
        session.expunge(closed)
        session.execute(delete(CheckInRow).where(*together))
        append(session, store.owner.id, "check-in opened", student=number, details={"lesson": lesson})


def answers_of(store: LessonStore, lessons: Sequence[int]) -> list[CheckInAnswer]:
    """The closed check-ins of some lessons of the owner, oldest answer first; lessons that are gone have none."""
    with store.database.read() as session:
        mine = select(LessonRow.id).where(LessonRow.id.in_(lessons), LessonRow.owner_id == store.owner.id)
        return answers_in(session, list(session.scalars(mine)))


def _closed(session: Session, lesson: int, student: int) -> CheckInRow | None:
    return session.scalar(select(CheckInRow).where(CheckInRow.lesson_id == lesson, CheckInRow.student_id == student))


def _student(session: Session, lesson: LessonRow, name: str) -> int:
    """The number of a student of the lesson."""
    rows = session.scalars(select(StudentRow).join(ParticipantRow).where(ParticipantRow.lesson_id == lesson.id))
    for row in rows:
        if row.name == name:
            return row.id
    raise UsageError(
        tr(
            "There is no student {student} in lesson {number}, or not any more. Nothing was changed.",
            student=repr(name),
            number=lesson.id,
        )
    )
