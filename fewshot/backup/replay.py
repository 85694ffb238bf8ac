"""Applies to a restored copy what was removed after it was made: erasures, withdrawals, and old lessons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from fewshot.classroom.traces import remove_class_traces, remove_traces
from fewshot.database import Database
from fewshot.database.account_tables import LoginRow
from fewshot.database.erased import Removals
from fewshot.database.erased_tables import ErasedRow, Kind
from fewshot.database.lesson_tables import LessonRow
from fewshot.database.numbers_given import go_on_after
from fewshot.database.owner import Owner
from fewshot.database.tables import ClassRow, ConsentRow, OwnerRow, PhotoRow, StudentRow
from fewshot.database.token_tables import TokenRow
from fewshot.session.lessons import LessonStore
from fewshot.session.settings import Settings


@dataclass(slots=True)
class Replayed:
    """How much was removed from a copy.

    Attributes:
        erased: kind -> how many rows of it were in the copy, and are erased again.
        withdrawn: consents that are withdrawn again.
        old: lessons that were older than the settings allow.
        texts: texts that cannot be read any more, because an erasure has dropped their key.
        lost: students and lessons whose keys are not here, although they were not erased.
    """

    erased: Counter[str] = field(default_factory=Counter)
    withdrawn: int = 0
    old: int = 0
    texts: int = 0
    lost: int = 0

    def count(self, students: Iterable[int], lessons: Iterable[int], texts: int, removals: Removals) -> None:
        """Count what could not be opened: it was erased here, or its key is lost."""
        for kind, numbers in _kinds(students, lessons):
            for number in numbers:
                known = (kind, number) in removals.erased
                self.erased[kind] += known
                self.lost += not known
        self.texts = texts


def _kinds(students: Iterable[int], lessons: Iterable[int]) -> list[tuple[Kind, Iterable[int]]]:
    return [("student", students), ("lesson", lessons)]


def apply_removals(copy: Database, removals: Removals, days: dict[str, int]) -> Replayed:
    """Remove from a copy what was removed in its installation, and lessons that are too old. Logins and tokens end.

    Nothing of it is left in the copy's file.

    Args:
        copy: a database that no other program uses.
        removals: of the same installation.
        days: id of an owner -> after how many days the present database deletes this owner's lessons. The shorter time
            of both counts.
    """
    found = Replayed()
    with copy.erase() as session:
        for (kind, number), at in removals.erased.items():
            if session.get(ErasedRow, (kind, number)) is None:
                session.add(ErasedRow(kind=kind, row_id=number, at=at))
        # Students first: their names must leave the texts of a class and of its lessons while these are known.
        for kind in ("student", "class", "lesson", "photo"):
            for number in sorted(number for known, number in removals.erased if known == kind):
                found.erased[kind] += _erase(session, kind, number)
                session.flush()
        found.withdrawn = _withdraw(session, removals)
        _raise_numbers(session, removals)
        session.execute(delete(LoginRow))
        session.execute(delete(TokenRow))  # one that was removed after the backup must not open anything again
    for owner in _teachers(copy):
        chosen = [each for each in (Settings(copy, owner).chosen_retention, days.get(owner.id)) if each is not None]
        if chosen:
            # Nobody must confirm it, unlike elsewhere: the backup and the present database are both kept.
            found.old += LessonStore(copy, owner).delete_older_than(min(chosen))
    return found


def retention_of(present: Database) -> dict[str, int]:
    """Id of an owner -> after how many days this owner's lessons are deleted; without owners who keep them all."""
    found = {owner.id: Settings(present, owner).chosen_retention for owner in _teachers(present)}
    return {owner: days for owner, days in found.items() if days is not None}


def _teachers(database: Database) -> list[Owner]:
    with database.read() as session:
        owners = [row.plain() for row in session.scalars(select(OwnerRow))]
    return [owner for owner in owners if owner.teaches]


def _erase(session: Session, kind: Kind, number: int) -> bool:
    """Erase a row as the program does it elsewhere. Returns whether it was there."""
    tables: dict[Kind, Any] = {"student": StudentRow, "class": ClassRow, "lesson": LessonRow, "photo": PhotoRow}
    row = session.get(tables[kind], number)
    if row is None:
        return False
    if isinstance(row, StudentRow):
        of_class = session.get(ClassRow, row.class_id)
        if of_class is not None:
            remove_traces(session, of_class, row)
        return True
    if isinstance(row, ClassRow):
        remove_class_traces(session, row)
    session.delete(row)
    return True


def _withdraw(session: Session, removals: Removals) -> int:
    count = 0
    for consent in session.scalars(select(ConsentRow)).all():
        day = removals.withdrawn.get((consent.student_id, consent.recorded))
        if day is not None and consent.withdrawn != day:
            consent.withdrawn = day
            count += 1
    return count


def _raise_numbers(session: Session, removals: Removals) -> None:
    """Let no new row get a number that was given to another row after the backup was made."""
    tables = {"student": "students", "class": "classes", "lesson": "lessons", "photo": "photos"}
    highest = Counter(removals.highest)
    for kind, number in removals.erased:
        highest[tables[kind]] = max(highest[tables[kind]], number)
    go_on_after(session, highest)
