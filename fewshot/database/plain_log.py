"""Where a PostgreSQL server may still keep what was readable before a database was encrypted: its log and archives.

The server writes every change to its write-ahead log first. When it does not need a file of the log any more, it
deletes the file, or gives it the name of a later one, and the old bytes stay in it until they are overwritten. A
renamed file keeps its time of change. So a file holds nothing from before if it was changed after the encryption.
"""

from __future__ import annotations

import contextlib
import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, delete, select, text, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from fewshot.database.copies import forget_all
from fewshot.database.row_check import with_check
from fewshot.database.tables import SettingRow
from fewshot.errors import StoreError
from fewshot.translation import tr, tr_n

if TYPE_CHECKING:
    from fewshot.database.engine import Database

NOTE = "plain_log"
logger = logging.getLogger(__name__)
MARGIN = 2
"""Seconds after which the server has certainly written what it wrote until the end; it gives times in whole seconds."""

_ARCHIVES = (
    "SELECT current_setting('archive_mode') <> 'off' OR EXISTS (SELECT 1 FROM pg_stat_replication) "
    "OR EXISTS (SELECT 1 FROM pg_replication_slots)"
)
_LEFT = (
    "SELECT count(*) FROM pg_ls_waldir() WHERE name ~ '^[0-9A-F]{24}$' "
    "AND (modification <= CAST(:at AS timestamptz) OR substr(name, 9) <= substr(:file, 9))"
)


def take_note(session: Session, copies: bool = False) -> None:
    """Write down, before plain values are deleted, that the log holds them. ``close_note`` says up to where.

    Args:
        session: of the transaction that deletes them.
        copies: whether the copies that the program made by itself must be deleted too.
    """
    session.merge(SettingRow(key=NOTE, value={"file": "", "at": "", "archives": True, "copies": copies}))


def note_in(session: Session) -> dict[str, Any] | None:
    """What was noted; None if nothing was."""
    row = session.get(SettingRow, NOTE)
    return None if row is None or row.value is None else dict(row.value)


def put_note(session: Session, note: dict[str, Any] | None) -> None:
    """Let this be what was noted: rows that were restored bring the note of another time, or of another server."""
    session.execute(delete(SettingRow).where(SettingRow.key == NOTE))
    if note is not None:
        session.add(SettingRow(key=NOTE, value=note))


def close_note(database: Database) -> None:
    """After plain values were deleted, begin another file of the log, and write down which one was the last before.

    Does nothing if nothing was noted, if it was closed already, or on a server that does not allow it now.
    """
    note = _noted(database)
    if note is None or note["file"]:
        return
    if database.beside is not None and note.get("copies"):
        try:
            forget_all(database.beside)
        except StoreError as error:  # the next start tries again
            logger.warning(error.text)
            return
    with contextlib.suppress(StoreError), database.apart() as connection:
        last = connection.scalar(text("SELECT pg_walfile_name(pg_current_wal_insert_lsn())"))
        archives = bool(connection.scalar(text(_ARCHIVES)))
        _begin_another(connection)
        if connection.scalar(text("SELECT pg_walfile_name(pg_current_wal_insert_lsn())")) == last:
            return
        at: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
        until = (at + timedelta(seconds=MARGIN)).isoformat()
        _write(database, {"file": last, "at": until, "archives": archives})


def what_is_left(database: Database) -> list[str]:
    """Sentences that name where readable names and vectors may still be; empty if nowhere.

    Raises:
        StoreError: the database cannot be reached.
    """
    note = _noted(database)
    if note is None:
        return []
    said = [_of_log(database, note)]
    if note["archives"]:
        said.append(
            tr(
                "Archives of this log up to {file}, copies of the whole server, and second servers from before the "
                "encryption may hold them too, and fewshot cannot see those. Delete them.",
                file=note["file"] or "?",
            )
        )
    return [sentence for sentence in said if sentence]


def archives_deleted(database: Database) -> None:
    """Name the archives no longer, because somebody has deleted them; and the log neither, if it cannot be seen."""
    note = _noted(database)
    if note is not None:
        seen = _count(database, note) if note["file"] else None
        _write(database, note | {"archives": False} if seen else None)


def _noted(database: Database) -> dict[str, Any] | None:
    """What was noted; no key is needed for that, so that a database opens while its keys are away."""
    if database.server is None:
        return None
    with database.apart() as connection:
        value = connection.scalar(select(SettingRow.value).where(SettingRow.key == NOTE))
    return None if value is None else dict(value)


def _write(database: Database, note: dict[str, Any] | None) -> None:
    with database.apart() as connection:
        if note is None:
            connection.execute(delete(SettingRow).where(SettingRow.key == NOTE))
        else:
            values = with_check(SettingRow, {"key": NOTE, "value": note})
            connection.execute(update(SettingRow).where(SettingRow.key == NOTE).values(values))


def _of_log(database: Database, note: dict[str, Any]) -> str:
    left = _count(database, note) if note["file"] else None
    if left is None:
        return tr(
            "The server's write-ahead log may still hold readable names and vectors from before the encryption. This "
            "account may not see whether it was recycled. To let it, an administrator of the server runs: {sql}",
            sql=f"GRANT pg_monitor TO {_role(database)};",
        )
    if not left:
        return ""
    return tr_n(
        "{number} file of the server's write-ahead log (pg_wal) may still hold readable names and vectors from before "
        "the encryption, until the server has used it again.",
        "{number} files of the server's write-ahead log (pg_wal) may still hold readable names and vectors from before "
        "the encryption, until the server has used them again.",
        left,
    )


def _count(database: Database, note: dict[str, Any]) -> int | None:
    """How many files of the log are as they were before the encryption; None if this account may not see them."""
    try:
        with database.apart() as connection:
            return int(connection.scalar(text(_LEFT), {"at": note["at"], "file": note["file"]}) or 0)
    except StoreError:
        return None


def _role(database: Database) -> str:
    with database.apart() as connection:
        return str(connection.scalar(text("SELECT quote_ident(current_user)")))


def _begin_another(connection: Connection) -> None:
    """Let the server write to the next file of its log from now on."""
    try:
        connection.execute(text("SELECT pg_switch_wal()"))
        connection.execute(text("SELECT pg_logical_emit_message(false, 'fewshot', '')"))  # so that the next file begins
    except SQLAlchemyError:  # only an administrator of the server may ask for that; anybody may fill the file
        wanted = text(
            "SELECT pg_logical_emit_message(false, 'fewshot', repeat('0', CAST(setting AS int))) FROM pg_settings "
            "WHERE name = 'wal_segment_size'"
        )
        connection.execute(wanted)
