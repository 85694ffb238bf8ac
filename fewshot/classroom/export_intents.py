"""Exported lessons are changed after the database, so a program may be killed in between. Then a later one goes on.

What is to be erased from them is noted in the database, in the transaction that erases it there: in numbers only. The
journals of the folders say which names these are.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from fewshot.classroom.class_rows import students_of
from fewshot.classroom.export_erasure import erase_class, erase_student
from fewshot.classroom.exports import ExportFault, journal_of, known_folders
from fewshot.database import Database
from fewshot.database.tables import SettingRow

_NOTE = "exports "


@dataclass(frozen=True, slots=True)
class Intent:
    """What is to be erased from the exported lessons of an owner: a class, or one of its students.

    Attributes:
        owner: id of the teacher.
        class_id: number of the class.
        student: number of the student; None: the whole class.
    """

    owner: str
    class_id: int
    student: int | None = None

    @property
    def key(self) -> str:
        """Of the note."""
        return f"{_NOTE}{self.class_id} {self.student or ''}"


def intend(session: Session, intent: Intent) -> None:
    """Note it, if the owner has exported lessons. In the transaction that erases."""
    with suppress(ExportFault):
        if not known_folders(intent.owner):
            return
    value = json.dumps([intent.owner, intent.class_id, intent.student])
    session.merge(SettingRow(key=intent.key, value=value))


def done(database: Database, intent: Intent) -> None:
    """The exported lessons were changed, or the user was told what could not be."""
    with database.read() as session:
        noted = session.get(SettingRow, intent.key) is not None
    if noted:
        with database.write() as session:
            session.execute(delete(SettingRow).where(SettingRow.key == intent.key))


def finish(database: Database) -> None:
    """Do what programs that were killed have left. What cannot be done is logged, and not tried again.

    Raises:
        StoreError: the database cannot be used.
    """
    with database.read() as session:
        rows = session.scalars(select(SettingRow.value).where(SettingRow.key.startswith(_NOTE))).all()
        intents = [Intent(*json.loads(value)) for value in rows]
        others = {
            intent.class_id: [student.name for student in students_of(session, intent.class_id)] for intent in intents
        }
    for intent in intents:
        if intent.student is None:
            erase_class(intent.owner, intent.class_id)
        else:
            for name in _names(intent):
                erase_student(intent.owner, intent.class_id, intent.student, name, others[intent.class_id])
        done(database, intent)


def _names(intent: Intent) -> set[str]:
    """What the journals call a student."""
    found = set[str]()
    with suppress(ExportFault):
        for folder in known_folders(intent.owner):
            with suppress(OSError, ExportFault), journal_of(folder) as journal:
                for entry in journal.values():
                    if entry.class_id == intent.class_id:
                        found |= {name for name, number in entry.students.items() if number == intent.student}
    return found
