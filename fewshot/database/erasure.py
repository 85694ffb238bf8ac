"""Erases deleted rows from the files of a database, also after a kill or while another program reads.

SQLite overwrites deleted rows (``secure_delete``), but its journal still holds old pages until it is emptied, and this
cannot be done while another program reads. A note in the table of settings, written together with the deletion, lasts
until it is done. So a later command or start finishes it.
"""

from __future__ import annotations

import sqlite3
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from fewshot.database.tables import SettingRow
from fewshot.database.words import ErasurePending
from fewshot.errors import reason_of
from fewshot.translation import later

NOTE = "erasure_pending"
PATIENCE = 5.0
"""Seconds to wait until other programs have finished reading."""


def take_note(session: Session) -> None:
    """Write down, in the transaction that deletes, that bytes must be erased."""
    session.merge(SettingRow(key=NOTE, value=uuid.uuid4().hex))


def noted(engine: Engine) -> Any:
    """What ``take_note`` wrote; None if nothing has to be erased."""
    with Session(engine) as session:
        return session.scalar(select(SettingRow.value).where(SettingRow.key == NOTE))


def erase(engine: Engine, path: Path, patience: float = PATIENCE) -> None:
    """Empty the journal of a database, so that nothing of deleted rows is left in its files.

    Args:
        engine: its transactions must lock the database for writing at their beginning.
        path: the database's file, for the error.
        patience: seconds to wait for other programs.

    Raises:
        ErasurePending: another program still reads the database.
    """
    note = noted(engine.execution_options(writes=False))
    _empty_journal(engine, path, patience)
    if note is not None:
        # A later deletion has written another note, and must be erased by itself. If the note cannot be deleted now,
        # the next start erases once more.
        with suppress(DBAPIError), Session(engine.execution_options(writes=True)) as session:
            row = session.get(SettingRow, NOTE)
            if row is not None and row.value == note:  # a database does not find a JSON value by its text
                session.delete(row)
            session.commit()


def _empty_journal(engine: Engine, path: Path, patience: float) -> None:
    why = later("another program is reading this database. Close the other program")
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        try:
            driver.execute(f"PRAGMA busy_timeout = {round(1000 * patience)}").close()
            (busy, *_), *_ = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        except sqlite3.Error as error:
            busy, why = (
                1,
                later("they could not be written ({reason}). Make free space on the disk", reason=reason_of(error)),
            )
    if busy:
        raise ErasurePending(
            later(
                "What was deleted is no longer shown or used, but its bytes are still in the files of {path}, "
                "because {why}. The next command of fewshot, or the next page of its app, then erases the bytes.",
                path=path,
                why=why,
            ),
            hint="To erase them then, type: fewshot roster",
        )
