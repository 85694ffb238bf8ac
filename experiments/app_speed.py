"""How fast the app is in a real browser: the first page, the other pages, and the tiles of a class of 49.

    python experiments/app_speed.py                                      # needs Chromium and playwright
    python experiments/app_speed.py --lesson outputs/live/class_49_60s --seconds 30

Serves the app in a folder of its own. Every visit of the first page has a browser of its own, with nothing in its
cache. Then enrolls the class of a virtual classroom (experiments/virtual_classroom.py, or what benchmark.py left),
watches its video on the page Live, and counts how often the tiles are drawn anew. Writes experiments/results/app.md.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fewshot.research.bench.machine import as_list, busy, describe
from fewshot.research.bench.served_app import served
from fewshot.research.evaluation.tables import markdown

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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lesson", type=Path, default=Path("outputs/live/class_49_60s"))
    parser.add_argument("--shared", type=Path, default=Path("../shared"), help="where models are")
    parser.add_argument("--seconds", type=float, default=20.0, help="for which the tiles are watched")
    parser.add_argument("--visits", type=int, default=5)
    parser.add_argument("--results", type=Path, default=Path("experiments/results"))
    parser.add_argument("--chromium", default=shutil.which("chromium") or shutil.which("google-chrome"))
    arguments = parser.parse_args()
    if not arguments.chromium:
        sys.exit("Chromium is missing. On Debian or Ubuntu: sudo apt-get install -y chromium")
    if not (arguments.lesson / "video.mp4").is_file():
        sys.exit(f"No virtual classroom in {arguments.lesson}. Make one: experiments/virtual_classroom.py --help")
    if arguments.shared.is_dir():
        os.environ.setdefault("FEWSHOT_SHARED", str(arguments.shared.resolve()))
    warning = busy()
    with tempfile.TemporaryDirectory() as home:
        enroll(arguments.lesson / "photos/neutral", home)
        rows = measured(arguments, Path(home))
    print(markdown(rows))
    machine = describe() | ({"note": warning} if warning else {})
    head = f"# The app in a browser\n\n    python experiments/app_speed.py\n\n{markdown(rows)}\n"
    (arguments.results / "app.md").write_text(f"{head}Machine:\n\n{as_list(machine)}", encoding="utf-8")


def enroll(photos: Path, home: str) -> None:
    command = [sys.executable, "-m", "fewshot", "enroll", "Class of 49", str(photos), "--consent-by", "the measurement"]
    subprocess.run(command, env={**os.environ, "FEWSHOT_HOME": home}, check=True, stdout=subprocess.DEVNULL)


def measured(arguments: argparse.Namespace, home: Path) -> list[dict[str, str]]:
    from playwright.sync_api import sync_playwright

    start = time.perf_counter()
    with served(home) as address, sync_playwright() as playwright:
        rows = [row("the server answers, after the command", f"{time.perf_counter() - start:.1f} s")]

        def visit() -> Any:
            browser = playwright.chromium.launch(executable_path=arguments.chromium, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1280, "height": 720})
            page.set_default_timeout(PATIENCE)
            return browser, page

        visits = []
        for _ in range(arguments.visits + 1):
            browser, page = visit()
            visits.append(timed(lambda page=page: first_page(page, address)))
            browser.close()
        later = statistics.median(visits[1:])
        rows += [
            row("first page, the server's first visitor", f"{visits[0]:.2f} s", f"< {FIRST_PAGE:g} s"),
            row(f"first page, median of {len(visits) - 1} more", f"{later:.2f} s", f"< {FIRST_PAGE:g} s"),
        ]
        browser, page = visit()
        first_page(page, address)
        page.get_by_role("button", name="I have read this").click()
        page.get_by_text("Acknowledged on").wait_for()
        for name, heading in PAGES.items():
            seconds = " / ".join(f"{spent:.2f} s" for spent in to(page, name, heading))
            rows.append(row(f"to the page {name}, first and second time", seconds))
        rows += lesson(page, arguments)
        browser.close()
    return rows


def row(what: str, seen: str, wanted: str = "") -> dict[str, str]:
    return {"what": what, "seen": seen, "wanted": wanted}


def timed(what: Callable[[], Any]) -> float:
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


def lesson(page: Any, arguments: argparse.Namespace) -> list[dict[str, str]]:
    """Watch the video and count."""
    page.get_by_role("link", name="Live").first.click()
    page.get_by_label("Class", exact=True).first.click()
    page.get_by_role("option", name="Class of 49", exact=True).click()
    page.get_by_role("radio", name="Video file").or_(page.get_by_role("button", name="Video file")).first.click()
    field = page.get_by_label("or a file on this computer")
    field.fill(str((arguments.lesson / "video.mp4").resolve()))
    field.press("Enter")
    page.get_by_role("button", name="Start the lesson").click()
    named = timed(lambda: page.locator(IN_VIEW).nth(44).wait_for())
    before, start = page.evaluate(UPDATES), time.perf_counter()
    page.wait_for_timeout(arguments.seconds * 1000)
    rate = (page.evaluate(UPDATES) - before) / (time.perf_counter() - start)
    shown = page.locator(IN_VIEW).count()
    return [
        row("from 'Start the lesson' until 45 of 49 have a reading on their tile", f"{named:.1f} s"),
        row(f"the tiles are drawn anew, over {arguments.seconds:g} s", f"{rate:.1f} times a second", f">= {REFRESH:g}"),
        row("tiles with a reading at the end", f"{shown} of 49"),
    ]


if __name__ == "__main__":
    main()
