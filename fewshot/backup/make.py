"""Makes a backup: a copy of the database at one moment, encrypted into one file that is checked after it is written."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from fewshot import __version__
from fewshot.backup.container import Header, is_backup, new_secrets, seal, unseal
from fewshot.backup.contents import (
    Contents,
    contents_of,
    fault_of,
    installation_in,
    migration_of,
    rows_of,
    working_folder,
)
from fewshot.database import open_database
from fewshot.database.copies import snapshot
from fewshot.database.erased import keep_beside
from fewshot.errors import StoreError, UsageError
from fewshot.private_files import write_private
from fewshot.vault.durable import sync

SHORTEST = 12
"""Characters of a passphrase."""
MADE = "backups.json"
"""Beside the database: where backups were written."""
_MOST_NOTED = 50


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that was written and checked."""

    path: Path
    header: Header
    contents: Contents


def check_passphrase(passphrase: str) -> str:
    """The passphrase, if it is long enough.

    Raises:
        UsageError: it is too short.
    """
    if len(passphrase) < SHORTEST:
        raise UsageError(
            f"This passphrase has {len(passphrase)} characters, and at least {SHORTEST} are needed. Nothing was "
            "written. Choose a longer one, such as five words that do not belong together."
        )
    return passphrase


def check_target(file: Path) -> None:
    """Check, before a passphrase is asked for, that a backup could be written to a file.

    Raises:
        UsageError: there is no such folder, or the file is there and is no backup.
        StoreError: the database is not a file.
    """
    _store()
    if file.is_dir():
        raise UsageError(f"{file} is a folder. Give the name of a file in it, such as {file / 'fewshot.backup'}.")
    if not file.absolute().parent.is_dir():
        raise UsageError(f"There is no folder {file.absolute().parent}. Create it, or give another file.")
    if file.exists() and not is_backup(file):
        raise UsageError(
            f"{file} exists and is not a backup, so it was not replaced. Nothing was written. Give another file."
        )


def make_backup(file: Path, passphrase: str) -> Made:
    """Write a backup of the default database. An older backup of this name is replaced when the new one is checked.

    Programs may use the database meanwhile, also a lesson that runs.

    Args:
        file: to write, for its owner only.
        passphrase: at least ``SHORTEST`` characters.

    Raises:
        UsageError: see ``check_passphrase`` and ``check_target``.
        StoreError: the database is damaged or cannot be read, or the backup could not be written or did not pass its
            check.
    """
    check_passphrase(passphrase)
    check_target(file)
    store = _store()
    new = file.with_name(f".{file.name}.{os.getpid()}.new")
    try:
        with working_folder(store) as folder:
            plain = folder / "content.db"
            snapshot(store, plain)
            if fault := fault_of(plain):
                raise StoreError(f"The database {store} is damaged ({fault}), so no backup was written.")
            header = _header(plain)
            seal(plain, new, header, passphrase)
            _check(new, passphrase, plain, folder / "check.db")
            new.replace(file)
            sync(file.absolute().parent)
            made = Made(file, header, contents_of(plain))
    except (OSError, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise StoreError(
            f"No backup was written to {file} ({reason}). Check that its folder and the folder of the database may be "
            "written to and have free space, then try again."
        ) from error
    finally:
        with suppress(OSError):
            new.unlink(missing_ok=True)
    _note(store, made)
    return made


def noted(store: Path) -> list[Path]:
    """Where backups of a database were written, newest first; also files that are not there any more."""
    try:
        found = json.loads(store.with_name(MADE).read_text(encoding="utf-8"))
        return [Path(str(entry)) for entry in found]
    except (OSError, ValueError, TypeError):
        return []


def _store() -> Path:
    database = open_database()
    if database.path is None or str(database.path).startswith("file:"):
        server = database.url.startswith("postgresql")
        raise StoreError(
            f"fewshot backup copies a database in a file, and {database.url} is none. Nothing was written."
            + (" Use pg_dump and pg_restore, or the backups of your server." if server else "")
        )
    with database.write() as session:
        keep_beside(database.path, session)  # also the highest numbers; see `Removals`
    return database.path


def _header(plain: Path) -> Header:
    digest = hashlib.sha256()
    with plain.open("rb") as file:
        while part := file.read(1 << 20):
            digest.update(part)
    return Header(
        made=datetime.now(UTC).isoformat(timespec="seconds"), program=__version__, migration=migration_of(plain),
        installation=installation_in(plain), kind="sqlite", size=plain.stat().st_size, sha256=digest.hexdigest(),
        **new_secrets(),
    )  # fmt: skip


def _check(new: Path, passphrase: str, plain: Path, out: Path) -> None:
    """Decrypt what was written, and compare it with what should be in it."""
    unseal(new, passphrase, out)
    fault = fault_of(out)
    if fault or rows_of(out) != rows_of(plain):
        raise StoreError(
            f"The new backup did not pass its check ({fault or 'rows are missing'}), so it was deleted. The disk may "
            "be faulty. Write the backup to another disk."
        )


def _note(store: Path, made: Made) -> None:
    place = made.path.absolute()
    places = [place, *(known for known in noted(store) if known != place)]
    with suppress(OSError):
        write_private(store.with_name(MADE), json.dumps([str(each) for each in places[:_MOST_NOTED]]).encode())
