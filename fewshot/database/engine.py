"""Opens the database: where it is, how connections are set up, and its errors as texts for users."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session

from fewshot.database.address import address_of, is_file, named
from fewshot.database.connecting import make_engine, use_journal
from fewshot.database.copies import erase_in_copies
from fewshot.database.erased import installation_of, is_kept, keep_beside, note_removal, numbers_of, remember
from fewshot.database.erased_tables import DroppedKeyRow
from fewshot.database.erasure import erase, noted, take_note
from fewshot.database.file import make_folder, make_ready, protect
from fewshot.database.kept_texts import keep_texts
from fewshot.database.key_erasure import drop_keys_of, known_keys
from fewshot.database.managed_list import list_of
from fewshot.database.moving import make_good
from fewshot.database.owner import DEMO, LOCAL, is_demo
from fewshot.database.plain_log import close_note
from fewshot.database.sealing import RowMissing, SealingSession, refuse_other_keys
from fewshot.database.server import take_turn
from fewshot.database.structure import refuse_damage
from fewshot.database.upgrade import bring_up_to_date, make_tables
from fewshot.database.whole_check import check_rows
from fewshot.database.words import ErasurePending, damaged, of_a_value, reason_of, unusable
from fewshot.errors import FewshotError, StoreError
from fewshot.models.files import home
from fewshot.private_files import tighten
from fewshot.translation import Later, later
from fewshot.vault import FileKeys, HeldKeys, KeyStore, KeysUnusable, MemoryKeys, Vault
from fewshot.vault.cipher import NotSealedHere
from fewshot.vault.held_keys import held_elsewhere

FILE = "fewshot.db"
RETRY = 1.0
"""Seconds between two attempts to finish an erasure that another program has delayed."""

logger = logging.getLogger(__name__)
_opened: dict[str, Database] = {}
_lent: dict[str, Database] = {}
"""Databases of single owners, by their ids."""
_closed: set[Path] = set()  # folders of the program that were closed to other users
_opening = threading.Lock()


class Database:
    """One database; its tables are updated when it is opened. Threads may share it.

    Attributes:
        url: its address, without a password.
        path: its file; None if it is not a file.
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
        self.url = address.render_as_string(hide_password=True)
        self.path = Path(address.database) if is_file(address) and address.database else None
        named = self.path is not None and str(self.path).startswith("file:")  # SQLite's own form, with options
        self._engine = make_engine(address, self.url, None if named else self.path)
        memory = address.get_backend_name() == "sqlite" and self.path is None
        # A database in memory has only one connection, so threads take turns.
        self._turn: contextlib.AbstractContextManager[Any] = threading.RLock() if memory else contextlib.nullcontext()
        self._beside = None if named else self.path  # the database has files of its own beside it
        self._retry = float("inf")  # when an erasure that was delayed is tried again
        self._drop_again = float("inf")  # and when keys that could not be dropped are
        self._later = threading.local()  # see `together`
        if keys is None:
            keys = MemoryKeys() if memory else keys_beside(self._beside)
        self.vault = Vault(keys)
        with self._in_words(), self._turn:
            if self.server is not None:
                make_good(self._engine, self.url)
            if self.path is not None and not named:
                make_ready(self.path, make_tables)
                protect(self.path)
                refuse_damage(self._engine, self.url, self.path)
            engine = self._engine.execution_options(writes=True)
            bring_up_to_date(engine, self.url, self.path is None or named, self._beside)
            if self.path is not None:
                use_journal(self._engine)
            if self.path is not None and noted(self._engine) is not None:
                self._retry = 0.0
                self._erase_in_copies()
        if self.server is not None:
            close_note(self)
        self.finish_erasing()
        self.keep_removals()
        try:
            self.drop_keys()
        except KeysUnusable as error:
            self._drop_again = time.monotonic() + RETRY
            logger.warning("The keys of what was deleted could not be dropped yet. %s", error.text)

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

    @contextlib.contextmanager
    def erase(self) -> Iterator[Session]:
        """Like ``write``, for a deletion: at its end nothing of the deleted rows is left in the database's files.

        Raises:
            ErasurePending: the rows are deleted, but another program reads the database, so their bytes are still in
                its files. They are erased when ``finish_erasing`` succeeds.
            StoreError: as ``write``; nothing was deleted.
        """
        with self.write() as session:
            refuse_other_keys(session)
            before, keys = numbers_of(session), known_keys(session)
            yield session
            session.flush()
            removed, here = remember(session, before), installation_of(session)
            drops = drop_keys_of(session, keys)
            if removed or drops:
                note_removal(session)
            if self.path is not None:
                take_note(session)
        self.keep_removals()
        if self._beside is not None:
            erase_in_copies(self._beside, removed, here)
            if drops:
                with self.read() as session:
                    keep_texts(self._beside, session, here)
        if getattr(self._later, "on", False):
            self._later.drops |= drops
        else:
            self._drop_or_say(drops)
        self.forget_deleted()

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """Several deletions of this thread: their keys are dropped, and managed backups written, once at the end.

        Raises:
            ErasurePending: see ``erase``.
        """
        self._later.on, self._later.drops = True, False
        try:
            yield
        finally:
            self._later.on = False
            if self._later.drops:
                self._drop_or_say(renew=True)

    def _drop_or_say(self, renew: bool) -> None:
        try:
            self.drop_keys(renew)
        except KeysUnusable as error:
            self._drop_again = time.monotonic() + RETRY
            self.forget_deleted()
            raise ErasurePending(
                later(
                    "What was deleted is no longer shown or used, but its keys could not be dropped yet, so an "
                    "older copy of the database could still be read. {text} The next command of fewshot, or the "
                    "next page of its app, tries again.",
                    text=error.text,
                )
            ) from error

    def _session(self, writes: bool = False) -> Session:
        self.vault.refresh()
        return SealingSession(self._engine.execution_options(writes=True) if writes else self._engine, self.vault)

    def drop_keys(self, renew: bool = True) -> None:
        """Drop the keys of what was erased, also after a kill between the deletion and this.

        Args:
            renew: write the managed backups first that were made before the deletion.

        Raises:
            KeysUnusable: they cannot be dropped now; ``finish_erasing`` and the next start try again.
        """
        with self._in_words(), Session(self._engine) as session:
            wanted = set(session.scalars(select(DroppedKeyRow.key)))  # before the copy, which then lacks all of them
        if renew:
            self.renew_managed()
        self.vault.drop(wanted)
        self._drop_again = float("inf")

    def renew_managed(self, daily: bool = False) -> None:
        """Write the managed backups anew that were made before the latest erasure. What fails is logged, and noted.

        Args:
            daily: also those that are about a day old, or failed before.
        """
        if self._beside is not None and list_of(self._beside).exists():
            from fewshot.database.managed import is_behind, is_old, renew

            renew(self, is_old if daily else is_behind)

    def _erase_in_copies(self) -> None:
        """After a kill between a deletion and its end it is not known what was deleted, so the copies are deleted."""
        if self._beside is not None:
            with Session(self._engine) as session:
                erase_in_copies(self._beside, (), installation_of(session))

    def keep_removals(self) -> None:
        """Copy the numbers of what was erased or withdrawn to the file beside the database, if they are not in it."""
        if self._beside is None:
            return
        with self.read() as session:
            if is_kept(self._beside, session):
                return
        with self.write() as session:
            keep_beside(self._beside, session)

    def forget_deleted(self) -> None:
        """Remove all traces of deleted rows from the files: empty SQLite's journal, which holds old pages.

        Raises:
            ErasurePending: another program still reads the database, so the traces are still there.
        """
        if self.path is None:
            return
        try:
            with self._in_words():
                erase(self._engine, self.path)
        except StoreError:
            self._retry = time.monotonic() + RETRY
            raise
        self._retry = float("inf")

    def finish_erasing(self) -> None:
        """Erase what an earlier deletion had to leave: its keys, and its bytes if no program reads the files now.

        Does not wait for other programs, but for a key holder (``PATIENCE`` of ``fewshot.vault.held_keys``).
        """
        if time.monotonic() >= self._drop_again:
            self._drop_again = time.monotonic() + RETRY
            with contextlib.suppress(StoreError):
                self.drop_keys()
                logger.warning("An earlier deletion is now complete: its keys were dropped.")
        if self.path is None or time.monotonic() < self._retry:
            return
        first, self._retry = self._retry == 0.0, time.monotonic() + RETRY
        try:
            with self._in_words():
                erase(self._engine, self.path, patience=0.2)
        except StoreError as error:
            if first:
                logger.warning(error.text)
            return
        self._retry = float("inf")
        logger.warning("An earlier deletion is now complete: its bytes are erased from the files of %s.", self.path)

    @property
    def erasure_pending(self) -> bool:
        """Whether bytes of deleted rows are still in the files, because another program was reading them."""
        return self._retry != float("inf")

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


