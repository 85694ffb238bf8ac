"""Keeps what browsers send on the disk: Streamlit would hold every upload in memory until its tab is closed."""

from __future__ import annotations

import threading
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fewshot.errors import reason_of
from fewshot.private_files import write_private
from fewshot.session.temporary import TemporaryFolder
from fewshot.translation import tr

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile, UploadedFileRec

Key = tuple[str, str]
"""Number of a tab, number of a file in it. The browser chooses both, so neither becomes the name of a file."""


class DiskUploads:
    """Takes the bytes of every upload out of Streamlit's memory as soon as it has arrived.

    Args:
        manager: Streamlit's ``MemoryUploadedFileManager``. Its methods are replaced; it keeps names and types.
    """

    def __init__(self, manager: Any) -> None:
        # Windows cannot delete a file that is still read; a later start does.
        self._folder = TemporaryFolder("upload", ignore_cleanup_errors=True)
        self._paths: dict[Key, Path] = {}
        self._numbers, self._lock = count(), threading.Lock()
        self._add, self._remove, self._end = manager.add_file, manager.remove_file, manager.remove_session_files
        manager.add_file, manager.remove_file, manager.remove_session_files = self.add, self.remove, self.end

    def add(self, session_id: str, file: UploadedFileRec) -> None:
        """Keep one file that has arrived.

        Raises:
            HTTPException: it cannot be written; the browser shows that the upload has failed.
        """
        path = Path(self._folder.name) / str(next(self._numbers))
        try:
            write_private(path, file.data)
        except OSError as error:
            from starlette.exceptions import HTTPException

            path.unlink(missing_ok=True)
            words = tr(
                "The disk of the app's computer does not take the file ({reason}). Make free space on it.",
                reason=reason_of(error),
            )
            raise HTTPException(507, words) from error
        self._forget((session_id, file.file_id))
        with self._lock:
            self._paths[session_id, file.file_id] = path
        self._add(session_id, file._replace(data=b""))

    def remove(self, session_id: str, file_id: str) -> None:
        """Delete one file, which somebody has taken out of its field."""
        self._remove(session_id, file_id)
        self._forget((session_id, file_id))

    def end(self, session_id: str) -> None:
        """Delete all files of a tab that was closed."""
        self._end(session_id)
        for key in [key for key in list(self._paths) if key[0] == session_id]:
            self._forget(key)

    def path(self, session_id: str, file_id: str) -> Path | None:
        """Where a file lies; None if it is not here."""
        return self._paths.get((session_id, file_id))

    def close(self) -> None:
        """Delete everything."""
        self._folder.cleanup()

    def _forget(self, key: Key) -> None:
        with self._lock:
            path = self._paths.pop(key, None)
        if path is not None:
            path.unlink(missing_ok=True)


_open: list[DiskUploads] = []
"""Of this process's server; none in a test of a page."""


def keep_on_disk() -> DiskUploads:
    """Begin with it: for the server of this process, once it runs. ``close`` ends it."""
    from streamlit.runtime import Runtime

    _open.append(DiskUploads(Runtime.instance().uploaded_file_mgr))
    return _open[-1]


def content(file: UploadedFile) -> bytes | Path:
    """What was uploaded: the file on the disk, or its bytes where no server keeps it there."""
    from streamlit.runtime.scriptrunner import get_script_run_ctx

    context = get_script_run_ctx()
    for uploads in _open:
        if context is not None and (path := uploads.path(context.session_id, file.file_id)) is not None:
            return path
    return file.getvalue()
