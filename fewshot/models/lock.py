"""Lets one process at a time work on a folder; the others wait."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fewshot.private_files import make_private_folder


@contextmanager
def one_process(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder, in a file ``FOLDER.lock`` beside it. The system takes it back when the process ends.

    If the folder cannot be written to, or its file system has no locks, there is nothing to protect or to wait for.
    """
    descriptor = None
    with suppress(OSError):
        make_private_folder(folder.parent)
        descriptor = os.open(folder.with_name(f"{folder.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    if descriptor is None:
        yield
        return
    try:
        with suppress(OSError):
            take(descriptor, wait=True)
        yield
    finally:
        os.close(descriptor)


def runs(pid: int) -> bool:
    """Whether a process with this number runs on this computer; it may be a later one that got the same number."""
    if sys.platform == "win32":
        import psutil

        return psutil.pid_exists(pid)
    try:
        os.kill(pid, 0)  # sends nothing
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        pass
    return True


def take(descriptor: int, wait: bool = False) -> None:
    """Lock an open file; another process that holds it is waited for, or is an error at once.

    Raises:
        BlockingIOError, PermissionError: another process holds it, and ``wait`` is False.
        OSError: the file system has no locks.
    """
    if sys.platform == "win32":
        import msvcrt

        # Far behind what is written in the file: other processes cannot read what is locked.
        os.lseek(descriptor, 1 << 30, os.SEEK_SET)
        while True:
            try:
                msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
                return
            except PermissionError:
                if not wait:
                    raise
                time.sleep(0.1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
