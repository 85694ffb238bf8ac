"""Looking up classes and students, in a session that is open."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from fewshot.classroom.names import folded, quoted
from fewshot.classroom.roster import no_such_student
from fewshot.database.tables import ClassRow, StudentRow
from fewshot.errors import UsageError


def no_such_class(name: str, names: Sequence[str]) -> UsageError:
    """The error for a class that does not exist, with the ``names`` of those that do."""
    there = f"Classes here: {', '.join(names)}." if names else "There is no class here yet."
    return UsageError(
        f"There is no class {name!r}. {there} To make it: fewshot enroll {quoted(name)} PHOTOS --consent-by WHO"
    )


def find_class(session: Session, name: str) -> ClassRow | None:
    """The class of that name, in any case."""
    return session.scalar(select(ClassRow).where(ClassRow.folded == folded(name)))


def class_of(session: Session, name: str) -> ClassRow:
    """Raises UsageError if there is no such class."""
    row = find_class(session, name)
    if row is None:
        raise no_such_class(name, sorted(session.scalars(select(ClassRow.name)).all()))
    return row


def students_of(session: Session, class_id: int) -> Sequence[StudentRow]:
    """Everybody in a class, in the order they came."""
    return session.scalars(select(StudentRow).where(StudentRow.class_id == class_id).order_by(StudentRow.id)).all()


def student_of(session: Session, row: ClassRow, student: str) -> StudentRow:
    """Raises UsageError if there is no such student in the class."""
    everybody = {found.name: found for found in students_of(session, row.id)}
    if student not in everybody:
        raise no_such_student(student, row.name, list(everybody))
    return everybody[student]
