"""What a database file holds, for people and for checks. Nothing here opens it as the running program does."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from fewshot.database.file import make_folder
from fewshot.models.lock import one_process, take
from fewshot.private_files import FILE, make_private_folder

LAST_REMOVAL = "last_removal"
"""In the table of settings: changes with every erasure and withdrawal, so that a backup made before is recognised."""


@dataclass(frozen=True, slots=True)
class Contents:
    """Numbers of what a database holds; ``newest`` is when its newest lesson started, UTC, "" without lessons."""

    classes: int
    students: int
    lessons: int
    newest: str


def contents_of(path: Path) -> Contents:
    """The contents of a database file. Raises sqlite3.Error if it cannot be read."""
    with closing(_open(path)) as connection:
        counts = [connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in _SHOWN]  # nosec B608: names of our own tables
        newest = connection.execute("SELECT max(started) FROM lessons").fetchone()[0]
    classes, students, lessons = counts
    return Contents(classes, students, lessons, str(newest)[:16] if newest else "")


def rows_of(path: Path) -> dict[str, int]:
    """Table -> number of rows. Raises sqlite3.Error if the file cannot be read."""
    with closing(_open(path)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in names}  # nosec B608: names from the file itself, quoted


def fault_of(path: Path) -> str:
    """What SQLite's own check finds wrong with a file, or the checksums of its rows; "" if nothing."""
    from fewshot.database.whole_check import fault_in_rows

    try:
        with closing(_open(path)) as connection:
            found = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
            return fault_in_rows(connection) if found == "ok" else str(found)
    except sqlite3.Error as error:
        return str(error)


def migration_of(path: Path) -> str:
    """Number of the newest migration in a file. Raises sqlite3.Error if it is no database of fewshot."""
    with closing(_open(path)) as connection:
        (version,) = connection.execute("SELECT version_num FROM alembic_version").fetchone() or ("",)
        return str(version)


def installation_in(path: Path) -> str:
    """Id of the installation that made a file; "" if it is older than this id. Raises sqlite3.Error as above."""
    with closing(_open(path)) as connection:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'installation'").fetchone():
            return ""
        (found,) = connection.execute("SELECT id FROM installation").fetchone() or ("",)
        return str(found)


def last_removal(path: Path) -> str:
    """What ``note_removal`` wrote last into a database file; "" before that. Raises sqlite3.Error as above."""
    with closing(_open(path)) as connection:
        found = connection.execute("SELECT value FROM settings WHERE key = ?", [LAST_REMOVAL]).fetchone()
        return str(json.loads(found[0])) if found else ""


def last_line(path: Path) -> int:
    """Number of the newest line in the audit log of a file; 0 without one. It only grows, also over a restore.

    Raises:
        sqlite3.Error: the file cannot be read.
    """
    with closing(_open(path)) as connection:
        return int(connection.execute("SELECT coalesce(max(number), 0) FROM audit").fetchone()[0])


@contextlib.contextmanager
def working_folder(path: Path) -> Iterator[Path]:
    """A folder beside a database for files that must not stay, for its owner only.

    Those that a killed program left behind are deleted, and those of other programs that run are not.

    Raises:
        OSError: it cannot be made.
    """
    make_folder(path.parent)
    folder = path.parent / f"{_PREFIX}-{secrets.token_hex(8)}"
    with one_process(path.parent / _PREFIX):
        for left in path.parent.glob(f"{_PREFIX}-*"):
            _delete_left(left)
        make_private_folder(folder)
        held = os.open(folder / _IN_USE, os.O_RDWR | os.O_CREAT, FILE)
        with contextlib.suppress(OSError):  # a file system without locks
            take(held)
    try:
        yield folder
    finally:
        os.close(held)
        shutil.rmtree(folder, ignore_errors=True)


def _delete_left(folder: Path) -> None:
    """Delete a working folder, unless a program that runs holds its lock."""
    try:
        held = os.open(folder / _IN_USE, os.O_RDWR)
    except OSError:  # killed before it was there
        shutil.rmtree(folder, ignore_errors=True)
        return
    try:
        take(held)
    except (BlockingIOError, PermissionError):
        return
    except OSError:
        pass
    finally:
        os.close(held)
    shutil.rmtree(folder, ignore_errors=True)


_SHOWN = ("classes", "students", "lessons")
_PREFIX, _IN_USE = "backup-at-work", "in-use"


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=20)
