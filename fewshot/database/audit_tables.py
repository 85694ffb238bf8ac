"""Tables of the audit log. No table of them holds a name, and nothing of the log points to a student.

``audit_subjects`` leads from a student to the random id that the log uses. Its row is deleted together with the
student, so afterwards nothing leads from the log to a person. It is not in the chain; the lines about a student hold
what shows that it was changed (``fewshot.audit.bonds``).
"""

from __future__ import annotations

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from fewshot.database.row_check import Checked
from fewshot.database.tables import Base, belongs_to


class AuditRow(Base):
    """One line of the log. All columns are text exactly as it was hashed, so any change of them shows.

    ``at`` is ISO 8601 in UTC. ``owner`` is no foreign key: a line stays when the account is removed. ``previous`` is
    the hash of the line before.
    """

    __tablename__ = "audit"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[str] = mapped_column(String(32))
    owner: Mapped[str] = mapped_column(String(32), index=True)
    event: Mapped[str] = mapped_column(String(32))
    subject: Mapped[str] = mapped_column(String(32), index=True)
    details: Mapped[str] = mapped_column(Text)
    previous: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class AuditHeadRow(Base):
    """The only row: number and hash of the newest line, signed. Whoever appends a line locks it."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int]
    hash: Mapped[str] = mapped_column(String(64))
    key: Mapped[str] = mapped_column(String(64))
    signature: Mapped[str] = mapped_column(String(128))


class AuditSubjectRow(Checked, Base):
    """The random id of a student in the log."""

    __tablename__ = "audit_subjects"

    student_id: Mapped[int] = mapped_column(belongs_to("students.id"), primary_key=True, autoincrement=False)
    subject: Mapped[str] = mapped_column(String(32), unique=True)
