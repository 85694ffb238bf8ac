"""Remove a student and look for what still opens, and measure what the encryption costs (5 minutes).

    python experiments/sealing.py
    python experiments/sealing.py --before ../fewshot-before-encryption

Everything is made up: no picture and no camera is needed. PostgreSQL is started in a temporary folder if it is there.
Prints and writes sealing.md, and what opens to sealing.csv. Ends with 1 if anything of the removed student still
opens.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from fewshot.errors import FewshotError
from fewshot.research.bench.sealing.after_erasure import erasure_table
from fewshot.research.bench.sealing.lesson_cost import SECONDS
from fewshot.research.bench.sealing.report import cost_table, write_page
from fewshot.research.evaluation.tables import markdown, write_csv


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", type=Path, help="a checkout from before the encryption, to compare with")
    parser.add_argument("--lesson", type=int, default=60, help="seconds of the lesson with the removed student")
    parser.add_argument("--seconds", type=int, default=SECONDS, help="length of the lesson that is timed")
    parser.add_argument("--results", type=Path, default=Path("experiments/results"))
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    try:
        with tempfile.TemporaryDirectory(prefix="fewshot-sealing-") as work:
            os.environ["FEWSHOT_HOME"] = str(Path(work, "home"))  # the keys of a server's database lie there
            os.environ.pop("FEWSHOT_KEYS", None)
            erased = erasure_table(Path(work), arguments.lesson)
            print(markdown(erased), flush=True)
            before = None if arguments.before is None else arguments.before.resolve()
            cost = cost_table(Path(work), arguments.seconds, before)
            print(markdown(cost), flush=True)
    except FewshotError as error:
        sys.exit(str(error))
    write_csv(erased, arguments.results / "sealing.csv")
    write_page(arguments.results / "sealing.md", erased, cost)
    if any(row["good"] == "NO" for row in erased):
        sys.exit(1)


if __name__ == "__main__":
    main()
