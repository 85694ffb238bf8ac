"""What is wrong with a database, as sentences for users."""

from __future__ import annotations

import shutil
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from fewshot.database.row_check import RowChanged
from fewshot.errors import StoreError
from fewshot.translation import Later, later
from fewshot.vault.cipher import NotSealedHere

_LITTLE = 1_000_000
"""Bytes of free space below which a failed write is blamed on the disk."""


class DiskFull(StoreError):
    """A change could not be saved, because the disk has no space left. What is stored can still be read."""


class ErasurePending(StoreError):
    """Rows were deleted, but their bytes are still in the file, because another program reads it.

    Attributes:
        also: what else was changed by the removal of a student, as a sentence; "" if nothing was.
    """

    also = ""


def reason_of(error: SQLAlchemyError) -> str:
    """The first line of what the driver says; translated where it is shown, if it is known."""
    return Later(str(getattr(error, "orig", None) or error).split("\n", maxsplit=1)[0])


def of_a_value(error: BaseException) -> bool:
    """Whether an error comes from the conversion of a stored value, such as a date, not from a caller's own code."""
    if isinstance(error, NotSealedHere | RowChanged):
        return True
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    module = "" if place is None else str(place.tb_frame.f_globals.get("__name__", ""))
    # "connecting": the driver cannot even read the text of its own error, because it quotes the damaged bytes.
    return module.startswith(
        ("sqlalchemy.", "json.", "fewshot.database.columns", "fewshot.database.connecting", "fewshot.vault.cipher")
    )


def unusable(url: str, reason: str, path: Path | None = None) -> StoreError:
    """The error for a database that cannot be read or written now.

    Args:
        url: address without a password.
        reason: what the driver said.
        path: the database's file; None if it is not a file.
    """
    if any(sign in reason for sign in ("malformed", "not a database", "disk image", "no such table", "no such column")):
        return damaged(url, reason)
    if path is not None and ("full" in reason or ("disk I/O" in reason and _is_full(path))):
        return full_disk(url, path, reason)
    if "://" in url and not url.startswith("sqlite"):
        return _unusable_server(url, reason)
    if "readonly" in reason or "read-only" in reason:
        return read_only(url, path)
    if path is None and "full" in reason:
        return StoreError(
            later("The memory for this store is used up ({reason}), so nothing more is kept in it.", reason=reason)
        )
    return StoreError(
        later(
            "The database {database} cannot be used ({reason}). Data saved before is not affected. Check that its "
            "folder exists, has free space and may be written to, and that no other program locks the database.",
            database=url,
            reason=reason,
        )
    )


def _unusable_server(url: str, reason: str) -> StoreError:
    if "permission denied" in reason:
        return StoreError(
            later(
                "The account of the database {database} may not do that ({reason}). Data saved before is not "
                "affected. Ask the owner of its tables, or an administrator of the server, for the right, or use the "
                "account that owns them.",
                database=url,
                reason=reason,
            )
        )
    return StoreError(
        later(
            "The database {database} cannot be used ({reason}). Data saved before is not affected. Check that "
            "its server runs, can be reached from here and has free space, then try again.",
            database=url,
            reason=reason,
        )
    )


def read_only(url: str, path: Path | None) -> StoreError:
    """The error for a change of a database that may only be read."""
    what = later("the file {path} and its folder", path=path) if path is not None else later("it")
    return StoreError(
        later(
            "The database {database} cannot be written to, so nothing can be enrolled, recorded or removed. It was not "
            "changed. Give your account the right to write to {what}, or start fewshot with FEWSHOT_HOME set to a "
            "folder where you may write.",
            database=url,
            what=what,
        )
    )


def damaged(url: str, reason: str) -> StoreError:
    """The error for a database whose file is damaged."""
    return StoreError(
        later(
            "The database {database} is damaged ({reason}). It was not changed. Restore it from a backup, or move "
            "the file to another folder and enroll again.",
            database=url,
            reason=reason,
        )
    )


def full_disk(url: str, path: Path, reason: str) -> DiskFull:
    """The error for a change on a disk that has no space left. Reading still works."""
    needed = 2 + 2 * _size(path) // 1_000_000
    return DiskFull(
        later(
            "Nothing was changed or removed, because the disk of the database {database} is full ({reason}). What "
            "is stored there can still be read. A change or a removal needs about {needed} MB of free space on "
            "this disk: delete or move other files, then try again.",
            database=url,
            reason=reason,
            needed=needed,
        )
    )


def empty_file(path: Path) -> StoreError:
    """The error for a file that should hold a database, and holds nothing."""
    return StoreError(
        later(
            "The database {path} is empty, so it is damaged: it should hold the tables of all classes and lessons. "
            "It was not changed. Put a backup of this file in its place. If there is no backup, delete the file "
            "and start again: fewshot then creates a new database, and all students must be enrolled again.",
            path=path,
        )
    )


def missing_file(path: Path) -> StoreError:
    """The error for a database whose file was there, and is not any more."""
    return StoreError(
        later(
            "The database {path} is missing: the file was moved or deleted while fewshot was using it. Put the "
            "file or a backup of it back, and start fewshot again.",
            path=path,
        )
    )


def lost_file(path: Path, journal: Path) -> StoreError:
    """The error for a database whose file is gone while its journal is still there."""
    return StoreError(
        later(
            "The database {path} is missing, but its journal {journal} is still in the folder, so the file was "
            "moved or deleted by another program. Put the file or a backup of it back. If it is lost, delete the "
            "journal too and start again: fewshot then creates a new database.",
            path=path,
            journal=journal.name,
        )
    )


def foreign_file(url: str, tables: list[str]) -> StoreError:
    """The error for a database that fewshot did not make, or whose own version is lost."""
    shown = ", ".join(sorted(tables)[:5])
    return StoreError(
        later(
            "The database {database} does not say which version of fewshot made it: it has tables ({found}), "
            "but not the table alembic_version. It was not changed. If it belongs to another program, give another "
            "file in FEWSHOT_DATABASE. If it is the database of fewshot, it is damaged: put a backup of the file "
            "in its place.",
            database=url,
            found=shown,
        )
    )


def unknown_version(url: str, versions: list[object], head: str) -> StoreError:
    """The error for a table of versions that no version of fewshot writes."""
    shown = " and ".join(repr(version) for version in versions) or "nothing"
    return StoreError(
        later(
            "The database {database} is damaged: the version of its tables is {found}, and a number from 0001 "
            "to {head} was expected. It was not changed. Put a backup of the file in its place, or move the file "
            "to another folder and enroll again.",
            database=url,
            found=shown,
            head=head,
        )
    )


def _is_full(path: Path) -> bool:
    try:
        return shutil.disk_usage(path.parent).free < _LITTLE
    except OSError:
        return False


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
