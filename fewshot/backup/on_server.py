"""Restores into a database on a PostgreSQL server: all its rows are replaced in one transaction, or none."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from fewshot.backup.refusals import refuse_removed, refuse_running
from fewshot.database import Database, open_database, plain_log
from fewshot.database.contents import Contents
from fewshot.database.copies import whole
from fewshot.database.erased import is_unused
from fewshot.database.erased_tables import ErasedRow
from fewshot.database.lesson_tables import LessonRow
from fewshot.database.moving import quoted, without_limits
from fewshot.database.new_database import forget_plain
from fewshot.database.plain import plain_in
from fewshot.database.server import connected
from fewshot.database.server_copy import copy_in, copy_out
from fewshot.database.tables import Base, ClassRow, ConsentRow, StudentRow
from fewshot.database.upgrade import make_version
from fewshot.errors import StoreError

_FOREIGN = """
WITH ours AS (SELECT to_regclass(name) AS oid FROM unnest(CAST(:tables AS text[])) AS name)
SELECT 'the table ' || conrelid::regclass || ', which refers to ' || confrelid::regclass FROM pg_constraint
WHERE contype = 'f' AND confrelid IN (SELECT oid FROM ours) AND conrelid NOT IN (SELECT oid FROM ours)
UNION SELECT 'the column ' || a.attname || ' of ' || a.attrelid::regclass FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid WHERE a.attrelid IN (SELECT oid FROM ours) AND a.attnum > 0
AND NOT a.attisdropped AND NOT (c.relname || '.' || a.attname) = ANY(:columns) ORDER BY 1 LIMIT 5
"""

LEAVING = 3.0
"""Seconds within which programs that end now have left the database."""

logger = logging.getLogger(__name__)


def present() -> Database | None:
    """The database on the server; None if nothing was ever stored in it, as in one that was made a moment ago.

    Raises:
        StoreError: it cannot be reached, or was made by a newer program.
    """
    found = open_database()
    with found.read() as session:
        return None if is_unused(session) else found


def contents(database: Database) -> Contents:
    """What the database holds."""
    with database.read() as session:
        newest = session.scalar(select(func.max(LessonRow.started)))
        classes, students, lessons = (_count(session, row) for row in (ClassRow, StudentRow, LessonRow))
    return Contents(classes, students, lessons, f"{newest:%Y-%m-%d %H:%M}" if newest else "")


def put_in_place(copy: Path, aside: Path, removals: tuple[int, int] | None) -> Path | None:
    """Replace all rows of the default database by those of a file.

    Args:
        copy: of SQLite, with the tables of this version.
        aside: a file of SQLite to which the database of before is copied.
        removals: how much the database remembered as removed when the copy was made; None if it was empty.

    Returns:
        ``aside``; None if the database was empty.

    Raises:
        StoreError: another program uses the database, a lesson runs, or something was removed from the database since.
            Then nothing was changed.
        OSError, sqlite3.Error: a file cannot be read or written. The same.
    """
    database = open_database()
    _refuse_others(database)
    kept = sent = False
    try:
        with database.write() as session:
            connection = session.connection()
            names = ", ".join(quoted(name) for name in Base.metadata.tables)
            session.execute(text(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE"))
            without_limits(connection, this_transaction=True)
            not_ended = select(LessonRow.id, LessonRow.owner, LessonRow.heartbeat).where(LessonRow.ended.is_(None))
            for number, owner, heartbeat in session.execute(not_ended):
                refuse_running(number, owner, heartbeat)
            if removals is not None:
                refuse_removed(_removed(session), removals)
                with whole(aside) as part:
                    copy_out(connection, part, make_version)
                kept = True
            elif not is_unused(session):
                raise StoreError("The database was used in the meantime. Nothing was changed. Try again.")
            _refuse_foreign(session, database.url)
            plain, note = bool(plain_in(session)), plain_log.note_in(session)
            copy_in(copy, connection)
            session.expire_all()
            if plain:
                plain_log.take_note(session)
            elif removals is not None:
                plain_log.put_note(session, note)
            session.flush()
            forget = plain and not plain_in(session)
            sent = True
    except BaseException:
        if kept and not sent:  # a connection that is lost while the server commits says nothing about the outcome
            aside.unlink(missing_ok=True)
        raise
    database.close()
    database.keep_removals()
    database.drop_keys()
    if forget:
        _forget_plain(database)
    plain_log.close_note(database)
    return aside if kept else None


def _refuse_foreign(session: Session, url: str) -> None:
    """Raises StoreError if the restore would change or delete what somebody else added to the database."""
    values = {
        "tables": list(Base.metadata.tables),
        "columns": [f"{name}.{each}" for name, table in Base.metadata.tables.items() for each in table.columns.keys()],  # noqa: SIM118
    }
    found = session.scalars(text(_FOREIGN), values).all()
    if found:
        raise StoreError(
            f"A restore replaces all rows of the database {url}, and somebody added to its tables what "
            f"would be lost with them: {', '.join(found)}. Nothing was changed. Remove that, or move it to another "
            "database."
        )


def _forget_plain(database: Database) -> None:
    try:
        forget_plain(database)
    except StoreError as error:
        logger.warning(
            "The database was restored, but readable rows of before are still in the files of the server (%s). An "
            "administrator of the server runs: VACUUM FULL;", error.text,
        )  # fmt: skip


def _refuse_others(database: Database) -> None:
    database.close()
    with database.apart() as connection:
        others = connected(connection, str(connection.scalar(text("SELECT current_database()"))), LEAVING)
    if others:
        raise StoreError(
            f"Other programs are connected to the database {database.url}: {others}. Nothing was changed. Close the "
            "app, the service, running lessons and all other programs that use it, also on other computers, then type "
            "the same command again."
        )


def _removed(session: Session) -> tuple[int, int]:
    withdrawn = session.scalar(select(func.count()).where(ConsentRow.withdrawn.is_not(None)))
    return _count(session, ErasedRow), withdrawn or 0


def _count(session: Session, row: Any) -> int:
    return session.scalar(select(func.count()).select_from(row)) or 0
