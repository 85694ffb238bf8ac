"""Lines of the audit log about classes: what was erased with one, and who looked at its lessons."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fewshot.audit.chain import Details
from fewshot.audit.log import append, note
from fewshot.classroom.class_rows import find_class
from fewshot.database import Database
from fewshot.database.lesson_tables import LessonRow
from fewshot.database.owner import Owner
from fewshot.database.tables import ClassRow, StudentRow


def note_class_erased(session: Session, row: ClassRow, owner: str, why: str = "") -> None:
    """Append a line for every student of a class and one for the class, in the transaction that deletes it.

    Args:
        session: of the deletion.
        row: the class, before it is deleted.
        owner: id of the account that deletes it.
        why: fixed words; "" if somebody deleted this class.
    """
    students = session.scalars(select(StudentRow.id).where(StudentRow.class_id == row.id).order_by(StudentRow.id)).all()
    for student in students:
        append(session, owner, "erased", student=student, details={"class": row.id, "what": "student"})
    lessons = session.scalar(select(func.count()).select_from(LessonRow).where(LessonRow.class_id == row.id)) or 0
    details: Details = {"class": row.id, "what": "class", "students": len(students), "lessons": lessons}
    append(session, owner, "erased", details={**details, "why": why} if why else details)


def note_looked(
    database: Database,
    owner: Owner,
    classroom: str = "",
    lesson: int | None = None,
    live: bool = False,
    files: bool = False,
) -> None:
    """Append a line: somebody opened a lesson or its report. Another one if what is seen also goes to files.

    Args:
        database: where the class is.
        owner: who looks.
        classroom: name of the class; "" for a lesson without one.
        lesson: its number; None if it is not recorded.
        live: while it ran.
        files: whether readings are written to files.
    """
    with database.read() as session:
        row = find_class(session, owner, classroom) if classroom else None
        number = None if row is None else row.id
    details: dict[str, int | str | bool] = {"live": live}
    if number is not None:
        details["class"] = number
    if lesson is not None:
        details["lesson"] = lesson
    note(database, owner, "looked", details=details)
    if files:
        note(database, owner, "exported", details={**details, "what": "files of a run"})
