"""Opens the database: where it is, how connections are set up, and its errors as texts for users."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool, StaticPool

from fewshot.database.upgrade import bring_up_to_date
from fewshot.errors import StoreError, UsageError
from fewshot.models.files import home

FILE = "fewshot.db"
VARIABLE = "FEWSHOT_DATABASE"
PATIENCE = 20.0
"""Seconds to wait while another program is writing."""

_opened: dict[str, Database] = {}
_opening = threading.Lock()


class Database:
    """One database; its tables are updated when it is opened. Threads may share it.

    Attributes:
        url: its address, without a password.
        path: its file; None if it is not a file.
    """

    def __init__(self, url: str | URL) -> None:
        """Connect, and update the tables if necessary.

        Raises:
            UsageError: the address is not valid.
            StoreError: the database is damaged, cannot be reached, or was made by a newer version of fewshot.
        """
        address = _address(url)
        self.url = address.render_as_string(hide_password=True)
        self.path = Path(address.database) if _is_file(address) and address.database else None
        self._engine = _engine(address, self.url)
        memory = address.get_backend_name() == "sqlite" and self.path is None
        # A database in memory has only one connection, so threads take turns.
        self._turn: contextlib.AbstractContextManager[Any] = threading.RLock() if memory else contextlib.nullcontext()
        with self._in_words(), self._turn:
            bring_up_to_date(self._engine.execution_options(writes=True), self.url)

    @contextlib.contextmanager
    def read(self) -> Iterator[Session]:
        """A session for reading; it sees one consistent state of the database.

        Raises:
            StoreError: the database is damaged or cannot be reached.
        """
        with self._in_words(), self._turn, Session(self._engine) as session:
            yield session

    @contextlib.contextmanager
    def write(self) -> Iterator[Session]:
        """A session for writing: at its end all changes are saved, or none. SQLite allows only one at a time.

        Raises:
            StoreError: the database is damaged or cannot be reached, the disk is full, or another program made a
                conflicting change.
        """
        with self._in_words(), self._turn, Session(self._engine.execution_options(writes=True)) as session:
            yield session
            session.commit()

    def forget_deleted(self) -> None:
        """Remove all traces of deleted rows from the files: empty SQLite's journal, which holds old pages."""
        if self.path is None:
            return
        with self._in_words(), self._engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def check(self) -> str:
        """Check the database, and return its place and size for ``fewshot doctor``.

        Raises:
            StoreError: the database is damaged.
        """
        if self.path is None:
            return self.url
        with self._in_words(), self._engine.connect() as connection:
            found = connection.exec_driver_sql("PRAGMA quick_check").scalar()
        if found != "ok":
            raise _damaged(self.url, str(found))
        return f"{self.path}, {self.path.stat().st_size / 1e6:.1f} MB"

    def close(self) -> None:
        """Close all connections. A database in memory is then lost."""
        self._engine.dispose()

    @contextlib.contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except IntegrityError as error:
            raise StoreError(
                f"The change was not saved, because another program changed the database {self.url} at the same time "
                f"({_reason(error)}). Check the data, then try again."
            ) from error
        except SQLAlchemyError as error:
            raise _unusable(self.url, _reason(error)) from error


def open_database(url: str | None = None) -> Database:
    """The default database, or another one; opened once per process.

    Args:
        url: an SQLAlchemy address; None uses ``$FEWSHOT_DATABASE``, else ``fewshot.db`` in the program's folder.
            Every ``sqlite://`` is a new database in memory.

    Raises:
        UsageError, StoreError: see ``Database``.
    """
    address = url or os.environ.get(VARIABLE) or _file(home()).render_as_string()
    if _address(address).database in {None, "", ":memory:"}:
        return Database(address)
    with _opening:
        kept = _opened.get(address)
        if kept is None or (kept.path is not None and not kept.path.exists()):
            kept = _opened[address] = Database(address)
        return kept


def in_folder(folder: Path) -> Database:
    """The database in a folder; both are created if they do not exist.

    Raises:
        StoreError: they cannot be created; see ``Database``.
    """
    return Database(_file(folder))


def _file(folder: Path) -> URL:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"The folder {folder} could not be created ({error.strerror or error}). Choose a folder where you may "
            "write. To move the program's own folder, set FEWSHOT_HOME."
        ) from error
    return URL.create("sqlite", database=str(folder / FILE))


def _address(url: str | URL) -> URL:
    try:
        return make_url(url)
    except ArgumentError as error:
        raise UsageError(
            f"{url!r} is not the address of a database. Write {VARIABLE} like sqlite:////home/me/fewshot.db."
        ) from error


def _is_file(address: URL) -> bool:
    return address.get_backend_name() == "sqlite" and address.database not in {None, "", ":memory:"}


def _engine(address: URL, shown: str) -> Engine:
    sqlite = address.get_backend_name() == "sqlite"
    options: dict[str, Any] = {"pool_pre_ping": True}
    if sqlite:
        # No connection stays open after its use, so that the file can be moved and its journal is emptied at once.
        options = {"connect_args": {"check_same_thread": False, "timeout": PATIENCE}}
        options["poolclass"] = NullPool if _is_file(address) else StaticPool
    try:
        engine = create_engine(address, **options)
    except (ImportError, NoSuchModuleError, ArgumentError) as error:
        raise UsageError(
            f"The database {shown} needs a driver that is not installed ({error}). Install the driver."
        ) from error
    if sqlite:
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: Any, _: object) -> None:
    """Set up a new connection to SQLite."""
    connection.isolation_level = None  # Python's driver would begin transactions too late; `_begin` begins them
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin(connection: Connection) -> None:
    # A transaction that begins as a reader and then writes fails at once with "locked"; a writer waits for its turn.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _reason(error: SQLAlchemyError) -> str:
    return str(getattr(error, "orig", None) or error).split("\n", maxsplit=1)[0]


def _unusable(url: str, reason: str) -> StoreError:
    if "malformed" in reason or "not a database" in reason or "disk image" in reason:
        return _damaged(url, reason)
    return StoreError(
        f"The database {url} cannot be used ({reason}). Data saved before is not affected. Check that its folder "
        "exists, has free space and may be written to, and that no other program locks the database."
    )


def _damaged(url: str, reason: str) -> StoreError:
    return StoreError(
        f"The database {url} is damaged ({reason}). It was not changed. Restore it from a backup, or move the file to "
        "another folder and enroll again."
    )
