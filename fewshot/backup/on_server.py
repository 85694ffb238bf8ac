"""Restores into a database on a PostgreSQL server: all its rows are replaced in one transaction, or none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from fewshot.backup.refusals import refuse_removed, refuse_running
from fewshot.database import Database, open_database
from fewshot.database.audit_tables import AuditRow
from fewshot.database.contents import Contents
from fewshot.database.copies import whole
from fewshot.database.erased_tables import ErasedRow
from fewshot.database.lesson_tables import LessonRow
from fewshot.database.moving import quoted, without_limits
from fewshot.database.server import connected, take_turn
from fewshot.database.server_copy import copy_in, copy_out
from fewshot.database.tables import Base, ClassRow, ConsentRow, StudentRow
from fewshot.database.upgrade import make_version
from fewshot.errors import StoreError

LEAVING = 3.0
"""Seconds within which programs that end now have left the database."""


def present() -> Database | None:
    """The database on the server; None if nothing was ever stored in it, as in one that was made a moment ago.

    Raises:
        StoreError: it cannot be reached, or was made by a newer program.
    """
    found = open_database()
    with found.read() as session:
        return found if any(_count(session, row) for row in (ClassRow, LessonRow, ErasedRow, AuditRow)) else None


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
    kept = False
    try:
        with database.write(alone=False) as session:
            connection = session.connection()
            take_turn(session)
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
            elif any(_removed(session)) or _count(session, ClassRow):
                raise StoreError("The database was used in the meantime. Nothing was changed. Try again.")
            copy_in(copy, connection)
            session.expire_all()
    except BaseException:
        if kept:
            aside.unlink(missing_ok=True)
        raise
    database.close()
    database.keep_removals()
    database.drop_keys()
    return aside if kept else None


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
