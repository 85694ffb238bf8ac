"""Who is used for what: write experiments/data_use.json from the data, or check that the data are still those.

    python experiments/data_use.py --shared ../shared            # check; exit code 1 if anything differs
    python experiments/data_use.py --shared ../shared --write    # write the file

Both compare every FER2013 training picture with every test picture: about a minute on two cores.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from fewshot.research.datasets.data_split import DataUse, read_use, write_use
from fewshot.research.datasets.data_split_sets import leaking_rows, make_use
from fewshot.research.datasets.fer2013 import load_fer2013
from fewshot.research.evaluation.tables import markdown

FILE = Path("experiments/data_use.json")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    fer = load_fer2013(arguments.shared / "data/fer2013")
    made = make_use(fer, leaking_rows(fer), arguments.shared / "data")
    columns = ("role", "dataset", "split", "pictures", "of", "rule")
    print(markdown([{name: str(getattr(entry, name)) for name in columns} for entry in made.sets]))
    if arguments.write:
        write_use(made, FILE)
        print(f"written: {FILE}")
    elif differing := differences(read_use(FILE), made):
        sys.exit("\n".join(differing))
    else:
        print(f"The data are those of {FILE}.")


def differences(stated: DataUse, found: DataUse) -> list[str]:
    """What the file states and the data do not bear out, in words."""
    names = [entry.name for entry in stated.sets]
    lines = [f"{entry.name}: not in the file" for entry in found.sets if entry.name not in names]
    for entry in stated.sets:
        others = [other for other in found.sets if other.name == entry.name]
        if not others:
            lines.append(f"{entry.name}: in the file, not in the data")
        elif others[0] != entry:
            lines.append(f"{entry.name}: the file says {entry}, the data say {others[0]}")
    if stated.excluded != found.excluded:
        lines.append("FER2013's excluded pictures are others than the file says")
    return lines


if __name__ == "__main__":
    main()
