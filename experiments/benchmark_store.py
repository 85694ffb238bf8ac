"""FAISS at the size of a class, a school and a nation: identity galleries, and students' emotion prototypes.

    python experiments/benchmark_store.py                      # 50, 5,000 and 1,000,000 students: about 5 minutes
    python experiments/benchmark_store.py --sizes 50 5000 --part gallery

Needs no model and no data: identity vectors are drawn with the spread of real ones
(``fewshot.research.simulation.made_identities``). A size that is measured again replaces its row in
experiments/results/store.csv; table and plot are made of all rows there.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

from fewshot.research.bench.faiss_scale import (
    LARGEST_STORE,
    Drawn,
    Row,
    measure_gallery,
    measure_index,
    measure_store,
    write,
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[50, 5_000, 1_000_000])
    parser.add_argument("--part", choices=["gallery", "prototypes", "index"], default=None, help="only this one")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("experiments/results"))
    parser.add_argument("--work", type=Path, default=None, help="folder for the files, with room for 3 GB")
    parser.add_argument("--cache", type=Path, default=None, help="keep drawn people here, for the next run")
    parser.add_argument("--only-draw", action="store_true", help="fill the cache and measure nothing")
    arguments = parser.parse_args()
    measured = []
    with tempfile.TemporaryDirectory(dir=arguments.work) as folder:
        for students in arguments.sizes:
            for part in [arguments.part] if arguments.part else ["gallery", "prototypes", "index"]:
                for row in measure(part, students, arguments, Path(folder)):
                    measured.append(row)
                    print(row, flush=True)
    if measured:
        write(measured, arguments.out)


def measure(part: str, students: int, arguments: argparse.Namespace, folder: Path) -> Iterator[Row]:
    """The rows of one part at one size."""
    if part == "gallery":
        drawn = Drawn.at(students, arguments.seed, arguments.cache)
        if not arguments.only_draw:
            yield measure_gallery(drawn, folder)
    elif arguments.only_draw:
        return
    elif part == "index":
        yield from (measure_index(students, arguments.seed, kind) for kind in ("flat", "lists"))
    elif students <= LARGEST_STORE:
        yield measure_store(students, arguments.seed)


if __name__ == "__main__":
    main()
