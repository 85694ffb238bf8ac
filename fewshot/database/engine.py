"""Opens databases, each of them once, and erases from them so that nothing is left."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.engine import URL
from sqlalchemy.orm import Session

from fewshot.database.address import address_of, named
from fewshot.database.copies import erase_in_copies
from fewshot.database.erased import installation_of, is_kept, keep_beside, note_removal, numbers_of, remember
from fewshot.database.erased_tables import DroppedKeyRow
from fewshot.database.erasure import erase, noted, take_note
from fewshot.database.file import make_folder
from fewshot.database.kept_texts import keep_texts
from fewshot.database.key_erasure import drop_keys_of, known_keys
from fewshot.database.managed_list import list_of
from fewshot.database.owner import DEMO, LOCAL, is_demo
from fewshot.database.place import FILE
from fewshot.database.plain_log import close_note
from fewshot.database.sealing import refuse_other_keys
from fewshot.database.sessions import Sessions
from fewshot.database.words import ErasurePending
from fewshot.errors import StoreError
from fewshot.models.files import home
from fewshot.private_files import tighten
from fewshot.translation import later
from fewshot.vault import KeyStore, KeysUnusable

RETRY = 1.0
"""Seconds between two attempts to finish an erasure that another program has delayed."""

logger = logging.getLogger(__name__)
_opened: dict[str, Database] = {}
_lent: dict[str, Database] = {}
"""Databases of single owners, by their ids."""
_closed: set[Path] = set()  # folders of the program that were closed to other users
_opening = threading.Lock()


class Database(Sessions):
    """One database, with deletions of which nothing is left; see ``Sessions``."""

    def __init__(self, url: str | URL, keys: KeyStore | None = None) -> None:
        """Connect, update the tables if necessary, and finish what an earlier program left; see ``Sessions``."""
        super().__init__(url, keys)
        self._retry = float("inf")  # when an erasure that was delayed is tried again
        self._drop_again = float("inf")  # and when keys that could not be dropped are
        self._later = threading.local()  # see `together`
        with self._in_words(), self._turn:
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
        if self.beside is not None:
            erase_in_copies(self.beside, removed, here)
            if drops:
                with self.read() as session:
                    keep_texts(self.beside, session, here)
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
        if self.beside is not None and list_of(self.beside).exists():
            from fewshot.database.managed import is_behind, is_old, renew

            renew(self, is_old if daily else is_behind)

    def _erase_in_copies(self) -> None:
        """After a kill between a deletion and its end it is not known what was deleted, so the copies are deleted."""
        if self.beside is not None:
            with Session(self._engine) as session:
                erase_in_copies(self.beside, (), installation_of(session))

    def keep_removals(self) -> None:
        """Copy the numbers of what was erased or withdrawn to the file beside the database, if they are not in it."""
        if self.beside is None:
            return
        with self.read() as session:
            if is_kept(self.beside, session):
                return
        with self.write() as session:
            keep_beside(self.beside, session)

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
