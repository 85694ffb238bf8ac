"""Writes files that are on the disk when that is said, and deletes files whose bytes must vanish."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from fewshot.private_files import FILE, HAS_MODES, open_fresh


def write_through(path: Path, data: bytes) -> None:
    """Write a file for its owner only that is on the disk, complete, when this returns."""
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
    sync(path.parent)


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
