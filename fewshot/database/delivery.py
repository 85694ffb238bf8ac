"""Puts a managed backup where it belongs: on a disk that may be away, full, slow or faulty, or not answer at all.

The file appears there as a whole and is read again before it replaces the older one. Nothing else is ever replaced: a
foreign file, the backup of another installation, or one that is newer than the database.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import stat
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, TypeVar

from fewshot.database.managed_list import Place
from fewshot.errors import FewshotError
from fewshot.private_files import open_fresh
from fewshot.vault.container import MAGIC_MANAGED, Header, read_header
from fewshot.vault.durable import sync

PATIENCE = 15.0
"""Seconds without progress after which a disk or a network counts as one that does not answer."""

_PART = 1 << 20
"""Bytes between two signs of progress; each part is on the disk before the next one."""

T = TypeVar("T")
Tick = Callable[[], None]


class NotWritten(Exception):
    """A managed backup could not be written; ``why`` and ``detail`` as in ``Place``."""

    def __init__(self, why: str, detail: str = "") -> None:
        super().__init__(why, detail)
        self.why, self.detail = why, detail


def deliver(sealed: Path, place: Place, header: Header) -> None:
    """Write a backup to its place, and check it there.

    Args:
        sealed: the backup, on a disk of this computer.
        place: where it belongs.
        header: of the backup.

    Raises:
        NotWritten: what is at the place is as before.
    """
    try:
        within(lambda tick: _write(sealed, place, header, tick))
    except TimeoutError as error:
        raise NotWritten("silent") from error
    except (OSError, ValueError) as error:
        raise NotWritten("failed", getattr(error, "strerror", None) or str(error)) from error


def within(act: Callable[[Tick], T], patience: float | None = None) -> T:
    """Do something that a dead network disk would keep waiting for ever.

    Args:
        act: what to do; it calls its argument from time to time, which ends it if nobody waits any more.
        patience: seconds between two calls; None is ``PATIENCE``.

    Raises:
        TimeoutError: it took longer. What was begun goes on until the next call.
    """
    found: list[T] = []
    failed: list[BaseException] = []
    wait, seen, left = PATIENCE if patience is None else patience, [time.monotonic()], threading.Event()

    def tick() -> None:
        if left.is_set():
            raise TimeoutError
        seen[0] = time.monotonic()

    def work() -> None:
        try:
            found.append(act(tick))
        except BaseException as error:
            failed.append(error)

    # A daemon, because the interpreter waits for all other threads when it ends.
    thread = threading.Thread(target=work, name="fewshot managed backup", daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(0.5)
        if thread.is_alive() and time.monotonic() - seen[0] > wait:
            left.set()
            raise TimeoutError
    if failed:
        raise failed[0]
    return found[0]


def refuse_foreign(place: Place, header: Header) -> None:
    """Check that nothing would be replaced but an older backup of the same database.

    Raises:
        NotWritten: something else is there, or the disk seems to be away.
        OSError: it cannot be seen what is there.
    """
    if not place.file.parent.is_dir():
        raise NotWritten("folder")
    try:
        found = place.file.lstat()
    except FileNotFoundError:
        if place.written:
            # The disk may be away, and its folder still there: then this would be written to another disk.
            raise NotWritten("gone") from None
        return
    if stat.S_ISLNK(found.st_mode):
        raise NotWritten("link")
    if not stat.S_ISREG(found.st_mode):
        raise NotWritten("foreign")
    if not found.st_size:
        return
    try:
        there = read_header(place.file)
    except FewshotError:
        if place.written and _begins_like_one(place.file):
            return  # ours, and damaged
        raise NotWritten("foreign") from None
    if there.managed is None:
        raise NotWritten("foreign")
    if there.installation != header.installation:
        raise NotWritten("other")
    if header.managed is None or there.managed["line"] > header.managed["line"]:
        raise NotWritten("newer")


def _write(sealed: Path, place: Place, header: Header, tick: Tick) -> None:
    refuse_foreign(place, header)
    tick()
    folder, size = place.file.parent, sealed.stat().st_size
    mark = f".fewshot-{hashlib.sha256(os.fsencode(place.file.name)).hexdigest()[:16]}"
    for left in folder.glob(f"{mark}-*.new"):  # of programs that were killed
        with suppress(OSError):
            left.unlink()
    if shutil.disk_usage(folder).free < size:
        raise NotWritten("space", f"{size / 1e6:.1f}")
    new = folder / f"{mark}-{secrets.token_hex(8)}.new"
    try:
        with sealed.open("rb") as source, open_fresh(new) as target:
            written = _copy(source, target, tick)
            _drop_from_memory(target)
        with new.open("rb") as file:
            if _digest(file, tick) != written:
                raise NotWritten("check")
        refuse_foreign(place, header)
        tick()
        new.replace(place.file)
    finally:
        with suppress(OSError):
            new.unlink(missing_ok=True)
    sync(folder)


def _copy(source: IO[bytes], target: IO[bytes], tick: Tick) -> str:
    found = hashlib.sha256()
    while part := source.read(_PART):
        target.write(part)
        target.flush()
        os.fsync(target.fileno())
        found.update(part)
        tick()
    return found.hexdigest()


def _drop_from_memory(file: IO[bytes]) -> None:
    """Let the next reader read from the disk, so that its check is one."""
    if hasattr(os, "posix_fadvise"):
        with suppress(OSError):
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _digest(file: IO[bytes], tick: Tick) -> str:
    found = hashlib.sha256()
    while part := file.read(_PART):
        found.update(part)
        tick()
    return found.hexdigest()


def _begins_like_one(file: Path) -> bool:
    with file.open("rb") as opened:
        return opened.read(len(MAGIC_MANAGED)) == MAGIC_MANAGED
