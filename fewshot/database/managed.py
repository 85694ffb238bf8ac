"""Writes managed backups anew: after every erasure, before its keys are dropped, and once a day.

So a disk that is lost at any moment after an erasure loses neither the others nor brings back who was erased. Nothing
of this can stop an erasure: a backup that could not be written is named, and written as soon as that is possible.

Whether a backup was made before an erasure follows from what the database itself says (``note_removal``), not from a
note beside it. So a program that is killed at any step leaves nothing undone that the next start would not see.
"""

from __future__ import annotations

import hashlib
import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import select

from fewshot.database.contents import LAST_REMOVAL, last_line, last_removal, working_folder
from fewshot.database.delivery import NotWritten, deliver
from fewshot.database.managed_list import Managed, Place, list_of, read_list, write_list
from fewshot.database.plain import plain_in
from fewshot.database.sealed_copy import header_of, plain_copy
from fewshot.database.sealing import refuse_other_keys
from fewshot.database.tables import SettingRow
from fewshot.errors import FewshotError
from fewshot.models.lock import one_process
from fewshot.safe_text import printable
from fewshot.vault.container import Header, seal, unseal
from fewshot.vault.managed_key import managed_part

if TYPE_CHECKING:
    from fewshot.database.engine import Database

FRESH = timedelta(hours=20)
"""A backup that is younger is not written again by the daily work of several programs."""

Due = Callable[[Place, str], bool]

logger = logging.getLogger(__name__)


def renew(database: Database, due: Due) -> None:
    """Write the managed backups of a database that are not up to date. What fails is logged and kept in their list.

    Args:
        database: whose backups.
        due: which ones; it gets a place and the present state.
    """
    store = database.beside
    if store is None or not list_of(store).exists():
        return
    try:
        with one_process(list_of(store)):
            _renew(database, store, due)
    except FewshotError as error:
        logger.warning(error.text)
    except Exception as error:  # whatever it is, the erasure that waits for this must go on
        logger.warning("The managed backups could not be brought up to date (%s).", why_of(error))


def is_behind(place: Place, state: str) -> bool:
    """Whether a managed backup was made before the latest erasure, or for another recovery file."""
    return place.state != state


def is_old(place: Place, state: str) -> bool:
    """Whether a managed backup should be written by the work of every day."""
    try:
        age = datetime.now(UTC) - datetime.fromisoformat(place.written)
    except (ValueError, TypeError):
        return True
    return bool(place.why) or is_behind(place, state) or not timedelta(0) <= age < FRESH


def state_now(database: Database) -> str:
    """What a managed backup that is written now would know of erasures and recovery files.

    Raises:
        StoreError: the database cannot be read.
        KeysUnusable: the keys cannot be read.
    """
    with database.read() as session:
        removal = session.scalar(select(SettingRow.value).where(SettingRow.key == LAST_REMOVAL))
    return _state(removal or "", _public(database))


def why_of(error: Exception) -> str:
    """What failed, in words."""
    if isinstance(error, FewshotError):
        return error.text
    return str(getattr(error, "strerror", None) or error)


def _renew(database: Database, store: Path, due: Due) -> None:
    managed = read_list(store)
    state = state_now(database)
    chosen = [place for place in managed.places if due(place, state)]
    if not chosen:
        return
    found = {place.file: replace(place, why="moved") for place in chosen if not _is_folder(place.folder, store)}
    chosen = [place for place in chosen if place.file not in found]
    try:
        if chosen:
            _prepare(database, managed)
            with _made(database, store, managed.key) as (sealed, header, of_copy):
                found |= {place.file: _delivered(sealed, place, header, of_copy) for place in chosen}
    except (NotWritten, FewshotError, OSError, sqlite3.Error) as error:
        failed = error if isinstance(error, NotWritten) else NotWritten("source", why_of(error))
        for place in chosen:
            found.setdefault(place.file, replace(place, why=failed.why, detail=failed.detail))
    for after in found.values():
        if after.why:
            logger.warning("The managed backup %s is not up to date. %s", printable(str(after.file)), after.logged())
    managed.places = [found.get(place.file, place) for place in managed.places]
    write_list(store, managed)


def _delivered(sealed: Path, place: Place, header: Header, state: str) -> Place:
    try:
        deliver(sealed, place, header)
    except NotWritten as error:
        return replace(place, why=error.why, detail=error.detail)
    return Place(place.file, place.folder, header.made, state)


@contextmanager
def _made(database: Database, store: Path, key: str) -> Iterator[tuple[Path, Header, str]]:
    """The backup of now, its header, and its state."""
    with working_folder(store) as folder:
        plain, sealed = plain_copy(database, folder), folder / "sealed"
        pair = database.vault.keys.record["recovery"]  # type: ignore[attr-defined]
        record, secret = managed_part(pair, database.vault.keys, key, last_line(plain))
        header, state = header_of(plain, record), _state(last_removal(plain), pair["public"])
        seal(plain, sealed, header, secret)
        plain.unlink()
        unseal(sealed, secret, None)
        yield sealed, header, state


def _prepare(database: Database, managed: Managed) -> None:
    """Make the key of managed backups, if there is none.

    Raises:
        NotWritten: no backup can be made that is of use, or that hides what it must hide.
        KeysUnusable: the keys cannot be used.
    """
    if not _public(database):
        raise NotWritten("recovery")
    with database.read() as session:
        refuse_other_keys(session)
        if plain_in(session):
            raise NotWritten("plain")
    if managed.key not in database.vault.names():
        managed.key = database.vault.make(1)[0]


def _is_folder(folder: str, store: Path) -> bool:
    """Whether a database is still in its folder; another path to it is the same one."""
    if Path(folder) == store.parent.absolute():
        return True
    with suppress(OSError):
        return Path(folder).samefile(store.parent)
    return False


def _public(database: Database) -> str:
    record = getattr(database.vault.keys, "record", {})
    return str((record.get("recovery") or {}).get("public", ""))


def _state(removal: str, public: str) -> str:
    return hashlib.sha256(f"{removal}|{public}".encode()).hexdigest()[:32]
