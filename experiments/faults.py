"""Do to the live system what cameras, clocks, disks and classes do, and check that it goes on (2 minutes).

    python experiments/faults.py
    python experiments/faults.py --only cable clock

The real networks look at the virtual class of 49 (drawn first if it is not there, see benchmark.py); the camera, the
clock and the slow sinks are made up. Prints and writes faults.md: for every fault what was expected, what happened, and
whether that will do. Ends with 1 if something did not.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from fewshot.errors import FewshotError
from fewshot.research.bench.faults import FAULTS, Stage
from fewshot.research.bench.live_bench import enroll_classes
from fewshot.research.bench.machine import as_list, describe
from fewshot.research.evaluation.tables import markdown
from fewshot.research.simulation.scenes import CLASS, scene_at
from fewshot.research.simulation.truth import Truth
from fewshot.room import Classroom


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", choices=list(FAULTS), default=list(FAULTS))
    parser.add_argument("--shared", type=Path, default=Path("../shared"), help="folder with data/ and models/")
    parser.add_argument("--work", type=Path, default=Path("outputs/live"), help="for videos and classes")
    parser.add_argument("--results", type=Path, default=Path("experiments/results"))
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    os.environ.setdefault("FEWSHOT_SHARED", str(arguments.shared.resolve()))
    try:
        scene = scene_at(arguments.work, arguments.shared, CLASS, longest=12.0)
        truth = Truth.load(scene.video.with_name("truth.json"))
        room = Classroom.in_folder(enroll_classes({CLASS: scene})[CLASS])
        stage = Stage(scene.video, truth, room, arguments.shared, arguments.work)
        checks = []
        for name in arguments.only:
            print(f"{name}: {(FAULTS[name].__doc__ or '').strip()}", flush=True)
            checks += list(FAULTS[name](stage))
    except FewshotError as error:
        sys.exit(str(error))
    rows = [check.row() for check in checks]
    print(markdown(rows))
    machine = as_list(describe())
    page = f"# Faults\n\n{markdown(rows)}\nMachine:\n\n{machine}\nRepeat with:\n\n    python experiments/faults.py\n"
    arguments.results.mkdir(parents=True, exist_ok=True)
    (arguments.results / "faults.md").write_text(page, encoding="utf-8")
    bad = [check for check in checks if not check.good]
    print(f"{len(checks) - len(bad)} of {len(checks)} as expected.")
    if bad:
        sys.exit(1)


if __name__ == "__main__":
    main()
