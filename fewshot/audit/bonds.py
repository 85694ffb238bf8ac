"""Binds the lines about a student to the student's key, so that they cannot be given to another student unnoticed.

The row that leads from a student to the random id is outside of the chain, because it must vanish with the student. So
every line about a student holds a bond: an HMAC of the random id under the student's key. Whoever changes the row does
not have the key, and cannot change the lines. When the key is dropped, a bond tells nothing any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from fewshot.audit.chain import Line
from fewshot.database.audit_tables import AuditSubjectRow
from fewshot.database.sealing import vault_of
from fewshot.database.tables import StudentRow
from fewshot.vault import KeyGone, KeysUnusable

_DIGITS = 32


def bond_of(session: Session, student: int, subject: str) -> str:
    """The bond of a student's lines, 32 hex digits; "" if the student has no key, or it cannot be used.

    Args:
        session: of the database.
        student: number of the student.
        subject: random id of the student in the log.
    """
    key = session.scalar(select(StudentRow.key).where(StudentRow.id == student))
    return _bond(session, key or "", subject)


def _bond(session: Session, key: str, subject: str) -> str:
    if not key:
        return ""
    try:
        return vault_of(session).blind(key, f"audit|{subject}")[:_DIGITS]
    except (KeyGone, KeysUnusable):  # a removal must not wait for keys that are lost
        return ""


@dataclass(slots=True)
class _Subject:
    bonds: set[str] = field(default_factory=set)
    last: int = 0
    removed: bool = False


class Bonds:
    """What the lines of the log say about its random ids, and whether the rows that lead to students agree."""

    def __init__(self) -> None:
        self._subjects: dict[str, _Subject] = {}
        self._restored = 0

    def watch(self, lines: Iterator[Line]) -> Iterator[Line]:
        """Remember what the lines that pass say."""
        for line in lines:
            if line.event == "restored":
                self._restored = line.number
            if line.subject:
                known = self._subjects.setdefault(line.subject, _Subject())
                known.last = line.number
                known.bonds |= {line.bond} - {""}
                known.removed |= line.event == "erased" and line.told().get("what") == "student"
            yield line

    def findings(self, session: Session) -> Iterator[str]:
        """Sentences on random ids that lead to another student, or to nobody, since their lines were written."""
        rows = session.execute(
            select(AuditSubjectRow.subject, StudentRow.key).outerjoin(
                StudentRow, StudentRow.id == AuditSubjectRow.student_id
            )
        )
        leads = {subject: key or "" for subject, key in rows}
        for subject in sorted(leads.keys() - self._subjects.keys()):  # it is made together with its first line
            yield f"A student has the random id {subject}, and there is no line about it: lines are missing."
        names: set[str] = set()
        with suppress(KeysUnusable):
            names.update(vault_of(session).names())
        for subject, said in self._subjects.items():
            if subject not in leads:
                # A restored database has lost the students who came after the backup, and keeps the lines about them.
                if not said.removed and said.last > self._restored:
                    yield (
                        f"The lines of {subject} lead to no student, although no line says that one was removed: the "
                        "row that leads there was deleted."
                    )
            elif said.bonds and leads[subject] and leads[subject] not in names:
                yield f"It cannot be told whom the lines of {subject} are about: the key of the student is not here."
            elif said.bonds and said.bonds != {_bond(session, leads[subject], subject)}:
                yield (
                    f"The lines of {subject} were written about another student than the one they lead to now: the "
                    "row that leads there was changed."
                )
