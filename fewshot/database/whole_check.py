"""Checks every row of a database: its checksum, and whether a lesson has as many rows as were written."""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import create_engine, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

from fewshot.database.lesson_tables import SECONDS, LessonRow, ParticipantRow, ReadingRow, SecondRow
from fewshot.database.row_check import RowChanged, checked_rows, verify_all
from fewshot.database.words import reason_of


def check_rows(session: Session) -> None:
    """Check all rows of all tables.

    Raises:
        RowChanged: a row is not as it was written, or rows of a lesson are missing.
    """
    verify_all(session)
    seconds = Counter(dict(_counted(session, SecondRow.lesson_id)))
    readings = Counter(dict(_counted(session, ReadingRow.participant_id)))
    of: dict[int, dict[str, int]] = defaultdict(dict)
    for one in checked_rows(session, ParticipantRow):
        of[one.lesson_id][one.rid] = readings[one.id]
    for lesson in session.scalars(select(LessonRow)):
        refuse_missing(session, lesson, {SECONDS: seconds[lesson.id], **of[lesson.id]})


def fault_in_rows(connection: sqlite3.Connection) -> str:
    """What ``check_rows`` finds in a file with the tables of this version; "" if nothing.

    Raises:
        sqlite3.Error: the file cannot be read.
    """
    from fewshot.database.upgrade import HEAD

    version = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
    if not version or connection.execute("SELECT version_num FROM alembic_version").fetchall() != [(HEAD,)]:
        return ""  # of an earlier version, which had no checksums; it is checked after its update
    connection.execute("BEGIN")  # so that all queries see one moment
    engine = create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool)
    try:
        with Session(engine) as session:
            check_rows(session)
        return ""
    except SQLAlchemyError as error:
        return reason_of(error)
    except (ValueError, TypeError, OverflowError) as error:  # also of a value that cannot be converted
        return str(error)


def refuse_missing(session: Session, lesson: LessonRow, found: Mapping[str, int]) -> None:
    """Compare how many rows of a lesson there are with what its recorder wrote.

    Args:
        session: of SQLite, where it sees one moment. On a server a second may be written between two queries.
        lesson: the lesson.
        found: as ``LessonRow.written``.

    Raises:
        RowChanged: rows are missing, or there are too many.
    """
    if lesson.written is None or session.get_bind().dialect.name != "sqlite":
        return
    for what, count in found.items():
        written = lesson.written.get(what, count)
        if written != count:
            rows = "seconds" if what == SECONDS else "readings of one participant"
            raise RowChanged(f"lesson {lesson.id} has {count} {rows}, and {written} were written")


def _counted(session: Session, column: Any) -> Iterable[tuple[int, int]]:
    return [(number, count) for number, count in session.execute(select(column, func.count()).group_by(column))]
