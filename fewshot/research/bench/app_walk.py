"""A walk through the app in a real browser, as a teacher does who tries it out; for pictures of its pages."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

CHARTS = "[data-testid=stVegaLiteChart] canvas, [data-testid=stVegaLiteChart] svg"
WIDTHS = """() => [...document.querySelectorAll("[data-testid=stMain] *")]
  .filter(e => e.getBoundingClientRect().right > innerWidth + 1 && e.checkVisibility())
  .map(e => `${e.dataset.testid || e.tagName} ${Math.round(e.getBoundingClientRect().right)}`).slice(0, 4).join(", ")"""
"""What sticks out on the right."""


def walk_through(page: Any, address: str, shot: Callable[..., None], earlier_weeks: Callable[[], None]) -> None:
    """Try the sample class: start, live, a correction, all other pages, the report and its tabs.

    Args:
        page: of Playwright, with nothing open yet.
        address: of the app.
        shot: called on every page with a name for its picture, and on some with the seconds until it has settled.
        earlier_weeks: waits until the lessons of the weeks before are stored.
    """
    page.goto(address)
    page.get_by_text("Acknowledged on").or_(page.get_by_role("button", name="I have read this")).first.wait_for()
    shot("start")
    terms = page.get_by_role("button", name="I have read this")
    if terms.count():
        terms.click()
        page.get_by_text("Acknowledged on").wait_for()
    page.get_by_role("button", name="Try with the sample class").click()
    page.locator("button.tile").nth(48).wait_for()
    page.get_by_text("recorded lesson, playing").wait_for()
    for _ in range(3):
        page.get_by_role("button", name="+1 min").click()
        time.sleep(0.5)
    page.locator(".vega-embed, [data-testid=stVegaLiteChart]").first.wait_for()
    shot("live", 6)
    page.locator("button.tile").nth(9).click()
    page.get_by_role("button", name="Close").wait_for()
    shot("live-correct")
    page.get_by_role("button", name="Close").click()
    for link, name in (("Class", "class"), ("Enrollment", "enrollment"), ("Settings", "settings")):
        page.get_by_role("link", name=link).first.click()
        page.get_by_role("heading", level=1).first.wait_for()
        shot(name, 4)
    page.get_by_role("link", name="Live").first.click()
    earlier_weeks()
    page.get_by_role("button", name="Stop", exact=False).first.click()
    page.get_by_role("button", name="End the lesson").click()
    page.get_by_role("button", name="Report").first.click()
    page.get_by_text("students were counted at a time").wait_for()
    page.locator(CHARTS).first.wait_for()
    shot("report", 3)
    for tab, content in (
        ("Students", CHARTS),
        ("Check in", "text=than usual"),
        ("Over weeks", CHARTS),
        ("Download", "text=Make the HTML file"),
    ):
        page.get_by_role("tab", name=tab).click()
        page.locator(content).locator("visible=true").first.wait_for()
        shot(f"report-{tab.lower().replace(' ', '-')}", 4)
    page.get_by_role("link", name="Live").first.click()
    page.get_by_role("button", name="New lesson").click()
    page.get_by_role("button", name="Start the lesson").wait_for()
    shot("live-start", 3)


def watch_photographs(page: Any, address: str, shot: Callable[..., None]) -> None:
    """Try the class of real photographs until everybody has a name and a reading; then end it.

    Args:
        page, address, shot: as for ``walk_through``.
    """
    page.goto(address)
    page.get_by_role("button", name="Try with real photographs").click()
    page.locator("button.tile.shown").nth(9).wait_for()
    page.get_by_text("Face Research Lab London Set").first.wait_for()
    page.locator(".fs-clock", has_text="0:15").wait_for(timeout=60_000)  # by then the tiles have a strip
    shot("live-photographs", 1)
    page.get_by_role("button", name="Stop", exact=False).first.click()
    page.get_by_role("button", name="End the lesson").click()
    page.get_by_role("button", name="New lesson").wait_for()
