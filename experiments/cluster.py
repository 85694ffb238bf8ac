"""Kill the replica of Ray Serve that holds a lesson, and see how soon the lesson goes on elsewhere (5 minutes).

    python experiments/cluster.py
    python experiments/cluster.py --kills 3 --seconds 6

Needs the extra `cluster` and ../shared (pictures of CFEE). Everything stays on this computer, in temporary folders,
and ends with the script. Prints and writes cluster.md. Ends with 1 if a second was lost, or a lesson was late.
"""

from __future__ import annotations

import argparse
import sys
from importlib.metadata import version
from pathlib import Path

from fewshot.cluster import require_ray
from fewshot.errors import FewshotError
from fewshot.research.bench.load.cluster import page, run
from fewshot.research.bench.load.own_home import own_home


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=8.0, help="of a lesson, before a kill and after it")
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--work", type=Path, default=Path("outputs/load"), help="keeps the drawn lessons")
    parser.add_argument("--results", type=Path, default=Path("experiments/results"))
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    arguments.work.mkdir(parents=True, exist_ok=True)
    try:
        require_ray()
        with own_home(arguments.shared):
            found = run(arguments.shared, arguments.work, arguments.kills, arguments.seconds)
    except FewshotError as error:
        sys.exit(str(error))
    command = f"python experiments/cluster.py --kills {arguments.kills} --seconds {arguments.seconds:g}"
    told = page(found, command, version("ray"))
    print(told)
    (arguments.results / "cluster.md").write_text(told, encoding="utf-8")
    if not all(kill.good for kill in found.kills):
        sys.exit(1)


if __name__ == "__main__":
    main()
