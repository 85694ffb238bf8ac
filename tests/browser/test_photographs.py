"""The class of real photographs in a browser: credit, portraits, no hint, and a correction that changes a tile."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from fewshot.demo.portrait_video import SMILE, smiling
from fewshot.demo.portraits import MISSED, PORTRAITS
from tests.browser.conftest import SHARED, Served
from tests.browser.steps import IN_VIEW

CHANGED_WITHIN = 2.0
"""Seconds from the second click to the tile."""
BUSY = 4.0
"""More seconds for a machine that is busy with other tests, as long as the smile lasts."""


@pytest.mark.skipif(not (SHARED / "models").is_dir(), reason="needs ../shared/models: names need a recogniser")
def test_two_people_change_after_a_correction_and_nothing_is_concluded(
    served: Served, browse: Callable[..., Any]
) -> None:
    page = browse()
    page.goto(served.address)
    page.get_by_role("button", name="Try with real photographs").click()
    page.locator(IN_VIEW).nth(len(PORTRAITS) - 1).wait_for()
    page.get_by_text("Face Research Lab London Set").first.wait_for()
    assert page.locator("button.tile img.fs-avatar").count() == len(PORTRAITS)
    for person in MISSED:
        tile = page.locator("button.tile").filter(has_text=person)
        wait_for_smile(page, person)
        assert "happy" not in tile.inner_text()
        tile.click()
        page.get_by_role("button", name="happy", exact=True).click()
        started = time.monotonic()
        tile.filter(has_text="happy").wait_for(timeout=1000 * (CHANGED_WITHIN + BUSY))
        print(f"{person}: changed after {time.monotonic() - started:.1f} s")
    shown = page.locator("[data-testid=stMain]").inner_text()
    assert not [words for words in ("Perhaps ask", "usually", "Nothing unusual", "Why?") if words in shown]
    page.get_by_role("button", name="Stop", exact=False).first.click()
    page.get_by_role("button", name="End the lesson").click()
    page.get_by_role("button", name="New lesson").wait_for()
    assert not page.get_by_role("button", name="Report").count()  # it was not kept


def wait_for_smile(page: Any, person: str) -> None:
    """Wait until a smile has begun a second or two ago, by the clock of the lesson."""
    for _ in range(600):
        minutes, _, seconds = page.locator(".fs-clock").inner_text().partition(":")
        now = 60 * int(minutes) + int(seconds)
        if smiling(person, now) == 1 and smiling(person, now - 3) < 1 and smiling(person, now + SMILE - 4) == 1:
            return
        page.wait_for_timeout(200)
    raise AssertionError(f"{person} never smiled")
