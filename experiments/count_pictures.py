"""What a folder of pictures holds, and what of it is too little: before anything is measured on it.

    python experiments/count_pictures.py ~/faces --shots 1 --queries 1
    python experiments/count_pictures.py faces.csv --form csv --read

Any form of docs/how-to/own-data.md. ``--read`` opens every file and names those that cannot be read.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from fewshot.errors import FewshotError
from fewshot.research.datasets.counts import count_table, enough, readable
from fewshot.research.datasets.forms import FORMS, load_pictures
from fewshot.research.evaluation.tables import markdown

LONGEST = 40
"""Rows of a table that are printed; the rest is counted."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--form", default="auto", choices=["auto", *FORMS])
    parser.add_argument("--shots", type=int, default=1, help="pictures an emotion to enroll")
    parser.add_argument("--queries", type=int, default=1, help="pictures an emotion to ask about")
    parser.add_argument("--read", action="store_true", help="open every file")
    arguments = parser.parse_args()
    problems: list[str] = []
    try:
        pictures = load_pictures(arguments.folder, arguments.form, on_problem=problems.append)
    except FewshotError as error:
        sys.exit(f"{error}")
    if arguments.read:
        root = arguments.folder if arguments.folder.is_dir() else arguments.folder.parent
        pictures, damaged = readable(pictures, root)
        problems += damaged
    kept, short = enough(pictures, arguments.shots, arguments.queries)
    cells = sum(len(emotions) for emotions in kept.values())
    print(shortened(count_table(pictures), last=1))
    print(f"{arguments.shots} to enroll and {arguments.queries} to ask about: {cells} emotions of {len(kept)} people.")
    if short:
        print(f"\nToo little:\n\n{shortened([shortage.row() for shortage in short])}")
    for problem in problems:
        print(problem)


def shortened(rows: list[dict[str, str]], last: int = 0) -> str:
    """A table of Markdown; of a long one the beginning, and so many rows of the end."""
    if len(rows) <= LONGEST:
        return markdown(rows)
    shown = rows[: LONGEST - last] + rows[len(rows) - last :]
    return f"{markdown(shown)}\n({len(rows) - LONGEST} rows more)\n"


if __name__ == "__main__":
    main()
