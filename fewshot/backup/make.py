"""Makes a backup: a copy of the database at one moment, encrypted into one file that is checked after it is written."""

from __future__ import annotations

import json
import secrets
import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from fewshot.database import Database, open_database
from fewshot.database.contents import Contents, contents_of, fault_of, rows_of, working_folder
from fewshot.database.erased import keep_beside
from fewshot.database.managed_list import place_of, read_list
from fewshot.database.sealed_copy import header_of, plain_copy
from fewshot.errors import StoreError, UsageError, reason_of
from fewshot.private_files import write_private
from fewshot.translation import later
from fewshot.vault.container import Header, is_backup, seal, unseal
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
            later(
                "This passphrase has {length} characters, and at least {shortest} are needed. Nothing was written. "
                "Choose a longer one, such as five words that do not belong together.",
                length=len(passphrase),
                shortest=SHORTEST,
            )
        )
    return passphrase


def check_target(file: Path) -> None:
    """Check, before a passphrase is asked for, that a backup could be written to a file.

    Raises:
        UsageError: there is no such folder, or the file is there and is no backup.
        StoreError: the database is in memory.
    """
    store = store_of(open_database())
    if file.is_dir():
        raise UsageError(
            later(
                "{file} is a folder. Give the name of a file in it, such as {example}.",
                file=file,
                example=file / "fewshot.backup",
            )
        )
    if not file.absolute().parent.is_dir():
        raise UsageError(
            later("There is no folder {folder}. Create it, or give another file.", folder=file.absolute().parent)
        )
    if file.exists() and not is_backup(file):
        raise UsageError(
            later(
                "{file} exists and is not a backup, so it was not replaced. Nothing was written. Give another file.",
                file=file,
            )
        )
    if place_of(read_list(store), file) is not None:
        raise UsageError(
            later(
                "{file} is a managed backup, which needs no passphrase. Nothing was written. Give another file.",
                file=file,
            ),
            hint=f"To write it now, type: fewshot backup --manage {quote(str(file))}",
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
    database = open_database()
    store = store_of(database)
    with database.write() as session:
        keep_beside(store, session)  # also the highest numbers; see `Removals`
    new = file.with_name(f".fewshot-{secrets.token_hex(8)}.new")
    try:
        with working_folder(store) as folder:
            plain = plain_copy(database, folder)
            header = header_of(plain)
            seal(plain, new, header, passphrase)
            _check(new, passphrase, plain, folder / "check.db")
            new.replace(file)
            sync(file.absolute().parent)
            made = Made(file, header, contents_of(plain))
    except (OSError, sqlite3.Error) as error:
        raise StoreError(
            later(
                "No backup was written to {file} ({reason}). Check that its folder and the folder of the database may "
                "be written to and have free space, then try again.",
                file=file,
                reason=reason_of(error),
            )
        ) from error
    finally:
        with suppress(OSError):
            new.unlink(missing_ok=True)
    note_made(store, made.path)
    return made


def noted(store: Path) -> list[Path]:
    """Where backups of a database were written, newest first; also files that are not there any more."""
    try:
        found = json.loads(store.with_name(MADE).read_text(encoding="utf-8"))
        return [Path(str(entry)) for entry in found]
    except (OSError, ValueError, TypeError):
        return []


def note_made(store: Path, file: Path) -> None:
    """Remember where a backup of a database was written."""
    place = file.absolute()
    places = [place, *(known for known in noted(store) if known != place)]
    with suppress(OSError):
        write_private(store.with_name(MADE), json.dumps([str(each) for each in places[:_MOST_NOTED]]).encode())


def store_of(database: Database) -> Path:
    """The file beside which the lists of a database lie; see ``place``. Raises StoreError if it is in memory."""
    if database.beside is None:
        raise StoreError(
            later(
                "A backup is made of a database in a file or on a PostgreSQL server, and {database} is neither. "
                "Nothing was written.",
                database=database.url,
            )
        )
    return database.beside


def _check(new: Path, passphrase: str, plain: Path, out: Path) -> None:
    """Decrypt what was written, and compare it with what should be in it."""
    unseal(new, passphrase, out)
    fault = fault_of(out)
    if fault or rows_of(out) != rows_of(plain):
        raise StoreError(
            later(
                "The new backup did not pass its check ({fault}), so it was deleted. The disk may be faulty. Write the "
                "backup to another disk.",
                fault=fault or later("rows are missing"),
            )
        )
