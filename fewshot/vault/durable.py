"""Writes files that are on the disk when that is said, and deletes files whose bytes must vanish."""

from __future__ import annotations

import glob
import os
import re
from contextlib import suppress
from pathlib import Path

from fewshot.models.lock import runs
from fewshot.private_files import FILE, HAS_MODES, open_fresh

_HALF = re.compile(r"\.\d{1,18}")
"""The number of the process that writes a file, as a suffix of its name before it has the right one."""


def write_through(path: Path, data: bytes) -> None:
    """Write a file for its owner only that is on the disk, complete, when this returns.

    What killed programs have left of it is deleted: it may hold what was erased since.
    """
    new = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        with open_fresh(new) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    finally:
        with suppress(OSError):
            new.unlink(missing_ok=True)
    forget_halves(path)
    sync(path.parent)


def forget_halves(path: Path) -> None:
    """Delete the files that ``write_through`` was writing to this path in programs that were killed."""
    for half in halves_of(path.parent, glob.escape(path.name)):
        pid = half.name.rsplit(".", 2)[1]
        with suppress(OSError):
            if not runs(int(pid)):
                shred(half)


def halves_of(folder: Path, pattern: str) -> list[Path]:
    """The files that ``write_through`` writes to before they get a name that fits a pattern."""
    return [file for file in folder.glob(f"{pattern}.*.new") if _HALF.fullmatch(file.suffixes[-2])]


def shred(file: Path) -> None:
    """Overwrite and delete a file. On flash and copy-on-write disks older blocks may stay, which the receipt says."""
    with suppress(OSError):
        file.chmod(FILE)  # somebody may have taken the right to write away, to protect it
    with file.open("rb+") as opened:
        size = opened.seek(0, os.SEEK_END)
        opened.seek(0)
        opened.write(b"0" * size)
        opened.flush()
        os.fsync(opened.fileno())
    file.unlink()
    sync(file.parent)


def sync(folder: Path) -> None:
    """Let a folder remember its files when the power fails."""
    if HAS_MODES:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            with suppress(OSError):  # some network disks cannot do it for a folder
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
