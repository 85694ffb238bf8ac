"""The file of a database: it appears only when it is complete, and only its owner may open it."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from fewshot.database.words import empty_file, lost_file, missing_file, unusable
from fewshot.errors import StoreError, reason_of
from fewshot.private_files import FILE, make_private_folder, tighten
from fewshot.translation import later

logger = logging.getLogger(__name__)


def make_folder(folder: Path) -> None:
    """Create the folder of a database, for its owner only.

    Raises:
        StoreError: it cannot be created.
    """
    try:
        make_private_folder(folder)
    except OSError as error:
        raise StoreError(
            later(
                "The folder {folder} could not be created ({reason}). Choose a folder where you may write. To move "
                "the program's own folder, set FEWSHOT_HOME.",
                folder=folder,
                reason=reason_of(error),
            )
        ) from error


def make_ready(path: Path, fill: Callable[[Path], None]) -> None:
    """Create the file of a database if it does not exist.

    Args:
        path: of the file.
        fill: makes the tables in another file, which then gets the right name. So a file without tables is never ours.

    Raises:
        StoreError: the file is lost, or cannot be created.
    """
    try:
        if path.exists():
            return
        journal = path.with_name(f"{path.name}-wal")
        if journal.exists() and journal.stat().st_size > 0:
            raise lost_file(path, journal)
        _make(path, fill)
    except OSError as error:
        raise unusable(str(path), reason_of(error), path) from error


def check_content(path: Path) -> None:
    """Check that there is something in the file of a database.

    Raises:
        StoreError: the file is empty or missing.
    """
    try:
        if path.stat().st_size == 0:
            raise empty_file(path)
    except FileNotFoundError as error:
        raise missing_file(path) from error
    except OSError as error:
        raise unusable(str(path), reason_of(error), path) from error


def protect(path: Path) -> None:
    """Close a database to other users of this computer, with its journals and with copies beside it; log what fails."""
    for said in tighten(sorted(path.parent.glob(f"{_plain(path.name)}*"))):
        logger.warning(said)


def _make(path: Path, fill: Callable[[Path], None]) -> None:
    new = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}.new")
    os.close(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE))
    try:
        fill(new)
        with suppress(FileExistsError):  # another program was faster; its database is as good
            _give_name(new, path)
    finally:
        for rest in ("", "-wal", "-shm"):
            with suppress(OSError):
                new.with_name(new.name + rest).unlink()


def _give_name(new: Path, path: Path) -> None:
    """Let ``new`` be called ``path``, unless there is such a file."""
    try:
        os.link(new, path)
    except FileExistsError:
        raise
    except OSError:  # a disk without links
        if path.exists():
            raise FileExistsError(path) from None
        new.rename(path)


def _plain(name: str) -> str:
    """A file's name as a pattern that matches only itself."""
    return "".join(f"[{letter}]" if letter in "[*?" else letter for letter in name)
