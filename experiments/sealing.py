"""Remove a student and look for what still opens, and measure what the encryption costs (12 minutes).

    python experiments/sealing.py
    python experiments/sealing.py --only erasure

The first table is made up: no picture and no camera is needed. PostgreSQL is started in a temporary folder if it is
there. The cost is measured with the virtual classroom that benchmark.py left, and with Chromium.
Prints and writes sealing*.csv and sealing.md. Ends with 1 if anything of the removed student still
opens.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

from fewshot.errors import FewshotError
from fewshot.research.bench.sealing.after_erasure import Rows, erasure_table
from fewshot.research.bench.sealing.in_use import use_table
from fewshot.research.bench.sealing.lesson_cost import SECONDS
from fewshot.research.bench.sealing.report import cost_table, write_page
from fewshot.research.evaluation.tables import markdown, write_csv


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=["erasure", "cost"], help="the other tables stay as they are")
    parser.add_argument("--classroom", type=Path, default=Path("outputs/live/class_49_60s"))
    parser.add_argument("--shared", type=Path, default=Path("../shared"), help="where models are")
    parser.add_argument("--runs", type=int, default=4, help="lessons that are watched, each way")
    parser.add_argument("--visits", type=int, default=11, help="of the first page, each way")
    parser.add_argument("--chromium", default=shutil.which("chromium") or shutil.which("google-chrome"))
    parser.add_argument("--lesson", type=int, default=60, help="seconds of the lesson with the removed student")
    parser.add_argument("--seconds", type=int, default=SECONDS, help="length of the lesson that is timed")
    parser.add_argument("--results", type=Path, default=Path("experiments/results"))
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    parts = [arguments.only] if arguments.only else ["erasure", "cost"]
    if "cost" in parts and not arguments.chromium:
        sys.exit("Chromium is missing. On Debian or Ubuntu: sudo apt-get install -y chromium")
    if "cost" in parts and not (arguments.classroom / "video.mp4").is_file():
        sys.exit(f"No virtual classroom in {arguments.classroom}. Make one: experiments/virtual_classroom.py --help")
    if arguments.shared.is_dir():
        os.environ.setdefault("FEWSHOT_SHARED", str(arguments.shared.resolve()))
    good = True
    try:
        with tempfile.TemporaryDirectory(prefix="fewshot-sealing-") as work:
            os.environ["FEWSHOT_HOME"] = str(Path(work, "home"))  # the keys of a server's database lie there
            os.environ.pop("FEWSHOT_KEYS", None)
            if "erasure" in parts:
                erased = erasure_table(Path(work), arguments.lesson)
                good = all(row["good"] != "NO" for row in erased)
                keep(erased, arguments.results / "sealing.csv")
            if "cost" in parts:
                keep(cost_table(Path(work), arguments.seconds), arguments.results / "sealing_cost.csv")
                found = use_table(arguments.classroom, Path(work), arguments.chromium, arguments.runs, arguments.visits)
                keep(found, arguments.results / "sealing_use.csv")
    except FewshotError as error:
        sys.exit(str(error))
    write_page(arguments.results)
    if not good:
        sys.exit(1)


def keep(rows: Rows, path: Path) -> None:
    print(markdown(rows), flush=True)
    write_csv(rows, path)


if __name__ == "__main__":
    main()
