"""What a browser may send to the demo, also one that is not asked for anything: Streamlit takes uploads at any time."""

from __future__ import annotations

import io
import os
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from PIL import Image

from fewshot.app.hosted.visitors import VISITORS
from fewshot.errors import FewshotError, UsageError
from fewshot.models.files import home
from fewshot.session.temporary import TemporaryFolder
from fewshot.translation import tr
from fewshot.types import Frame

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile, UploadedFileRec

MOST_MEGABYTES = 4
"""Of one uploaded file."""
MOST_FILES = 3
"""That wait for one tab at the same time."""
MOST_WAITING = 24
"""That wait for all tabs together."""
MOST_PIXELS = 16_000_000
"""Of one picture: those of most phones have 12 million."""
FORMATS = ("JPEG", "PNG", "WEBP")

_turn = threading.Lock()
"""One picture at a time: a large one needs 50 MB while it is decoded."""


class FewUploads:
    """Refuses uploads beyond a few files, for each tab and for all of them.

    Args:
        manager: Streamlit's ``MemoryUploadedFileManager``. Its method ``add_file`` is replaced.
    """

    def __init__(self, manager: Any) -> None:
        self._manager, self._add, self._lock = manager, manager.add_file, threading.Lock()
        manager.add_file = self.add

    def add(self, session_id: str, file: UploadedFileRec) -> None:
        """Keep one file that has arrived.

        Raises:
            HTTPException: too many files wait already; the browser shows that the upload has failed.
        """
        with self._lock:
            kept = self._manager.file_storage
            mine = {*kept.get(session_id, ()), file.file_id}
            if len(mine) > MOST_FILES or sum(map(len, list(kept.values()))) >= MOST_WAITING:
                from starlette.exceptions import HTTPException

                raise HTTPException(429, "Too many files wait. Load the page again.")
            self._add(session_id, file)


def limit_uploads() -> None:
    """Let the server of this process take only a few small files; without a server nothing happens."""
    from streamlit import config
    from streamlit.runtime import Runtime

    if not Runtime.exists() or type(Runtime.instance()) is not Runtime:
        return
    # Whatever a config.toml of the host says.
    config.set_option("server.maxUploadSize", MOST_MEGABYTES)
    config.set_option("server.enableAgentApi", False)
    config.set_option("client.showErrorDetails", "none")
    FewUploads(Runtime.instance().uploaded_file_mgr)


def taken(file: UploadedFile) -> bytes:
    """The bytes of an upload, which Streamlit then forgets; it would keep them until the tab is closed."""
    from streamlit.runtime import Runtime
    from streamlit.runtime.scriptrunner import get_script_run_ctx

    data, context = file.getvalue(), get_script_run_ctx()
    if context is not None and Runtime.exists():
        manager: Any = Runtime.instance().uploaded_file_mgr
        manager.remove_file(context.session_id, file.file_id)
    return data


def decoded(data: bytes) -> Frame:
    """The picture in a file that somebody sent.

    Returns:
        BGR uint8, shape (height, width, 3).

    Raises:
        UsageError: it is another file, damaged, or too large; its size is known before it is decoded.
    """
    if len(data) > MOST_MEGABYTES * 2**20:
        raise UsageError(tr("The picture is too large. Choose one of at most {most} MB.", most=MOST_MEGABYTES))
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            width, height = image.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise UsageError(tr("This is not a picture that can be read here. Choose a JPEG, PNG or WebP file.")) from error
    if width * height > MOST_PIXELS:
        raise UsageError(
            tr(
                "The picture has {width}x{height} pixels. Choose one of at most {most} million.",
                width=width,
                height=height,
                most=MOST_PIXELS // 1_000_000,
            )
        )
    with _turn:
        frame = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if frame is None:
        raise UsageError(tr("The picture is damaged. Choose another one."))
    return np.asarray(frame, np.uint8)


_begun: list[TemporaryFolder] = []
_beginning = threading.Lock()


def begin() -> None:
    """Set up this process for visitors, once: limits of uploads, a folder that ends with it, and the sweeps."""
    with _beginning:
        if _begun:
            return
        _begun.append(TemporaryFolder("demo", ignore_cleanup_errors=True))
        with suppress(FewshotError):  # a user without a home folder
            os.environ.setdefault("FEWSHOT_SHARED", str(home()))  # models that were downloaded before
        # Nothing of the person who started it is read or changed.
        os.environ["FEWSHOT_HOME"] = _begun[0].name
    limit_uploads()
    VISITORS.keep_sweeping()
