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
import subprocess
import sys
import tempfile
from pathlib import Path

from fewshot.research.bench.app_in_browser import measured
from fewshot.research.bench.machine import as_list, busy, describe
from fewshot.research.evaluation.tables import markdown


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
        video = arguments.lesson / "video.mp4"
        rows = measured(Path(home), arguments.chromium, video, arguments.visits, arguments.seconds)
    print(markdown(rows))
    machine = describe() | ({"note": warning} if warning else {})
    head = f"# The app in a browser\n\n    python experiments/app_speed.py\n\n{markdown(rows)}\n"
    (arguments.results / "app.md").write_text(f"{head}Machine:\n\n{as_list(machine)}", encoding="utf-8")


def enroll(photos: Path, home: str) -> None:
    command = [sys.executable, "-m", "fewshot", "enroll", "Class of 49", str(photos), "--consent-by", "the measurement"]
    subprocess.run(command, env={**os.environ, "FEWSHOT_HOME": home}, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
