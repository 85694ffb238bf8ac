"""Keeps what browsers send on the disk: Streamlit would hold every upload in memory until its tab is closed."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import threading
from collections import Counter
from collections.abc import Hashable, Iterable
from contextlib import suppress
from contextvars import ContextVar
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fewshot.errors import FewshotError, reason_of
from fewshot.private_files import open_private
from fewshot.session.temporary import TemporaryFolder
from fewshot.translation import later

if TYPE_CHECKING:
    from starlette.exceptions import HTTPException
    from streamlit.runtime.uploaded_file_manager import UploadedFile, UploadedFileRec

Key = tuple[str, str]
"""Number of a tab, number of a file in it. The browser chooses both, so neither becomes the name of a file."""
MEGABYTE = 1 << 20
MOST_TOGETHER = 4_000
"""MB of all files of one teacher that wait: eight of the largest ones."""
MOST_FILES = 20_000
"""Of one teacher that wait."""
_SPARED, _SMALL = 256 * MEGABYTE, 20
"""Bytes that uploads leave free on the disk, where lessons may be recorded too; of a small disk, a twentieth."""

_CLOSED = 410
"""Status of an answer that nobody reads."""

logger = logging.getLogger(__name__)


class NotKept(FewshotError):
    """A file is not kept.

    Args:
        text: why, for the person who sent it.
        status: of the answer to the browser.
    """

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.status = status


class Arrival:
    """One file on its way to the disk, into a new file of its own. ``DiskUploads.drop`` must end it.

    Args:
        uploads: where it is kept.
        key: which file of which tab it is.
        owner: whose it is.
        expected: bytes that the browser has announced, for which room is kept; 0 if it has announced none.

    Raises:
        NotKept: there is no room for it.
    """

    def __init__(self, uploads: DiskUploads, key: Key, owner: Hashable, expected: int = 0) -> None:
        self.key, self.owner, self.ended = key, owner, False
        self.size = self.reserved = 0
        self._uploads, self.path = uploads, uploads.new_path()
        uploads.reserve(self, expected)
        try:
            self._file = open_private(self.path)
        except OSError as error:
            uploads.forget_arrival(self)
            raise _unwritable(error) from error

    def write(self, data: bytes | bytearray) -> None:
        """Append bytes.

        Raises:
            NotKept: there is no room for them, or the tab was closed meanwhile.
        """
        if self.ended:
            raise _closed()
        self._uploads.reserve(self, self.size + len(data))
        try:
            self._file.write(data)
        except OSError as error:
            raise _unwritable(error) from error
        self.size += len(data)

    def close(self) -> None:
        """Close the file after its last byte.

        Raises:
            NotKept: the disk does not take the last bytes.
        """
        try:
            self._file.close()
        except OSError as error:
            raise _unwritable(error) from error

    def delete(self) -> None:
        """Close and delete the file."""
        with suppress(OSError):  # the disk is full
            self._file.close()
        with suppress(PermissionError):  # Windows, while it is read: it goes with the folder
            self.path.unlink(missing_ok=True)


ARRIVAL: ContextVar[Arrival | None] = ContextVar("arrival", default=None)
"""The file of the request that is being answered, whose bytes are on the disk already."""


class DiskUploads:
    """Keeps the bytes of every upload on the disk, and out of Streamlit's memory.

    Args:
        manager: Streamlit's ``MemoryUploadedFileManager``. Its methods are replaced; it keeps names and types.
    """

    def __init__(self, manager: Any) -> None:
        # Windows cannot delete a file that is still read; a later start does.
        self._folder = TemporaryFolder("upload", ignore_cleanup_errors=True)
        self._kept: dict[Key, Arrival] = {}
        self._arriving: set[Arrival] = set()
        self._bytes: Counter[Hashable] = Counter()
        self._files: Counter[Hashable] = Counter()
        self._problems: dict[str, str] = {}
        self._numbers, self._lock = count(), threading.Lock()
        self._add, self._remove, self._end = manager.add_file, manager.remove_file, manager.remove_session_files
        manager.add_file, manager.remove_file, manager.remove_session_files = self.add, self.remove, self.end

    def new_path(self) -> Path:
        """Where the next file lies."""
        return Path(self._folder.name) / str(next(self._numbers))

    def reserve(self, arrival: Arrival, size: int) -> None:
        """Make sure that a file may have ``size`` bytes.

        Raises:
            NotKept: the disk, or what one teacher may send, has no room for them.
        """
        owner = arrival.owner
        with self._lock:
            more, files = max(0, size - arrival.reserved), self._files[owner] + (arrival not in self._arriving)
            if files > MOST_FILES or self._bytes[owner] + more > MOST_TOGETHER * MEGABYTE:
                raise NotKept(
                    later(
                        "Too many uploaded files wait: more than {most} MB, or {files} files. Take some out of their "
                        "fields.",
                        most=f"{MOST_TOGETHER:,}",
                        files=f"{MOST_FILES:,}",
                    ),
                    413,
                )
            disk = shutil.disk_usage(self._folder.name)
            if disk.free - max(0, size - arrival.size) < min(_SPARED, disk.total // _SMALL):
                raise _unwritable(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
            self._arriving.add(arrival)
            self._files[owner], arrival.reserved = files, arrival.reserved + more
            self._bytes[owner] += more

    def forget_arrival(self, arrival: Arrival) -> bool:
        """Give back the room of a file that does not arrive any more. Returns whether it had any."""
        with self._lock:
            if arrival not in self._arriving:
                return False
            self._arriving.discard(arrival)
            self._give_back(arrival)
            return True

    def drop(self, arrival: Arrival) -> None:
        """End an arrival: a file that was not kept is deleted."""
        if self.forget_arrival(arrival):
            arrival.delete()

    def add(self, session_id: str, file: UploadedFileRec) -> None:
        """Keep one file that has arrived.

        Raises:
            HTTPException: it cannot be written; the browser shows that the upload has failed.
        """
        key, arrival = (session_id, file.file_id), ARRIVAL.get()
        if arrival is not None and arrival.key != key:
            arrival = None
        try:
            if arrival is None:
                arrival = Arrival(self, key, None, len(file.data))
                arrival.write(file.data)
            arrival.close()
            if arrival.ended:
                raise _closed()
        except NotKept as error:
            if arrival is not None:
                self.drop(arrival)
            raise self.refused(session_id, error) from error
        self._forget(key)
        with self._lock:
            self._arriving.discard(arrival)
            self._bytes[arrival.owner] -= arrival.reserved - arrival.size
            arrival.reserved = arrival.size
            self._kept[key] = arrival
        self._add(session_id, file._replace(data=b""))

    def remove(self, session_id: str, file_id: str) -> None:
        """Delete one file, which somebody has taken out of its field."""
        self._remove(session_id, file_id)
        self._forget((session_id, file_id))

    def end(self, session_id: str) -> None:
        """Delete all files of a tab that was closed, and those that still arrive from it."""
        self._end(session_id)
        with self._lock:
            self._problems.pop(session_id, None)
            for arrival in self._arriving:
                arrival.ended |= arrival.key[0] == session_id
            keys = [key for key in self._kept if key[0] == session_id]
        for key in keys:
            self._forget(key)

    def path(self, session_id: str, file_id: str) -> Path | None:
        """Where a file lies; None if it is not here."""
        kept = self._kept.get((session_id, file_id))
        return None if kept is None else kept.path

    def refused(self, session_id: str, error: NotKept) -> HTTPException:
        """What answers the browser. The tab is drawn again and says why, because Streamlit only shows a number."""
        from starlette.exceptions import HTTPException

        if error.status != _CLOSED:
            with self._lock:
                self._problems[session_id] = error.text
            _draw_again(session_id)
        # The rest of the file must not be read only to keep the connection.
        return HTTPException(error.status, str(error), {"Connection": "close"})

    def problem(self, session_id: str) -> str:
        """Why a file of this tab was refused since this was asked for last; "" if none was."""
        with self._lock:
            return self._problems.pop(session_id, "")

    def close(self) -> None:
        """Delete everything."""
        if self in _open:
            _open.remove(self)
        self._folder.cleanup()

    def _forget(self, key: Key) -> None:
        with self._lock:
            kept = self._kept.pop(key, None)
            if kept is not None:
                self._give_back(kept)
        if kept is not None:
            kept.delete()

    def _give_back(self, arrival: Arrival) -> None:
        self._bytes[arrival.owner] -= arrival.reserved
        self._files[arrival.owner] -= 1
        if not self._files[arrival.owner]:
            del self._files[arrival.owner], self._bytes[arrival.owner]
        arrival.reserved = 0


def _unwritable(error: OSError) -> NotKept:
    return NotKept(
        later(
            "The disk of the app's computer does not take the file ({reason}). Make free space on it.",
            reason=reason_of(error),
        ),
        507,
    )


def _closed() -> NotKept:
    return NotKept("The tab was closed while a file was uploaded.", _CLOSED)


def _draw_again(session_id: str) -> None:
    """Run the page of a tab again. Streamlit has no public way; without one the words come with the next click."""
    from streamlit.runtime import Runtime

    try:
        found: Any = Runtime.instance()._session_mgr.get_active_session_info(session_id) if Runtime.exists() else None
        if found is not None:
            state = type(found.session._client_state)()
            state.CopyFrom(found.session._client_state)  # without it, the first page would come
            state.fragment_id = ""
            found.session.request_rerun(state)
    except AttributeError:
        logger.exception("this version of Streamlit does not let a page be drawn again from outside")


_open: list[DiskUploads] = []
"""Of this process's server; none in a test of a page."""


