"""Give bytes that nobody meant to every door of the program, and check that each is refused in words (15 minutes).

    python experiments/fuzz.py
    python experiments/fuzz.py --inputs 1000000 --minutes 120
    python experiments/fuzz.py --only zip video --inputs 1000 --minutes 2 --seed 7
    python experiments/fuzz.py --guided --minutes 60

The bytes are right ones (a picture, a zip, a video, a list of consents, a store, ...) with random changes, the same for
the same seed. An input may take 5 seconds of the processor and 1 GiB of memory. What happens besides a result or an
error in words is printed with the number of the input. Quick doors get more of the inputs. Writes fuzz.csv and fuzz.md,
where doors that were not tried keep their rows. Ends with 1 if something was found.

With --guided, atheris (libFuzzer; Linux on x86-64) makes the inputs: it keeps those that take a new way through the
program and changes them on. That is slower and gets further. Writes fuzz_guided.csv and fuzz_guided.md.
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
from pathlib import Path

from fewshot.research.bench.machine import as_list, describe
from fewshot.research.bench.survival.doors import DOORS
from fewshot.research.bench.survival.fuzz import MEMORY, Found, fuzz
from fewshot.research.bench.survival.guided import guided
from fewshot.research.evaluation.tables import markdown, write_csv


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", choices=list(DOORS), default=list(DOORS))
    parser.add_argument("--inputs", type=int, default=1_000_000, help="for all doors together, at most")
    parser.add_argument("--minutes", type=float, default=15.0, help="for all doors together, at most")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--guided", action="store_true", help="let atheris look for new ways through the program")
    parser.add_argument("--results", type=Path, default=Path("experiments/results"))
    return parser.parse_args()


def row(door: str, found: Found, ways: bool) -> dict[str, str]:
    good = not found.faults and found.most <= MEMORY
    return {
        "door": door,
        "inputs": str(found.inputs),
        "refused in words": str(found.refused),
        **({"took a new way": str(found.kept)} if ways else {}),
        "other errors, crashes, hangs": str(len(found.faults)),
        "memory, MB at most": str(found.most >> 20),
        "good": "yes" if good else "NO",
    }


def main() -> None:
    arguments = parse_arguments()
    make, name = (guided, "fuzz_guided") if arguments.guided else (fuzz, "fuzz")
    rows = rows_of(arguments.results / f"{name}.csv")
    whole, end = sum(DOORS[door].share for door in arguments.only), time.monotonic() + 60 * arguments.minutes
    for place, door in enumerate(arguments.only):
        left, count = len(arguments.only) - place, arguments.inputs * DOORS[door].share // whole
        found = make(door, count, arguments.seed, time.monotonic() + (end - time.monotonic()) / left)
        rows[door] = row(door, found, arguments.guided)
        print(f"{door}: {found.inputs} inputs, {found.refused} refused, at most {found.most >> 20} MB", flush=True)
        for words in found.faults:
            print(f"  {words}", flush=True)
    kept = [rows[door] for door in DOORS if door in rows]
    print(markdown(kept))
    total = sum(int(one["inputs"]) for one in kept)
    title, how = (
        ("Bytes that look for new ways", f"--guided --minutes {arguments.minutes:g}")
        if arguments.guided
        else ("Bytes that nobody meant", f"--inputs {max(total, 1_000_000)} --minutes 120")
    )
    page = (
        f"# {title}\n\n{total} inputs, seed {arguments.seed}.\n\n{markdown(kept)}\nMachine:\n\n"
        f"{as_list(describe())}\nRepeat with:\n\n    python experiments/fuzz.py {how}\n"
    )
    write_csv(kept, arguments.results / f"{name}.csv")
    (arguments.results / f"{name}.md").write_text(page, encoding="utf-8")
    if any(rows[door]["good"] != "yes" for door in arguments.only):
        sys.exit(1)


def rows_of(path: Path) -> dict[str, dict[str, str]]:
    """The rows of an earlier run, by door."""
    if not path.exists():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        return {one["door"]: one for one in csv.DictReader(file)}


if __name__ == "__main__":
    main()
