"""Give bytes that nobody meant to every door of the program, and check that each is refused in words (15 minutes).

    python experiments/fuzz.py
    python experiments/fuzz.py --only zip video --inputs 1000 --minutes 2 --seed 7

The bytes are right ones (a picture, a zip, a video, a list of consents, a store, ...) with random changes, the same for
the same seed. An input may take 5 seconds of the processor and 1 GiB of memory. What happens besides a result or an
error in words is printed with the number of the input. Writes fuzz.csv and fuzz.md. Ends with 1 if something was found.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from fewshot.research.bench.machine import as_list, describe
from fewshot.research.bench.survival.doors import DOORS
from fewshot.research.bench.survival.fuzz import MEMORY, Found, fuzz
from fewshot.research.evaluation.tables import markdown, write_csv


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", choices=list(DOORS), default=list(DOORS))
    parser.add_argument("--inputs", type=int, default=1_000_000, help="for all doors together, at most")
    parser.add_argument("--minutes", type=float, default=15.0, help="for all doors together, at most")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--results", type=Path, default=Path("experiments/results"))
    return parser.parse_args()


def row(door: str, found: Found) -> dict[str, str]:
    good = not found.faults and found.most <= MEMORY
    return {
        "door": door,
        "inputs": str(found.inputs),
        "refused in words": str(found.refused),
        "other errors, crashes, hangs": str(len(found.faults)),
        "memory, MB at most": str(found.most >> 20),
        "good": "yes" if good else "NO",
    }


def main() -> None:
    arguments = parse_arguments()
    rows = []
    share, end = arguments.inputs // len(arguments.only), time.monotonic() + 60 * arguments.minutes
    for place, door in enumerate(arguments.only):
        left = len(arguments.only) - place
        found = fuzz(door, share, arguments.seed, time.monotonic() + (end - time.monotonic()) / left)
        rows.append(row(door, found))
        print(f"{door}: {found.inputs} inputs, {found.refused} refused, at most {found.most >> 20} MB", flush=True)
        for words in found.faults:
            print(f"  {words}", flush=True)
    print(markdown(rows))
    total = sum(int(one["inputs"]) for one in rows)
    page = (
        f"# Bytes that nobody meant\n\n{total} inputs, seed {arguments.seed}.\n\n{markdown(rows)}\n"
        f"Machine:\n\n{as_list(describe())}\nRepeat with:\n\n    python experiments/fuzz.py\n"
    )
    write_csv(rows, arguments.results / "fuzz.csv")
    (arguments.results / "fuzz.md").write_text(page, encoding="utf-8")
    if any(one["good"] != "yes" for one in rows):
        sys.exit(1)


if __name__ == "__main__":
    main()
