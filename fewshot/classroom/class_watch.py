"""Notices, while a lesson runs, that its class was changed in the database: by a page, by a command, by any program."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fewshot.classroom.class_rows import class_of
from fewshot.classroom.consent import SAMPLE_CONSENT, Consent
from fewshot.database import Database
from fewshot.database.owner import LOCAL_TEACHER, Owner
from fewshot.database.row_check import checked_rows
from fewshot.database.tables import ClassRow, ConsentRow, IdentityRow, StudentRow, SupportRow
from fewshot.errors import StoreError
from fewshot.translation import later

EVERY = 0.5
"""Seconds between two looks at the database. One takes about 2 ms."""
PATIENCE = 30.0
"""Seconds for which a database that cannot be read is tried again before the lesson gets the error."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a running lesson must know about its class.

    Attributes:
        name: of the class, which may have been renamed.
        students: names of all students.
        consenting: those whose consent is valid today. Only they may be named and recorded.
        vectors: changes when vectors are added or deleted.
    """

    name: str
    students: frozenset[str]
    consenting: frozenset[str]
    vectors: tuple[int, ...]


class ClassWatch:
    """Looks at a class in the database at most every ``EVERY`` seconds. Threads may share it.

    Args:
        database: where the class is stored.
        classroom: its name.
        on_change: called with the present state when something changed, and with None when the class was deleted
            or given to another teacher.
        owner: to whom the class belongs.

    Raises:
        UsageError: there is no such class.
    """

    def __init__(
        self,
        database: Database,
        classroom: str,
        on_change: Callable[[Standing | None], None],
        owner: Owner = LOCAL_TEACHER,
    ) -> None:
        self._database, self._on_change, self._owner = database, on_change, owner
        with database.read() as session:
            self._class = class_of(session, owner, classroom).id
            self._standing: Standing | None = _standing(session, self._class)
        self._given = False
        self._name = classroom
        self._looking = threading.Lock()
        self._next = self._well = time.monotonic()

    def look(self) -> Standing:
        """The state of the class; at most ``EVERY`` seconds old.

        Raises:
            StoreError: the class was deleted or given to another teacher, its new vectors cannot be used, or the
                database has failed for a while.
        """
        if time.monotonic() >= self._next and self._looking.acquire(blocking=False):
            try:
                self._look()
            finally:
                self._looking.release()
        if self._standing is None:
            raise class_given(self._name) if self._given else class_gone(self._name)
        return self._standing

    def _look(self) -> None:
        self._next = time.monotonic() + EVERY
        if self._standing is None:
            return
        try:
            with self._database.read() as session:
                row = session.get(ClassRow, self._class)
                self._given = row is not None and row.owner_id != self._owner.id
                found = None if self._given else _standing(session, self._class)
        except StoreError:
            if time.monotonic() - self._well > PATIENCE:
                raise
            return
        self._well = time.monotonic()
        if found != self._standing:
            self._on_change(found)
            self._standing = found
            self._name = self._name if found is None else found.name


def class_gone(name: str) -> StoreError:
    """The error that ends the lesson of a class that was deleted meanwhile."""
    return StoreError(
        later(
            "The class {classroom!r} was deleted while its lesson ran, so the lesson has ended. Nothing of the "
            "lesson is kept in the database.",
            classroom=name,
        ),
        hint="To see the classes that are left, type: fewshot roster",
    )


def class_given(name: str) -> StoreError:
    """The error that ends the lesson of a class that belongs to another teacher now."""
    return StoreError(
        later(
            "The class {classroom!r} was given to another teacher while its lesson ran, so the lesson has ended. What "
            "was recorded belongs to that teacher now.",
            classroom=name,
        ),
        hint="To see the classes that are left, type: fewshot roster",
    )


def _standing(session: Session, class_id: int) -> Standing | None:
    row = session.get(ClassRow, class_id)
    if row is None:
        return None
    name, mine = row.name, StudentRow.class_id == class_id
    students = {student.id: student.name for student in session.scalars(select(StudentRow).where(mine))}
    rows = sorted(checked_rows(session, ConsentRow, ConsentRow.student_id.in_(students)), key=lambda row: int(row.id))
    # The latest one is valid; who gave it does not matter here.
    latest = {row.student_id: Consent("", row.day, "", row.until, row.withdrawn) for row in rows}
    today = date.today()
    consenting = frozenset(name for number, name in students.items() if latest.get(number, SAMPLE_CONSENT).holds(today))
    vectors: list[int] = []
    for table in (SupportRow, IdentityRow):
        counted = select(func.count(table.id), func.coalesce(func.max(table.id), 0))
        vectors += session.execute(counted.join(StudentRow, table.student_id == StudentRow.id).where(mine)).one()
    return Standing(name, frozenset(students.values()), consenting, tuple(vectors))
