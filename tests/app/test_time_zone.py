"""Times are those of the browser: a server may stand in another country."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

pytest.importorskip("streamlit", reason="needs the extra app")

import streamlit as st

from fewshot.app.shell import calm
from fewshot.session.analysis.words import TIME_ZONE, day, moment

WHEN = datetime(2026, 9, 1, 20, 30, tzinfo=UTC)


class Context:
    locale = None

    def __init__(self, timezone: Any) -> None:
        self.timezone = timezone


@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        ("Asia/Kolkata", "02 Sep 2026, 02:00"),
        ("America/Los_Angeles", "01 Sep 2026, 13:30"),
        ("UTC", "01 Sep 2026, 20:30"),
    ],
)
def test_a_page_shows_the_times_of_its_browser(zone: str, shown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(st, "context", Context(zone))
    before = TIME_ZONE.set(None)
    try:
        assert calm(lambda: moment(WHEN))() == shown and calm(lambda: day(WHEN))() == shown[:11]
    finally:
        TIME_ZONE.reset(before)


@pytest.mark.parametrize("zone", [None, "", "Mars/Olympus", "../../etc/passwd", "/etc/localtime", "x" * 300, "a\0b"])
def test_a_browser_that_says_no_zone_or_nonsense_gets_the_times_of_the_server(
    zone: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(st, "context", Context(zone))
    before = TIME_ZONE.set(None)
    try:
        assert calm(lambda: moment(WHEN))() == f"{WHEN.astimezone():%d %b %Y, %H:%M}"
    finally:
        TIME_ZONE.reset(before)
