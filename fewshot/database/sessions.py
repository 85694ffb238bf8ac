"""Connects to a database, gives sessions on it, and says its errors as texts for users."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session

from fewshot.database.address import address_of, is_file, shown
from fewshot.database.connecting import make_engine, use_journal
from fewshot.database.file import make_ready, protect
from fewshot.database.moving import make_good, without_limits
from fewshot.database.place import keys_beside, place_of_keys
from fewshot.database.sealing import RowMissing, SealingSession
from fewshot.database.server import take_turn
from fewshot.database.structure import refuse_damage
from fewshot.database.upgrade import bring_up_to_date, make_tables
from fewshot.database.whole_check import check_rows
from fewshot.database.words import damaged, of_a_value, reason_of, unusable
from fewshot.errors import FewshotError, StoreError
from fewshot.translation import Later, later
from fewshot.vault import KeyStore, MemoryKeys, Vault
from fewshot.vault.cipher import NotSealedHere


class Sessions:
    """One database; its tables are updated when it is opened. Threads may share it.

    Attributes:
        url: its address, without a password.
        path: its file; None if it is not a file.
        beside: the file beside which its lists and copies lie; see ``place``. None for a database in memory.
        vault: its keys.
    """

    def __init__(self, url: str | URL, keys: KeyStore | None = None) -> None:
        """Connect, and update the tables if necessary.

        Args:
            url: address of the database.
            keys: the keys that encrypt it; None: those beside the file, or in the program's folder for a server.

        Raises:
            UsageError: the address is not valid.
            StoreError: the database is damaged, cannot be reached, or was made by a newer version of fewshot.
        """
        address = address_of(url)
        self.url = shown(address)
        self.path = Path(address.database) if is_file(address) and address.database else None
        named = self.path is not None and str(self.path).startswith("file:")  # SQLite's own form, with options
        self._engine = make_engine(address, self.url, None if named else self.path)
        memory = address.get_backend_name() == "sqlite" and self.path is None
        # A database in memory has only one connection, so threads take turns.
        self._turn: contextlib.AbstractContextManager[Any] = threading.RLock() if memory else contextlib.nullcontext()
        file = None if named else self.path
        if keys is None:
            keys = MemoryKeys() if memory else keys_beside(file)
        self.vault = Vault(keys)
        self.beside = place_of_keys(keys) if self.server is not None else file
        with self._in_words(), self._turn:
            if self.server is not None:
                make_good(self._engine, self.url)
            if file is not None:
                make_ready(file, make_tables)
                protect(file)
                refuse_damage(self._engine, self.url, file)
            engine = self._engine.execution_options(writes=True)
            bring_up_to_date(engine, self.url, file is None, self.beside)
            if self.path is not None:
                use_journal(self._engine)

    @property
    def server(self) -> URL | None:
        """Its address on a PostgreSQL server, with the password; None for any other database."""
        return self._engine.url if self._engine.dialect.name == "postgresql" else None

    @contextlib.contextmanager
    def apart(self) -> Iterator[Connection]:
        """A connection on which every statement is a transaction of its own, and which needs no key.

        Raises:
            StoreError: the database cannot be reached, or a statement failed.
        """
        with self._in_words(), self._engine.connect() as connection:
            yield connection.execution_options(isolation_level="AUTOCOMMIT")

    @contextlib.contextmanager
    def one_moment(self) -> Iterator[Connection]:
        """A connection to a server for reading: all its statements see the database as it is at one moment.

        Raises:
            StoreError: the database cannot be reached, or a statement failed.
        """
        with self._in_words(), self._engine.connect() as connection:
            fixed = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            with fixed.begin():
                without_limits(fixed, this_transaction=True)
                yield fixed

    @contextlib.contextmanager
    def read(self) -> Iterator[Session]:
        """A session for reading; it sees one consistent state of the database.

        Raises:
            StoreError: the database is damaged or cannot be reached.
        """
        with self._in_words(), self._turn, self._session() as session:
            yield session

    @contextlib.contextmanager
    def write(self, alone: bool = True) -> Iterator[Session]:
        """A session for writing: at its end all changes are saved, or none. Only one program writes at a time.

        Args:
            alone: False lets other programs write at the same time where the database can do that (PostgreSQL), for
                changes that lock all rows that they depend on.

        Raises:
            StoreError: the database is damaged or cannot be reached, the disk is full, or another program made a
                conflicting change.
        """
        with self._in_words(), self._turn, self._session(writes=True) as session:
            if alone:
                take_turn(session)
            yield session
            session.commit()

    def require_writable(self) -> None:
        """Check, before long work, that a change could be saved. Nothing is changed.

        Raises:
            DiskFull: the disk has no space left.
            StoreError: the database may only be read, cannot be reached, or another program locks it.
        """
        with self._in_words(), self._turn, Session(self._engine.execution_options(writes=True)) as session:
            session.execute(text("UPDATE alembic_version SET version_num = version_num"))
            session.rollback()

    def _session(self, writes: bool = False) -> Session:
        self.vault.refresh()
        return SealingSession(self._engine.execution_options(writes=True) if writes else self._engine, self.vault)

    def check(self) -> str:
        """Check the database, and return its place and size for ``fewshot doctor``.

        Raises:
            StoreError: the database is damaged.
        """
        with self.read() as session:
            check_rows(session)
        if self.path is None:
            return self.url
        with self._in_words(), self._engine.connect() as connection:
            found = connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar()
        if found != "ok":
            raise damaged(self.url, str(found))
        return f"{self.path}, {self.path.stat().st_size / 1e6:.1f} MB"

    def close(self) -> None:
        """Close all connections, which are opened again when they are needed. A database in memory is then lost."""
        self._engine.dispose()

    @contextlib.contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except (IntegrityError, RowMissing) as error:
            reason = reason_of(error) if isinstance(error, IntegrityError) else Later(str(error))
            raise StoreError(
                later(
                    "The change was not saved, because another program changed the database {url} at the same time "
                    "({reason}). Check the data, then try again.",
                    url=self.url,
                    reason=reason,
                )
            ) from error
        except SQLAlchemyError as error:
            raise unusable(self.url, reason_of(error), self.path) from error
        except FewshotError:
            raise
        except Exception as error:
            if isinstance(error, sqlite3.Error) and self.server is not None:
                raise  # of a file that its rows are copied to or from, which says nothing about the server
            # Rows that contradict each other break the code that reads them in many ways.
            found = (
                f"a value in it cannot be read: {error}"
                if isinstance(error, NotSealedHere) or of_a_value(error)
                else self._damage()
            )
            if not found:
                raise
            raise damaged(self.url, found) from error

    def _damage(self) -> str:
        """What SQLite's own check finds in the file; "" if nothing, or if this is not a file."""
        if self.path is None:
            return ""
        try:
            with self._engine.connect() as connection:
                found = str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar())
        except (SQLAlchemyError, ValueError, StoreError) as error:
            return str(error)
        return "" if found == "ok" else found
