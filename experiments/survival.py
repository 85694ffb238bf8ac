"""Kill programs, damage files, fill disks and restart servers, and check what is left (30 minutes).

    python experiments/survival.py
    python experiments/survival.py --only kills --kills 20
    python experiments/survival.py --only damage faults

Everything is made up: no picture and no camera is needed. PostgreSQL is started in a temporary folder if it is there
(on Debian: apt-get install postgresql; pip install '.[postgres]'), and left out with a word if it is not.
Prints and writes survival_*.csv and survival.md. Ends with 1 if something was not as expected.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from fewshot.errors import FewshotError
from fewshot.research.bench.survival.report import PARTS, run, write_page


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--kills", type=int, default=200, help="per database")
    parser.add_argument("--restores", type=int, default=60, help="restores that are killed, per database")
    parser.add_argument("--damage", type=int, default=2000, help="stores that are damaged, each at another place")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--results", type=Path, default=Path("experiments/results"))
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    counts = {"kills": arguments.kills, "restores": arguments.restores, "damage": arguments.damage}
    good = True
    try:
        with tempfile.TemporaryDirectory(prefix="fewshot-survival-") as work:
            os.environ["FEWSHOT_HOME"] = str(Path(work, "home"))  # the keys of a server's database lie there
            os.environ.pop("FEWSHOT_KEYS", None)
            for part in arguments.only:
                good &= run(part, Path(work), counts.get(part, 0), arguments.seed, arguments.results)
    except FewshotError as error:
        sys.exit(str(error))
    write_page(arguments.results)
    if not good:
        sys.exit(1)


if __name__ == "__main__":
    main()