def keep_on_disk() -> DiskUploads:
    """Begin with it: for the server of this process, once it runs. ``close`` ends it."""
    from streamlit.runtime import Runtime

    _open.append(DiskUploads(Runtime.instance().uploaded_file_mgr))
    return _open[-1]


def served() -> DiskUploads | None:
    """Of the server of this process; None before it runs, and in a test of a page."""
    return _open[-1] if _open else None


def content(file: UploadedFile) -> bytes | Path:
    """What was uploaded: the file on the disk, or its bytes where no server keeps it there."""
    uploads, tab = served(), _tab()
    path = uploads.path(tab, file.file_id) if uploads is not None else None
    return file.getvalue() if path is None else path


def forget(files: Iterable[UploadedFile]) -> None:
    """Delete files of the tab that is being drawn, because they are used up."""
    uploads = served()
    if uploads is not None:
        for file in files:
            uploads.remove(_tab(), file.file_id)


def problem() -> str:
    """Why a file of the tab that is being drawn was refused; "" if none was, or if that was said already."""
    uploads = served()
    return "" if uploads is None else uploads.problem(_tab())


def _tab() -> str:
    from streamlit.runtime.scriptrunner import get_script_run_ctx

    context = get_script_run_ctx()
    return "" if context is None else context.session_id