def open_database(url: str | None = None, owner: str = LOCAL) -> Database:
    """The default database, or another one; opened once per process.

    Args:
        url: an SQLAlchemy address; None uses ``$FEWSHOT_DATABASE``, else ``fewshot.db`` in the program's folder.
            Every ``sqlite://`` is a new database in memory.
        owner: id of an owner, who may have a database apart from all others; see ``lend``.

    Raises:
        UsageError, StoreError: see ``Database``. StoreError: this process is the demo, and the owner has no database.
    """
    if url is None and owner in _lent:
        return _lent[owner]
    if url is None and is_demo():
        raise StoreError(
            later(
                "The demo opens no store but that of a visitor ({demo}=1). Load this page again to begin again.",
                demo=DEMO,
            ),
            hint=f"To work with your own classes, unset {DEMO}.",
        )
    address = url or named() or _file(home(), ours=True).render_as_string()
    if address_of(address).database in {None, "", ":memory:"}:
        return Database(address)
    with _opening:
        kept = _opened.get(address)
        if kept is None or (kept.path is not None and not kept.path.exists()):
            kept = _opened[address] = Database(address)
        kept.finish_erasing()
        return kept


def lend(owner: str, database: Database | None) -> Database | None:
    """Give an owner a database apart from all others.

    Args:
        owner: id of the owner.
        database: None takes it away.

    Returns:
        The one that the owner had before; None without one.
    """
    before = _lent.pop(owner, None)
    if database is not None:
        _lent[owner] = database
    return before


def keys_beside(file: Path | None) -> FileKeys | HeldKeys:
    """The keys of a database in a file; None: of one on a server, whose keys lie in the program's folder, or where
    $FEWSHOT_KEY_HOLDER says.

    Raises:
        UsageError: $FEWSHOT_KEY_HOLDER or its token cannot be used.
    """
    if file is not None:
        return FileKeys(file.parent)
    return held_elsewhere() or FileKeys(home())


def default_file() -> Path | None:
    """The file of the default database, which is neither opened nor created; None if it is not a file.

    Raises:
        UsageError: $FEWSHOT_DATABASE is not valid.
    """
    address = address_of(named() or URL.create("sqlite", database=str(home() / FILE)))
    if not is_file(address) or str(address.database).startswith("file:"):
        return None
    return Path(str(address.database))


def in_folder(folder: Path) -> Database:
    """The database in a folder; both are created if they do not exist.

    Raises:
        StoreError: they cannot be created; see ``Database``.
    """
    return Database(_file(folder))


def _file(folder: Path, ours: bool = False) -> URL:
    make_folder(folder)
    if ours and folder not in _closed:
        _closed.add(folder)
        for said in tighten([folder]):
            logger.warning(said)
    return URL.create("sqlite", database=str(folder / FILE))
