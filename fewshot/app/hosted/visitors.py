"""Who visits the demo now: how many may, what each one has, and when it is forgotten."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from fewshot.classroom.visits import begin_visit, end_visit
from fewshot.database.owner import Owner
from fewshot.errors import FewshotError
from fewshot.translation import later, tr

MOST = 6
"""Visitors at the same time; experiments/results/hosted_demo.md has the memory that they need."""
IDLE = 15 * 60.0
"""Seconds without a click after which a visitor is forgotten."""
GONE = 45.0
"""Seconds after which one is forgotten whose tab was closed. A tab that lost its connection may come back before."""
_EVERY = 5.0
KEY = "secret of the tab"
"""In the session of a tab: its secret."""
FULL = later(
    "The demo is full: {count} people are trying it now. Load this page again in a few minutes, or install fewshot on "
    "a computer of your own."
)
OVER = later(
    "Your visit has ended, because nothing was clicked for {minutes} minutes. Everything of it is deleted. Load "
    "this page again to begin again."
)

logger = logging.getLogger(__name__)


class DemoRefusal(FewshotError):
    """The demo is full, or the visit is over."""


@dataclass(slots=True)
class Visit:
    """One tab of a browser.

    Attributes:
        owner: of its classes and lessons.
        tab: Streamlit's number of it.
        clicked: monotonic seconds of the last click.
        seen: monotonic seconds at which the tab was last connected.
        own: what pages keep for it in memory.
    """

    owner: Owner
    tab: str
    clicked: float
    seen: float
    own: dict[str, Any] = field(default_factory=dict, repr=False)


class Visitors:
    """All visits of this process. Threads may share it.

    Args:
        connected: takes Streamlit's number of a tab, and says whether it is open.
        clock: monotonic seconds.
        most: visits at the same time.
    """

    def __init__(
        self, connected: Callable[[str], bool], clock: Callable[[], float] = time.monotonic, most: int = MOST
    ) -> None:
        self._connected, self._clock, self._most = connected, clock, most
        self._lock = threading.Lock()
        self._visits: dict[str, Visit] = {}
        self._over: deque[str] = deque(maxlen=50 * most)
        self._sweeping = False

    def of(self, key: str, tab: str) -> Visit:
        """The visit of a tab; a new one begins here.

        Args:
            key: secret of the tab, which only its session knows.
            tab: Streamlit's number of the tab.

        Raises:
            DemoRefusal: the demo is full, or this visit is over.
        """
        with self._lock:
            self._require(key)
            visit = self._visits.get(key)
            if visit is None:
                if len(self._visits) >= self._most:
                    raise DemoRefusal(tr(FULL, count=len(self._visits)))
                now = self._clock()
                visit = self._visits[key] = Visit(begin_visit(), tab, now, now)
            return visit

    def click(self, key: str) -> None:
        """Note that somebody clicked in a tab.

        Raises:
            DemoRefusal: its visit is over.
        """
        with self._lock:
            self._require(key)
            if key in self._visits:
                self._visits[key].clicked = self._clock()

    def _require(self, key: str) -> None:
        if key in self._over:
            raise DemoRefusal(tr(OVER, minutes=f"{IDLE / 60:.0f}"))

    def sweep(self) -> int:
        """Forget everybody who left or did not click for long. Returns how many were forgotten."""
        now, ended = self._clock(), []
        with self._lock:
            for key, visit in list(self._visits.items()):
                if self._connected(visit.tab):
                    visit.seen = now
                if now - visit.clicked > IDLE or now - visit.seen > GONE:
                    ended.append(self._visits.pop(key))
                    self._over.append(key)
        for visit in ended:
            _forget(visit)
            if now - visit.seen > GONE:
                _close(visit.tab)
        return len(ended)

    def keep_sweeping(self) -> None:
        """Sweep from now on, in a thread."""
        with self._lock:
            started, self._sweeping = self._sweeping, True
        if not started:
            threading.Thread(target=self._sweep_on, name="fewshot visitors", daemon=True).start()

    def _sweep_on(self) -> None:
        while True:
            time.sleep(_EVERY)
            try:
                self.sweep()
            except Exception:
                # Whatever one visit left behind: the others must be forgotten too.
                logger.exception("a visit was not forgotten")

    def __len__(self) -> int:
        return len(self._visits)


def _forget(visit: Visit) -> None:
    from fewshot.app.lesson_room import ROOM
    from fewshot.app.reports import REPORTS

    visit.own.clear()
    try:
        ROOM.leave(visit.owner)
    finally:
        REPORTS.forget(visit.owner)
        end_visit(visit.owner)


def _close(tab: str) -> None:
    """Let Streamlit forget a tab that is gone; by itself it would do so only when the next one is closed."""
    from streamlit.runtime import Runtime

    if Runtime.exists() and type(Runtime.instance()) is Runtime:
        runtime = Runtime.instance()
        runtime._get_async_objs().eventloop.call_soon_threadsafe(runtime.close_session, tab)


def _is_connected(tab: str) -> bool:
    from streamlit.runtime import Runtime

    # A test of a page has no server.
    return not Runtime.exists() or type(Runtime.instance()) is not Runtime or Runtime.instance().is_active_session(tab)


VISITORS = Visitors(_is_connected)
"""Those of this process."""


def key_of_tab() -> str:
    """The secret of the tab whose page is being drawn. It never leaves the server."""
    return str(st.session_state.setdefault(KEY, secrets.token_hex(16)))


def visit() -> Visit:
    """The visit of the tab whose page is being drawn.

    Raises:
        DemoRefusal: see ``Visitors.of``; also if the code does not run in a page.
    """
    from streamlit.runtime.scriptrunner import get_script_run_ctx

    context = get_script_run_ctx()
    if context is None:
        raise DemoRefusal("Only a page of the demo has a visitor.")
    return VISITORS.of(key_of_tab(), context.session_id)
