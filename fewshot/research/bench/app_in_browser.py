"""How fast the app is in a real browser."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from fewshot.research.bench.served_app import ServedApp

PAGES = {"Class": "Your class", "Enrollment": "Enrollment", "Report": "report", "Settings": "Settings", "Live": "Watch"}
"""Their links, and a word of their headings."""
PATIENCE = 120_000
UPDATES = """() => { let most = 0; const look = node => { for (const child of node.children ?? []) {
  if (child.classList?.contains("grid")) most = Math.max(most, Number(child.dataset.updates ?? 0));
  look(child); if (child.shadowRoot) look(child.shadowRoot); } }; look(document); return most; }"""
"""How often the board was drawn."""
IN_VIEW = "button.tile.shown, button.tile.none"
FIRST_PAGE, REFRESH = 2.0, 4.0
"""What is wanted: seconds, and times a second."""


def measured(home: Path, chromium: str, video: Path, visits: int, seconds: float) -> list[dict[str, str]]:
    """Serve the app, visit its pages, and watch a lesson in it.

    Args:
        home: folder of the app, with the enrolled "Class of 49".
        chromium: path of the browser.
        video: of the lesson that is watched.
        visits: of the first page, after the first one, each by a browser with an empty cache.
        seconds: for which the tiles are watched.

    Returns:
        Rows of the table: what, seen, wanted.
    """
    from playwright.sync_api import sync_playwright

    start = time.perf_counter()
    with ServedApp(home) as app, sync_playwright() as playwright:
        address = app.address
        rows = [row("the server answers, after the command", f"{time.perf_counter() - start:.1f} s")]

        def visit() -> Any:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1280, "height": 720})
            page.set_default_timeout(PATIENCE)
            return browser, page

        took = []
        for _ in range(visits + 1):
            browser, page = visit()
            took.append(timed(partial(first_page, page, address)))
            browser.close()
        later = statistics.median(took[1:])
        rows += [
            row("first page, the server's first visitor", f"{took[0]:.2f} s", f"< {FIRST_PAGE:g} s"),
            row(f"first page, median of {len(took) - 1} more", f"{later:.2f} s", f"< {FIRST_PAGE:g} s"),
        ]
        browser, page = visit()
        first_page(page, address)
        page.get_by_role("button", name="I have read this").click()
        page.get_by_text("Acknowledged on").wait_for()
        for name, heading in PAGES.items():
            spent = " / ".join(f"{one:.2f} s" for one in to(page, name, heading))
            rows.append(row(f"to the page {name}, first and second time", spent))
        rows += lesson(page, video, seconds)
        browser.close()
    return rows


def row(what: str, seen: str, wanted: str = "") -> dict[str, str]:
    """One row of the table."""
    return {"what": what, "seen": seen, "wanted": wanted}


def timed(what: Callable[[], Any]) -> float:
    """How long something takes, seconds."""
    start = time.perf_counter()
    what()
    return time.perf_counter() - start


def first_page(page: Any, address: str) -> None:
    """Until it can be read and its last part is there."""
    page.goto(address, wait_until="commit")
    page.get_by_role("button", name="Try with the sample class").wait_for()
    page.get_by_text("I have read this").or_(page.get_by_text("Acknowledged on")).first.wait_for()


def to(page: Any, name: str, heading: str) -> list[float]:
    """Seconds from the click to the page's heading, the first and the second time."""

    def go() -> None:
        page.get_by_role("link", name=name).first.click()
        page.locator("h1").filter(has_text=heading).first.wait_for()

    seconds = []
    for _ in range(2):
        seconds.append(timed(go))
        page.get_by_role("link", name="Start").first.click()
        page.get_by_role("button", name="Try with the sample class").wait_for()
    return seconds


def lesson(page: Any, video: Path, seconds: float) -> list[dict[str, str]]:
    """Watch the video on the page Live, and count how often the tiles are drawn."""
    page.get_by_role("link", name="Live").first.click()
    page.get_by_label("Class", exact=True).first.click()
    page.get_by_role("option", name="Class of 49", exact=True).click()
    page.get_by_role("radio", name="Video file").or_(page.get_by_role("button", name="Video file")).first.click()
    field = page.get_by_label("or a file on this computer")
    field.fill(str(video.resolve()))
    field.press("Enter")
    page.get_by_role("button", name="Start the lesson").click()
    named = timed(lambda: page.locator(IN_VIEW).nth(44).wait_for())
    before, start = page.evaluate(UPDATES), time.perf_counter()
    page.wait_for_timeout(seconds * 1000)
    rate = (page.evaluate(UPDATES) - before) / (time.perf_counter() - start)
    shown = page.locator(IN_VIEW).count()
    return [
        row("from 'Start the lesson' until 45 of 49 have a reading on their tile", f"{named:.1f} s"),
        row(f"the tiles are drawn anew, over {seconds:g} s", f"{rate:.1f} times a second", f">= {REFRESH:g}"),
        row("tiles with a reading at the end", f"{shown} of 49"),
    ]
