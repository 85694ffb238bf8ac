"""Copies of a database that the program makes by itself beside it: before its tables are changed, and before a restore.

They are as readable as the database itself. So what is erased from the database is erased from them too.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import sqlite3
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from fewshot.errors import StoreError, reason_of
from fewshot.private_files import FILE
from fewshot.translation import later

KEPT = 2
"""How many copies made before a change of the tables are kept."""

_DEFAULT, _PART = "fewshot.db", ".part"
_NAME = re.compile(r"before-(\d{4}-to-\d{4}|restore)-(\d{8}-\d{6}-\d{6})(-.+)?\.db")
_ROWS = {"lesson": "lessons", "photo": "photos"}

logger = logging.getLogger(__name__)


def snapshot(source: Path, out: Path) -> None:
    """Copy a database as it is at one moment, also while programs use it. The new file is for its owner only.

    Raises:
        OSError, sqlite3.Error: a file cannot be read or written; ``out`` is not left behind.
    """
    os.close(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE))
    try:
        uri = f"{source.absolute().as_uri()}?mode=ro"
        with (
            contextlib.closing(sqlite3.connect(uri, uri=True, timeout=20)) as old,
            contextlib.closing(sqlite3.connect(out)) as new,
        ):
            old.backup(new)
            new.execute("PRAGMA journal_mode=DELETE").close()  # the copy is this file only, without a journal
        with out.open("rb+") as file:
            os.fsync(file.fileno())
    except BaseException:
        out.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def whole(out: Path) -> Iterator[Path]:
    """A file that gets its name only when it is complete; what a killed program leaves is deleted with older copies.

    Args:
        out: the file.

    Yields:
        The file to write, which must not exist yet.
    """
    part = out.with_name(f"{out.name}{_PART}")
    try:
        yield part
        part.rename(out)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def new_name(path: Path, why: str) -> Path:
    """The file for a new copy.

    Args:
        path: of the database.
        why: such as "0005-to-0007" or "restore".
    """
    return path.with_name(f"before-{why}-{datetime.now():%Y%m%d-%H%M%S-%f}{_suffix(path)}.db")


def copies_of(path: Path) -> list[Path]:
    """The copies of a database that lie beside it, newest first."""
    return _named(path, path.parent.glob("before-*.db"), "")


def parts_of(path: Path) -> list[Path]:
    """Copies that a killed program did not complete, and their journals.

    Nobody writes one now: whoever does locks the database.
    """
    ends = (_PART, f"{_PART}-journal")
    return [file for end in ends for file in _named(path, path.parent.glob(f"before-*.db{end}"), end)]


def thin_out(path: Path, parts: bool = True) -> None:
    """Delete the copies made before earlier changes of the tables, except the latest ``KEPT``.

    Args:
        path: of the database.
        parts: also those that a killed program did not complete; False while another program may write one.
    """
    made = [file for file in copies_of(path) if not file.name.startswith("before-restore-")]
    for file in [*made[KEPT:], *(parts_of(path) if parts else [])]:
        _delete(file)


def erase_in_copies(path: Path, removed: Iterable[tuple[str, int]], installation: str) -> None:
    """Erase from the copies beside a database what was erased from it.

    Lessons and photos are erased as rows. Anything else (a student, a class, a portrait) deletes the copies, because
    a name may stand in many of their texts. A file that cannot be changed or deleted is named in the log.

    Args:
        path: of the database.
        removed: kind and number of the rows that were erased; empty if the erasure was of another kind.
        installation: of the database. A copy of another installation is left alone.
    """
    removed = list(removed)
    rows = [(_ROWS[kind], number) for kind, number in removed if kind in _ROWS]
    for file in parts_of(path):
        _delete(file)
    for file in copies_of(path):
        if _is_foreign(file, installation):
            continue
        if not rows or len(rows) != len(removed) or not _erase_rows(file, rows):
            _delete(file)


def forget_all(path: Path) -> None:
    """Delete all copies of a database, because they were made before it was encrypted.

    Raises:
        StoreError: one of them could not be deleted.
    """
    for copy in [*copies_of(path), *parts_of(path)]:
        try:
            copy.unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(
                later(
                    "The copy {copy} was made before the encryption and could not be deleted ({reason}). Delete it "
                    "yourself.",
                    copy=copy,
                    reason=reason_of(error),
                )
            ) from error


def put_back(path: Path, copy: Path, version: str) -> None:
    """Make a database again what it was before its tables were changed, if it is not that already.

    Args:
        path: of the database; no program is in a transaction with it.
        copy: made before the change.
        version: number of the newest migration then.

    Raises:
        OSError, sqlite3.Error: the copy could not be put back.
    """
    with contextlib.closing(sqlite3.connect(path, timeout=20)) as there:
        with contextlib.suppress(sqlite3.DatabaseError):
            found = there.execute("SELECT version_num FROM alembic_version").fetchall()
            if found == [(version,)] and there.execute("PRAGMA quick_check(1)").fetchall() == [("ok",)]:
                return
        with contextlib.closing(sqlite3.connect(f"{copy.absolute().as_uri()}?mode=ro", uri=True)) as old:
            old.backup(there)


def _named(path: Path, files: Iterable[Path], end: str) -> list[Path]:
    """Those files that belong to a database, newest first; their names go on with ``end``."""
    found = []
    for file in files:
        match = _NAME.fullmatch(file.name.removesuffix(end))
        if match is not None and (match[3] or "") == _suffix(path):
            found.append((match[2], file))
    return [file for _, file in sorted(found, reverse=True)]


def _suffix(path: Path) -> str:
    """Several databases may lie in one folder, so a copy names the one that it belongs to, except the usual one."""
    return "" if path.name == _DEFAULT else f"-{path.name}"


def _is_foreign(file: Path, installation: str) -> bool:
    try:
        with contextlib.closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            return connection.execute("SELECT id FROM installation").fetchall() != [(installation,)]
    except sqlite3.Error:  # older than the table of the installation, so it was made here
        return False


def _erase_rows(file: Path, rows: Iterable[tuple[str, int]]) -> bool:
    try:
        with contextlib.closing(sqlite3.connect(file)) as connection:
            for pragma in ("foreign_keys=ON", "secure_delete=ON"):
                connection.execute(f"PRAGMA {pragma}").close()
            with connection:
                for table, number in rows:
                    connection.execute(f"DELETE FROM {table} WHERE id = ?", [number])  # nosec B608: names of our own tables
            connection.execute("VACUUM").close()
        return True
    except sqlite3.Error:
        return False


def _delete(file: Path) -> None:
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        logger.warning(
            "The copy %s holds what was erased, and could not be deleted (%s). Delete it yourself.",
            file,
            error.strerror or error,
        )
