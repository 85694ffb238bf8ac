"""A restored database goes on with the log of the database that it replaces: a restore removes no line."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from fewshot.audit.log import append
from fewshot.database import Database
from fewshot.database.audit_tables import AuditHeadRow, AuditRow, AuditSubjectRow
from fewshot.database.owner import LOCAL
from fewshot.database.tables import StudentRow


def carry_on(copy: Database, present: Database | None) -> bool:
    """Give a restored copy the present log, if that goes on from the copy's, and append that it was restored.

    Args:
        copy: the restored copy, which no other program uses.
        present: the database that it replaces, of the same installation; None if there is none.

    Returns:
        Whether the copy has the present log now. Otherwise its own goes on, and the lines after the backup are lost.
    """
    with copy.write() as session:
        carried = False
        if present is not None:
            with present.read() as there:
                carried = _goes_on(there, session)
                if carried:
                    _take(there, session)
        append(session, LOCAL, "restored", details={"later_lines_kept": carried})
    return carried


def _goes_on(there: Session, here: Session) -> bool:
    """Whether the present log has the copy's newest line, and a head."""
    if there.get(AuditHeadRow, 1) is None:
        return False
    head = here.get(AuditHeadRow, 1)
    if head is None or not head.number:
        return True
    same = there.get(AuditRow, head.number)
    return same is not None and same.hash == head.hash


def _take(there: Session, here: Session) -> None:
    for table in (AuditRow, AuditHeadRow):
        here.execute(delete(table))
        for row in there.scalars(select(table)):
            here.add(table(**{column.key: getattr(row, column.key) for column in table.__table__.columns}))
    # Students of the backup who got their random id later. Numbers of students are never used again.
    known, students = set(here.scalars(select(AuditSubjectRow.student_id))), set(here.scalars(select(StudentRow.id)))
    for subject in there.scalars(select(AuditSubjectRow)):
        if subject.student_id in students - known:
            here.add(AuditSubjectRow(student_id=subject.student_id, subject=subject.subject))
    here.flush()
    here.expire_all()
