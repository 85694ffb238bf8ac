"""Checks the structure of a file of SQLite, whose damage would let rows disappear without an error.

A checksum of a row (``row_check``) says nothing about a row that is not found any more: because a page counts its rows
wrongly, an index leads elsewhere, or the text that describes a table was changed.
"""

from __future__ import annotations

import zlib
from pathlib import Path

from sqlalchemy import Connection, Engine

from fewshot.database.words import damaged
from fewshot.translation import later

WHOLE = 128_000_000
"""Bytes up to which a file is checked as a whole when it is opened: about 1 ms for each MB."""

_MANY = ("readings", "lesson_seconds", "audit")
"""Tables that are checked at the opening only in smaller files. A lesson knows the number of its rows, and the audit
log is a chain; ``Database.check`` and a backup check all."""


def refuse_damage(engine: Engine, url: str, path: Path) -> None:
    """Check a file when it is opened.

    Raises:
        StoreError: it is damaged.
        DBAPIError: it cannot be read.
    """
    with engine.connect() as connection:
        if path.stat().st_size <= WHOLE:
            found = _fault(connection, "")
        else:
            wanted = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
            names = [str(name) for name in connection.exec_driver_sql(wanted).scalars()]
            faults = (_fault(connection, name) for name in names if name not in _MANY)
            found = next((fault for fault in faults if fault), "")
    if found:
        raise damaged(url, found)


def note_tables(connection: Connection) -> None:
    """Note in the file how its tables were made, for ``refuse_other_tables``; nothing for another database."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"PRAGMA user_version = {_sum_of_tables(connection)}")


def refuse_other_tables(connection: Connection, url: str) -> None:
    """Check that the tables are described as they were made.

    Raises:
        StoreError: they are not: the description is damaged, or another program has changed the tables.
    """
    if connection.dialect.name != "sqlite":
        return
    noted = connection.exec_driver_sql("PRAGMA user_version").scalar()
    if noted and noted != _sum_of_tables(connection):  # 0: an earlier version made them
        raise damaged(url, later("the description of its tables was changed"))


def _fault(connection: Connection, table: str) -> str:
    """What SQLite finds in a table and its indices; "" for the whole file. Returns "" if nothing is wrong."""
    quoted = table.replace('"', '""')
    which = f'("{quoted}")' if table else ""
    # The answers may quote damaged text, so only the first one is asked for.
    found = str(connection.exec_driver_sql(f"PRAGMA integrity_check{which}").scalar())
    return "" if found == "ok" else " ".join(found.split())


def _sum_of_tables(connection: Connection) -> int:
    """31 bits over the descriptions of all tables and indices; never 0."""
    wanted = (
        "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_stat%' ORDER BY type, name"
    )
    rows = connection.exec_driver_sql(wanted).all()
    return zlib.crc32(repr([tuple(row) for row in rows]).encode()) & 0x7FFFFFFF | 1
