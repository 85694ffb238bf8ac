"""Mends a restored copy whose texts are sealed with keys that an erasure has dropped since.

An erasure gives the texts of the class a new key, because they may hold the name. So in an older backup they cannot be
read any more. What still stands in the present database is taken from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from fewshot.database import Database
from fewshot.database.erased_tables import InstallationRow
from fewshot.database.kept_texts import TABLES, Texts
from fewshot.database.key_erasure import stand_in
from fewshot.database.lesson_tables import LessonRow
from fewshot.database.sealed_settings import opened_settings, sealed_setting
from fewshot.database.sealing import vault_of
from fewshot.database.tables import ClassRow, OwnerRow, StudentRow
from fewshot.vault import KeyGone
from fewshot.vault.cipher import NotSealedHere


@dataclass(slots=True)
class Mended:
    """What could not be read in a copy.

    Attributes:
        students: numbers of students who have no key any more; they were removed from the copy.
        lessons: the same for lessons.
        texts: how many texts were lost.
    """

    students: list[int] = field(default_factory=list)
    lessons: list[int] = field(default_factory=list)
    texts: int = 0


def keys_missing(copy: Database) -> tuple[int, int]:
    """How many students of a copy have a key that is not here, and how many students it has."""
    names = set(copy.vault.names())
    with copy.read() as session:
        keys = [key for key in session.scalars(select(StudentRow.key)) if key]
    return sum(key not in names for key in keys), len(keys)


def mend_texts(copy: Database, present: Database | None, kept: Texts) -> Mended:
    """Give the copy texts that can be read, and remove what has no key.

    Args:
        copy: a database that no other program uses.
        present: the database of the same installation; None if it is lost.
        kept: what lies beside it; see ``kept_texts``.
    """
    found = Mended()
    known = kept if present is None else kept | _texts_in(present)
    names, of_present = set(copy.vault.names()), {}
    if present is not None:
        with present.read() as session:
            of_present = {row.key: value for row, value in opened_settings(session)}
    with copy.write() as session:
        lost = [row for row in session.scalars(select(StudentRow)) if row.key and row.key not in names]
        found.students = [row.id for row in lost]
        for row in lost:  # their names cannot be read, so nothing can be looked for in texts
            session.execute(delete(StudentRow).where(StudentRow.id == row.id))
            session.expunge(row)
        gone = [row for row in session.scalars(select(LessonRow)) if row.key and row.key not in names]
        found.lessons = [row.id for row in gone]
        for lesson in gone:
            session.delete(lesson)
        session.flush()
        settings = opened_settings(session)
        found.texts = _mend(session, known)
        for setting, value in settings:
            known_value = of_present.get(setting.key) if value is None else value
            setting.value = sealed_setting(session, setting.key, known_value)
    return found


def _mend(session: Session, known: Texts) -> int:
    """Seal everything that cannot be read anew, with what is known of it. Returns how many texts stay lost."""
    count, broken = 0, []
    for table in TABLES:
        for row in session.scalars(select(table)):
            for column in row.sealed_columns:
                try:
                    column.__get__(row, table)
                except (KeyGone, NotSealedHere):
                    value = known.get((table.__tablename__, column.name, row.rid))
                    count += value is None
                    broken.append((row, column, stand_in(session, row, column) if value is None else value))
    names = set(vault_of(session).names())
    students = [(row, StudentRow.name, row.name) for row in session.scalars(select(StudentRow))]
    holders: Sequence[Any] = (*session.scalars(select(ClassRow)), *session.scalars(select(OwnerRow)))
    # A class that was never encrypted has no key either, and keeps its name.
    lost = [row for row in holders if isinstance(row, ClassRow) and row.text_key and row.text_key not in names]
    for row in holders:
        row.text_key = row.text_key if row.text_key in names else ""
        row.index_key = row.index_key if row.index_key in names else ""
    names_of_classes = {row.id: _name(session, row) for row in holders if isinstance(row, ClassRow)}
    session.flush()
    for holder in lost:
        if not any(row is holder for row, *_ in broken):
            broken.append((holder, ClassRow.name, names_of_classes[holder.id]))  # of an earlier version: not sealed
    for row, column, value in [*broken, *students]:
        column.__set__(row, value)
    session.flush()
    if session.scalars(select(InstallationRow).limit(1)).one().keys:
        session.execute(update(InstallationRow).values(keys=vault_of(session).keys.store))
    return count


def _name(session: Session, row: ClassRow) -> str:
    try:
        return row.name
    except (KeyGone, NotSealedHere):
        return str(stand_in(session, row, ClassRow.name))


def _texts_in(database: Database) -> Texts:
    found: Texts = {}
    with database.read() as session:
        for table in TABLES:
            for row in session.scalars(select(table)):
                for column in row.sealed_columns:
                    try:
                        found[table.__tablename__, column.name, row.rid] = column.__get__(row, table)
                    except (KeyGone, NotSealedHere):
                        continue
    return found
