"""Connections: how they are set up, and how SQLite's are opened on a disk that has no space left."""

from __future__ import annotations

import functools
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.pool import NullPool, StaticPool

from fewshot.database.address import is_file
from fewshot.database.file import check_content
from fewshot.database.server import options_for
from fewshot.errors import UsageError
from fewshot.translation import later

PATIENCE = 20.0
"""Seconds to wait while another program is writing."""


def make_engine(address: URL, shown: str, made: Path | None = None) -> Engine:
    """An engine for a database of any kind.

    Args:
        address: of the database.
        shown: the address as a person may see it.
        made: see ``set_up``.

    Raises:
        UsageError: its driver is not installed.
    """
    sqlite = address.get_backend_name() == "sqlite"
    options: dict[str, Any] = {"pool_pre_ping": True, "connect_args": options_for(address)}
    if sqlite:
        # No connection stays open after its use, so that the file can be moved and its journal is emptied at once.
        options = {"connect_args": {"check_same_thread": False, "timeout": PATIENCE}}
        options["poolclass"] = NullPool if is_file(address) else StaticPool
    try:
        engine = create_engine(address, **options)
    except (ImportError, NoSuchModuleError, ArgumentError) as error:
        raise UsageError(
            later(
                "The database {database} needs a driver that is not installed ({reason}). Install the driver.",
                database=shown,
                reason=error,
            )
        ) from error
    if sqlite:
        set_up(engine, is_file(address), made)
    return engine


def set_up(engine: Engine, file: bool, made: Path | None) -> None:
    """Let an engine open its connections to SQLite as described here.

    Args:
        engine: of SQLite.
        file: whether the database is a file.
        made: the file, if it must be there and hold tables; SQLite would silently create another one.
    """
    if file:
        event.listen(engine, "do_connect", functools.partial(_connect, made))
    else:
        event.listen(engine, "connect", lambda connection, _: _prepare(connection))
    event.listen(engine, "begin", _begin)


def _connect(made: Path | None, dialect: Any, _: object, words: list[Any], options: dict[str, Any]) -> Any:
    if made is not None:
        check_content(made)
    connection = dialect.connect(*words, **options)
    try:
        _prepare(connection)
        return connection
    except sqlite3.OperationalError as error:
        connection.close()
        if not _lacks_space(error):
            raise
    except BaseException:
        connection.close()
        raise
    # SQLite keeps an index of the journal in a file that threads and programs share, and there is no space for this
    # file. A connection that has the database for itself keeps the index in memory.
    connection = dialect.connect(*words, **options)
    try:
        _prepare(connection, alone=True)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: Any, alone: bool = False) -> None:
    """Set up a new connection to SQLite."""
    connection.isolation_level = None  # Python's driver would begin transactions too late; `_begin` begins them
    first = ("locking_mode=EXCLUSIVE",) if alone else ()
    for pragma in (*first, "synchronous=NORMAL", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}").close()
    connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").close()  # opens the journal


def use_journal(engine: Engine) -> None:
    """Let readers and a writer work at the same time from now on. The file remembers it, so it is asked for once."""
    with engine.connect() as connection, suppress(sqlite3.OperationalError):  # without space it stays as it is
        driver: Any = connection.connection.driver_connection
        driver.execute("PRAGMA journal_mode=WAL").close()


def _lacks_space(error: sqlite3.OperationalError) -> bool:
    """Whether a file beside the database could not be written."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)


def _begin(connection: Connection) -> None:
    # A transaction that begins as a reader and then writes fails at once with "locked"; a writer waits for its turn.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
