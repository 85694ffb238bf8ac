"""Opening the database: where it is, how it is talked to, and what goes wrong in words."""

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
"""Seconds to wait for another program that is writing."""

_opened: dict[str, Database] = {}
_opening = threading.Lock()


class Database:
    """One database, brought up to date when it is opened. May be shared by threads.

    Attributes:
        url: where it is, without a password.
        path: its file, if it is one.
    """

    def __init__(self, url: str | URL) -> None:
        """Connect, and migrate if need be.

        Raises:
            UsageError: the address cannot be understood.
            StoreError: it is damaged, cannot be reached, or was made by a newer fewshot.
        """
        address = _address(url)
        self.url = address.render_as_string(hide_password=True)
        self.path = Path(address.database) if _is_file(address) and address.database else None
        self._engine = _engine(address, self.url)
        memory = address.get_backend_name() == "sqlite" and self.path is None
        # One connection is all that a database in memory has: threads take turns.
        self._turn: contextlib.AbstractContextManager[Any] = threading.RLock() if memory else contextlib.nullcontext()
        with self._in_words(), self._turn:
            bring_up_to_date(self._engine.execution_options(writes=True), self.url)

    @contextlib.contextmanager
    def read(self) -> Iterator[Session]:
        """A session that sees one state of the database and changes nothing.

        Raises:
            StoreError: it is damaged or out of reach.
        """
        with self._in_words(), self._turn, Session(self._engine) as session:
            yield session

    @contextlib.contextmanager
    def write(self) -> Iterator[Session]:
        """A session whose changes all happen, at its end, or none of them. One at a time over all processes (SQLite).

        Raises:
            StoreError: it is damaged, full, out of reach, or was changed meanwhile in a way that contradicts.
        """
        with self._in_words(), self._turn, Session(self._engine.execution_options(writes=True)) as session:
            yield session
            session.commit()

    def forget_deleted(self) -> None:
        """Make sure that no byte of deleted rows is left in the files: empty SQLite's journal of earlier pages."""
        if self.path is None:
            return
        with self._in_words(), self._engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def check(self) -> str:
        """What `fewshot doctor` says about it.

        Raises:
            StoreError: it is damaged.
        """
        if self.path is None:
            return self.url
        with self._in_words(), self._engine.connect() as connection:
            found = connection.exec_driver_sql("PRAGMA quick_check").scalar()
        if found != "ok":
            raise _damaged(self.url, str(found))
        return f"{self.path}, {self.path.stat().st_size / 1e6:.1f} MB"

    def close(self) -> None:
        """Let go of all connections. A database in memory is gone then."""
        self._engine.dispose()

    @contextlib.contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except IntegrityError as error:
            raise StoreError(
                f"What was to be written contradicts the database {self.url} ({_reason(error)}). Somebody else changed "
                f"it in the same moment: look at it again, and repeat."
            ) from error
        except SQLAlchemyError as error:
            raise _unusable(self.url, _reason(error)) from error


def open_database(url: str | None = None) -> Database:
    """The database of this machine, or another one; opened once a process.

    Args:
        url: an SQLAlchemy address; None takes ``$FEWSHOT_DATABASE``, else ``fewshot.db`` in the program's folder.
            Every ``sqlite://`` is a fresh one in memory.

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
    """The database of a folder, which is made if need be.

    Raises:
        StoreError: it cannot be made; see ``Database``.
    """
    return Database(_file(folder))


def _file(folder: Path) -> URL:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"The folder {folder} could not be made ({error.strerror or error}). Choose one that you may write to (for "
            f"the program's own: set FEWSHOT_HOME)."
        ) from error
    return URL.create("sqlite", database=str(folder / FILE))


def _address(url: str | URL) -> URL:
    try:
        return make_url(url)
    except ArgumentError as error:
        raise UsageError(
            f"{url!r} is no address of a database. Write {VARIABLE} like sqlite:////home/me/fewshot.db."
        ) from error


def _is_file(address: URL) -> bool:
    return address.get_backend_name() == "sqlite" and address.database not in {None, "", ":memory:"}


def _engine(address: URL, shown: str) -> Engine:
    sqlite = address.get_backend_name() == "sqlite"
    options: dict[str, Any] = {"pool_pre_ping": True}
    if sqlite:
        # No connection stays open between two uses: the file can be moved, and its journal is emptied at once.
        options = {"connect_args": {"check_same_thread": False, "timeout": PATIENCE}}
        options["poolclass"] = NullPool if _is_file(address) else StaticPool
    try:
        engine = create_engine(address, **options)
    except (ImportError, NoSuchModuleError, ArgumentError) as error:
        raise UsageError(f"The database {shown} needs a driver that is not here ({error}). Install it.") from error
    if sqlite:
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: Any, _: object) -> None:
    """What every connection to SQLite needs to be told."""
    connection.isolation_level = None  # Python's driver would begin transactions late; `_begin` does it
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin(connection: Connection) -> None:
    # Who begins as a reader and turns writer meets "locked" without a wait; a writer queues up from the start.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _reason(error: SQLAlchemyError) -> str:
    return str(getattr(error, "orig", None) or error).split("\n", maxsplit=1)[0]


def _unusable(url: str, reason: str) -> StoreError:
    if "malformed" in reason or "not a database" in reason or "disk image" in reason:
        return _damaged(url, reason)
    return StoreError(
        f"The database {url} cannot be used ({reason}). What was written before is untouched. Check that its place "
        f"exists, has free space and may be written to, and that no other program holds it."
    )


def _damaged(url: str, reason: str) -> StoreError:
    return StoreError(
        f"The database {url} is damaged ({reason}). It was left as it is. Restore it from a backup, or move it away "
        f"and enroll again."
    )
