"""Which browser tab belongs to which login, so that nobody can use the tabs, uploads and pictures of another one.

Streamlit names a tab's session by a random number, and a picture or a file by the hash of its content. Whoever learns
such a name could ask for what it names. The gate therefore asks here whether it belongs to the same login.
"""

from __future__ import annotations

import logging
import posixpath
import threading
from collections import OrderedDict
from typing import Any

MOST = 10_000
"""Tabs that are remembered; an older one must be loaded again."""

logger = logging.getLogger(__name__)


class Tabs:
    """Streamlit's session of a tab -> id of a login. Threads may share it."""

    def __init__(self) -> None:
        self._login: OrderedDict[str, int] = OrderedDict()
        self._lock = threading.Lock()

    def claim(self, tab: str, login: int) -> bool:
        """Note that a tab belongs to a login. Returns False if it belongs to another one."""
        with self._lock:
            kept = self._login.setdefault(tab, login)
            while len(self._login) > MOST:
                self._login.popitem(last=False)
            return kept == login

    def belongs(self, tab: str, login: int) -> bool:
        """Whether a tab belongs to a login. A tab that nobody has claimed belongs to nobody."""
        with self._lock:
            return self._login.get(tab) == login

    def of(self, login: int) -> list[str]:
        """The tabs of a login."""
        with self._lock:
            return [tab for tab, owner in self._login.items() if owner == login]

    def forget(self, tab: str) -> None:
        """Its login has ended."""
        with self._lock:
            self._login.pop(tab, None)


TABS = Tabs()
"""Of this process's app: its pages run in the same process as the gate."""


def shows(file: str, login: int, tabs: Tabs = TABS) -> bool:
    """Whether a tab of this login shows the picture, or offers the file, with this name under ``/media/``.

    Streamlit does not say so by a public way. If a later version keeps it elsewhere, nothing is shown to anybody.
    """
    manager, number = _manager(), posixpath.splitext(file)[0]
    try:
        with manager._lock:
            return any(
                number in shown.values() and tabs.belongs(tab, login)
                for tab, shown in manager._files_by_session_and_coord.items()
            )
    except AttributeError:
        logger.exception("this version of Streamlit does not say whose a picture is, so none is shown")
        return False


def close(login: int, tabs: Tabs = TABS) -> None:
    """End the tabs of a login with their camera and all that they hold. Must run in the server's event loop."""
    from streamlit.runtime import Runtime

    for tab in tabs.of(login):
        tabs.forget(tab)
        if Runtime.exists():
            Runtime.instance().close_session(tab)


def _manager() -> Any:
    from streamlit.runtime import Runtime

    return Runtime.instance().media_file_mgr if Runtime.exists() else None
