"""Let many lessons run at once at a service on this computer, and let clients and computers misbehave (20 minutes).

    python experiments/load.py
    python experiments/load.py --lessons 1 2 --seconds 10 --checks
    python experiments/load.py --prices prices.json

Needs ../shared (pictures of CFEE). Everything stays on 127.0.0.1, in a temporary folder, and ends with the
script. The database check needs PostgreSQL (on Debian: apt-get install postgresql; pip install '.[postgres]'), and is
left out with a word if it is not there. Prints and writes load.md. Ends with 1 if a check was not as it must be.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

from fewshot.errors import FewshotError
from fewshot.research.bench.load.cores import load_prices
from fewshot.research.bench.load.own_home import own_home
from fewshot.research.bench.load.report import CHECKS, DATABASE, page, run, with_database


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lessons", type=int, nargs="*", default=[1, 2, 4, 6, 8], help="how many at once")
    parser.add_argument("--seconds", type=float, default=30.0, help="per number of lessons")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--checks", nargs="*", choices=[*CHECKS, DATABASE], default=[*CHECKS, DATABASE])
    parser.add_argument("--prices", type=Path)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--work", type=Path, default=Path("outputs/load"), help="keeps the drawn lessons")
    parser.add_argument("--results", type=Path, default=Path("experiments/results"))
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    arguments.work.mkdir(parents=True, exist_ok=True)
    try:
        prices = load_prices(arguments.prices) if arguments.prices else None
        with own_home(arguments.shared):
            found, checks = run(
                arguments.shared, arguments.work, arguments.lessons, arguments.seconds, arguments.processes,
                arguments.checks,
            )  # fmt: skip
            if DATABASE in arguments.checks:
                checks[DATABASE] = with_database(arguments.shared, arguments.work, arguments.processes)
    except FewshotError as error:
        sys.exit(str(error))
    given = shlex.join(sys.argv[1:])
    told = page(found, checks, arguments.processes, f"python experiments/load.py {given}".strip(), prices)
    print(told)
    (arguments.results / "load.md").write_text(told, encoding="utf-8")
    if not all(isinstance(one, str) or one.good for one in checks.values()):
        sys.exit(1)


if __name__ == "__main__":
    main()
