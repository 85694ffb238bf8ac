"""Measure whether the time of a refused login tells if a name exists (5 minutes).

    python experiments/login_times.py
    python experiments/login_times.py --pairs 50 --seed 7

Pairs of tries on this computer, in random order: a name that nobody has, and a wrong password of an account. Whoever
could tell them apart would learn who teaches here. Writes login_times.csv and login_times.md. Ends with 1 if the
answers differ, or if the interval of the median difference lies on one side of zero by more than a millisecond.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np

from fewshot.research.bench.hostile_login import difference, guesses, measure
from fewshot.research.bench.machine import as_list, describe
from fewshot.research.evaluation.tables import markdown, write_csv

NOISE = 0.001
"""Seconds; less cannot be told through a network by the few tries that a name and an address have."""

WIDEST = 0.010
"""Seconds; with a wider interval nothing is shown."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--results", type=Path, default=Path("experiments/results"))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        pairs = measure(Path(home), arguments.pairs, arguments.seed)
    median, low, high = difference(pairs, arguments.seed)
    values = {
        "pairs": str(len(pairs.wrong)),
        "different answers": str(len(pairs.answers)),
        "unknown name, median, ms": f"{1000 * np.median(pairs.unknown):.1f}",
        "wrong password, median, ms": f"{1000 * np.median(pairs.wrong):.1f}",
        "unknown minus wrong, median of pairs, ms": f"{1000 * median:.2f} [{1000 * low:.2f}, {1000 * high:.2f}]",
        "pairs in which the unknown name was quicker": f"{100 * guesses(pairs):.0f} %",
    }
    good = len(pairs.answers) == 1 and low <= NOISE and high >= -NOISE
    words = "NO" if not good else "yes" if high - low <= WIDEST else "cannot be told: the machine was too busy"
    rows = [{"measure": name, "value": value} for name, value in values.items()]
    rows.append({"measure": "equal within noise", "value": words})
    page = (
        f"# Time of a refused login\n\n{markdown(rows)}\nMachine:\n\n{as_list(describe())}\nRepeat with:\n\n"
        f"    python experiments/login_times.py --pairs {arguments.pairs} --seed {arguments.seed}\n"
    )
    print(page)
    write_csv(rows, arguments.results / "login_times.csv")
    (arguments.results / "login_times.md").write_text(page, encoding="utf-8")
    if not good:
        sys.exit(1)


if __name__ == "__main__":
    main()
