"""What a closed tab has left goes two minutes later, and not before."""

from __future__ import annotations

import asyncio
import logging
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("streamlit", reason="needs the extra app")

from streamlit.runtime.state.session_state import SessionState

from fewshot.app import closed_tabs
from fewshot.app.closed_tabs import KEPT, ClosedTabs
from fewshot.app.server import options_of


class Stand:
    """Streamlit's runtime with sessions that are open or gone."""

    def __init__(self) -> None:
        self.open: dict[str, bool] = {}
        self.states: dict[str, SessionState] = {}
        self.closed: list[str] = []
        self.now = 0.0
        self._session_mgr = SimpleNamespace(list_sessions=self._list)
        self.tabs = ClosedTabs(self, lambda: self.now)

    def _list(self) -> list[Any]:
        return [
            SimpleNamespace(session=SimpleNamespace(id=tab, session_state=self.states.setdefault(tab, SessionState())))
            for tab in self.open
        ]

    def is_active_session(self, tab: str) -> bool:
        return self.open[tab]

    def close_session(self, tab: str) -> None:
        self.closed.append(tab)
        del self.open[tab]

    def at(self, seconds: float) -> int:
        self.now = seconds
        return self.tabs.sweep()


def test_a_tab_that_stays_away_is_ended_with_all_it_holds() -> None:
    stand = Stand()
    stand.open = {"one": True, "two": True}
    assert stand.at(0) == 0
    stand.states["two"]["photo"] = object()
    stand.open["two"] = False
    assert stand.at(1000) == 0 and stand.at(1000 + KEPT - 1) == 0 and "photo" in stand.states["two"]
    assert stand.at(1000 + KEPT) == 1 and stand.closed == ["two"] and "photo" not in stand.states["two"]
    assert stand.at(9000) == 0 and stand.open == {"one": True}


def test_a_tab_that_comes_back_has_its_whole_time_again() -> None:
    stand = Stand()
    stand.open = {"one": False}
    assert stand.at(0) == 0
    stand.open["one"] = True
    assert stand.at(KEPT) == 0
    stand.open["one"] = False
    assert stand.at(KEPT + 10) == 0 and stand.at(2 * KEPT) == 0 and stand.at(2 * KEPT + 10) == 1


def test_streamlit_does_not_forget_it_first() -> None:
    assert options_of()["server.disconnectedSessionTTL"] > KEPT + 2 * closed_tabs.EVERY


def test_a_fault_does_not_end_the_sweeping(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    stand, calls = Stand(), 0

    def sweep() -> int:
        nonlocal calls
        calls += 1
        raise RuntimeError("a fault")

    monkeypatch.setattr(closed_tabs, "EVERY", 0)
    monkeypatch.setattr(stand.tabs, "sweep", sweep)

    async def run() -> None:
        task = asyncio.create_task(stand.tabs.keep_sweeping())
        for _ in range(1000):
            await asyncio.sleep(0)
            if calls > 2:
                break
        task.cancel()

    with caplog.at_level(logging.ERROR):
        asyncio.run(run())
    assert calls > 2 and "closed tabs" in caplog.text
