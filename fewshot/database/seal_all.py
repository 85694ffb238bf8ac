"""Seals what an earlier version wrote. It can be stopped at any moment and goes on later; there is no way back."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from fewshot.database.copies import copies_of, parts_of
from fewshot.database.engine import Database
from fewshot.database.lesson_tables import CheckInRow, CorrectionRow, LessonRow, MarkerRow
from fewshot.database.plain import plain_in
from fewshot.database.reading_codec import check_seconds, seal_lesson
from fewshot.database.sealed_settings import opened_settings, sealed_setting
from fewshot.database.tables import (
    ClassRow,
    ConsentRow,
    IdentityRow,
    PhotoRow,
    PortraitRow,
    StudentRow,
    SupportRow,
)
from fewshot.errors import StoreError, reason_of
from fewshot.translation import later
from fewshot.vault import KeyGone
from fewshot.vault.cipher import NotSealedHere

_TABLES: Sequence[Any] = (
    ClassRow, StudentRow, ConsentRow, PhotoRow, PortraitRow, SupportRow, IdentityRow, CorrectionRow, LessonRow,
    MarkerRow, CheckInRow,
)  # fmt: skip
_AT_ONCE = 2000


@dataclass(frozen=True, slots=True)
class State:
    """How much of a database is sealed.

    Attributes:
        plain: rows that an earlier version wrote and that are not sealed.
        sealed: rows that can be opened.
        lost: rows whose key is gone, or that were changed.
    """

    plain: int = 0
    sealed: int = 0
    lost: int = 0


def plain_rows(database: Database) -> int:
    """How many students, classes and lessons have something that is not sealed. It takes milliseconds."""
    with database.read() as session:
        return plain_in(session)


def check_all(database: Database) -> State:
    """Open every sealed value once: texts, vectors, settings, and the readings and counts of every second."""
    plain = sealed = lost = 0
    with database.read() as session:
        for table in _TABLES:
            for row in session.scalars(select(table)):
                try:
                    values = [column.__get__(row, table) for column in row.sealed_columns]
                except (KeyGone, NotSealedHere, LookupError):
                    lost += 1
                    continue
                one_plain = any(column.is_plain(row) for column in row.sealed_columns)
                plain, sealed = plain + one_plain, sealed + (not one_plain and bool(values))
        for lesson in session.scalars(select(LessonRow)):
            right, wrong = check_seconds(session, lesson)
            sealed, lost = sealed + right, lost + wrong
        for row, value in opened_settings(session):
            gone = value is None and row.value is not None
            sealed, lost = sealed + (not gone), lost + gone
    return State(plain, sealed, lost)


def seal_everything(database: Database, progress: Callable[[int, int], None]) -> None:
    """Seal all values that are not, then delete the copies that were made before.

    Args:
        database: to seal. Lessons may run.
        progress: gets how many of how many steps are done.

    Raises:
        StoreError: the database or the keys cannot be written. What was sealed stays sealed.
    """
    with database.read() as session:
        classes = list(session.scalars(select(ClassRow.id)))
        lessons = list(session.scalars(select(LessonRow.id)))
    total = len(classes) + len(lessons)
    for done, number in enumerate(classes):
        progress(done, total)
        with database.write() as session:
            for row in _rows_of_class(session, number):
                _seal(row)
    for done, number in enumerate(lessons, len(classes)):
        progress(done, total)
        with database.write() as session:
            lesson = session.get(LessonRow, number)
            if lesson is not None:
                for row in (lesson, *session.scalars(select(MarkerRow).where(MarkerRow.lesson_id == number))):
                    _seal(row)
                session.flush()
                seal_lesson(session, lesson)
    with database.write() as session:
        for setting, value in opened_settings(session):
            setting.value = sealed_setting(session, setting.key, value)
    progress(total, total)
    if database.path is not None:
        _forget_plain(database)


def _forget_plain(database: Database) -> None:
    """Delete what still holds the plain values: the journal, free pages and copies."""
    assert database.path is not None  # nosec B101
    database.forget_deleted()
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(database.path, timeout=20)) as file:
        file.execute("VACUUM").close()
    database.forget_deleted()
    delete_copies(database.path)


def delete_copies(path: Path) -> None:
    """Delete the copies beside a database, which were made before the encryption.

    Args:
        path: of the database; see ``Sessions.beside``.

    Raises:
        StoreError: one could not be deleted.
    """
    for copy in (*copies_of(path), *parts_of(path)):
        try:
            copy.unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(
                later(
                    "The copy {copy} was made before the encryption and could not be deleted ({reason}). Delete it "
                    "yourself.",
                    copy=copy,
                    reason=reason_of(error),
                )
            ) from error


def _rows_of_class(session: Session, number: int) -> Iterator[Any]:
    yield from session.scalars(select(ClassRow).where(ClassRow.id == number))
    yield from session.scalars(select(StudentRow).where(StudentRow.class_id == number))
    session.flush()
    mine = select(StudentRow.id).where(StudentRow.class_id == number)
    tables: Sequence[Any] = (ConsentRow, PhotoRow, PortraitRow, SupportRow, IdentityRow, CorrectionRow, CheckInRow)
    for table in tables:
        yield from session.scalars(select(table).where(table.student_id.in_(mine)))


def _seal(row: Any) -> None:
    for column in row.sealed_columns:
        if column.is_plain(row):
            setattr(row, column.name, getattr(row, column.name))
