"""Screenshots of the app's pages, light and dark, with the sample classes only: docs/images/app-*.

    python experiments/screenshots.py                      # needs Chromium and playwright
    python experiments/screenshots.py --photographs        # the class of real photographs only; needs the models
    python experiments/screenshots.py --scheme light --out outputs/screenshots
    python experiments/screenshots.py --size 1024x768 768x1024 --out outputs/tablet        # as a tablet shows it

Serves the app in a folder of its own, clicks through every page as a teacher would, and photographs it, at 1280x720 if
nothing else is said, and a report, which is longer, at 1280x960. Into docs/images only those pages are written that
the documentation shows.
"""

from __future__ import annotations

import argparse
import io
import shutil
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Literal

from PIL import Image

from fewshot.app.sample_past import SAMPLE_CLASS
from fewshot.database.engine import in_folder
from fewshot.research.bench.app_walk import WIDTHS, walk_through, watch_photographs
from fewshot.research.bench.served_app import ServedApp
from fewshot.session.lessons import LessonStore

PATIENCE = 120_000
USUAL = "1280x720"
DOCS = Path("docs/images")
TALL = 960
"""Height of the picture of a report: its chart stands below three sentences."""
DARK_IN_DOCS, NOT_IN_DOCS = ("live",), ("class", "enrollment", "settings")
"""Pages that the documentation shows in dark colours too, and pages that it does not show."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=DOCS)
    parser.add_argument("--scheme", nargs="*", choices=["light", "dark"], default=["light", "dark"])
    parser.add_argument("--size", nargs="*", default=[USUAL], help="of the page, pixels: 1024x768")
    parser.add_argument("--photographs", action="store_true", help="only the class of real photographs, in light")
    parser.add_argument("--chromium", default=shutil.which("chromium") or shutil.which("google-chrome"))
    arguments = parser.parse_args()
    if not arguments.chromium:
        sys.exit("Chromium is missing. On Debian or Ubuntu: sudo apt-get install -y chromium")
    arguments.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home, ServedApp(Path(home)) as app:
        for size in arguments.size:
            for scheme in ["light"] if arguments.photographs else arguments.scheme:
                photograph(app, arguments.chromium, scheme, arguments.out, size, arguments.photographs)


def photograph(
    app: ServedApp, chromium: str, scheme: Literal["light", "dark"], out: Path, size: str, photographs: bool
) -> None:
    """All pages in one colour scheme and size; says which are wider than the window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        width, height = (int(number) for number in size.split("x"))
        touch = size != USUAL
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, has_touch=touch, is_mobile=touch
        )
        page = context.new_page()
        page.set_default_timeout(PATIENCE)

        def shot(name: str, settle: float = 1.5) -> None:
            if size == USUAL:
                page.set_viewport_size({"width": width, "height": TALL if name.startswith("report") else height})
            page.wait_for_timeout(1000 * settle)
            page.mouse.move(width // 2, 5)
            wide = page.evaluate(WIDTHS)
            if wide:
                print(f"{size} {name}: wider than the window: {wide}", flush=True)
            if out == DOCS and (name in NOT_IN_DOCS or (scheme == "dark" and name not in DARK_IN_DOCS)):
                return
            picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
            suffix = "" if size == USUAL else f"-{size}"
            target = out / f"app-{name}-{scheme}{suffix}.png"
            if photographs:  # faces need more than 255 colours
                picture.save(target.with_suffix(".webp"), quality=80, method=6)
            else:
                picture.quantize(255).save(target, optimize=True)  # a third of the size

        if photographs:
            watch_photographs(page, app.address, shot)
        else:
            walk_through(page, app.address, shot, partial(earlier_weeks, app.home))
        browser.close()


def earlier_weeks(home: Path) -> None:
    """Wait until the sample class has its lesson and the three of the weeks before: a busy computer needs a minute."""
    end = time.monotonic() + PATIENCE / 1000
    while len(LessonStore(in_folder(home)).lessons(SAMPLE_CLASS)) < 4 and time.monotonic() < end:
        time.sleep(1)


if __name__ == "__main__":
    main()
