"""Ends what a closed browser tab has left: its files and whatever its pages held.

Streamlit keeps the session of a tab for a while, because the tab may come back after its network was gone. It then
forgets the session only when another tab is closed, so photos of students could stay for days.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

KEPT = 120.0
"""Seconds in which a tab may come back. Streamlit's ``disconnectedSessionTTL`` must be longer: see ``ClosedTabs``."""
EVERY = 10.0
"""Seconds between two looks."""

logger = logging.getLogger(__name__)


class ClosedTabs:
    """Ends sessions of tabs that have been gone for ``KEPT`` seconds.

    Streamlit must not forget them first: what it forgets, it leaves to Python's garbage collector.

    Args:
        runtime: Streamlit's ``Runtime``.
        clock: seconds.
    """

    def __init__(self, runtime: Any, clock: Callable[[], float] = time.monotonic) -> None:
        self._runtime, self._clock = runtime, clock
        self._gone: dict[str, float] = {}

    def sweep(self) -> int:
        """Look once, in the server's event loop. Returns how many sessions were ended."""
        now, ended = self._clock(), 0
        # Streamlit does not list its sessions in a public way.
        found = {info.session.id: info.session for info in self._runtime._session_mgr.list_sessions()}
        self._gone = {tab: self._gone.get(tab, now) for tab in found if not self._runtime.is_active_session(tab)}
        for tab, since in list(self._gone.items()):
            if now - since >= KEPT:
                # Else folders of this tab wait for the garbage collector.
                found[tab].session_state.clear()
                self._runtime.close_session(tab)
                del self._gone[tab]
                ended += 1
        return ended

    async def keep_sweeping(self) -> None:
        """Look again and again, until this is cancelled."""
        while True:
            await asyncio.sleep(EVERY)
            try:
                self.sweep()
            except Exception:
                logger.exception("what closed tabs have left could not be ended")
