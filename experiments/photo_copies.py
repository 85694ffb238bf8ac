"""Whether a changed copy of a photo counts as one photo, and a different photo of the same person as a second one.

    python experiments/photo_copies.py --shared ../shared

Writes experiments/results/photo_copies.md and two .csv files, in a few minutes. The limits in
``fewshot.classroom.copies`` were set on these sets.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from fewshot.classroom.photo_perception import photo_perception
from fewshot.embedding.runtime import open_embedder
from fewshot.faces.identity import Recogniser
from fewshot.perception import Perception
from fewshot.research.datasets.mosaics import read_mosaics
from fewshot.research.evaluation.photo_copies import copy_rows, different_rows
from fewshot.research.evaluation.protocol_results import in_words
from fewshot.research.evaluation.tables import markdown, write_csv
from fewshot.research.evaluation.vectors import detector_of

RESULTS = Path("experiments/results")
EXPLAINED = """\
Press photos (people_wild) and performers in a studio (Taiwan), both development data. The limits were set on them.

- Copies: photos drawn at random, each changed in one way and enrolled again. "Counted as one photo": the copy is
  refused. "Nearly the same": it is accepted, and a note says that it teaches little.
- Different photos: all pairs among photos of one person. The performers show one expression several times before one
  camera within seconds, like a burst: the hardest case."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--copies", type=int, default=30, help="photos of each set that are copied")
    parser.add_argument("--people", type=int, default=8, help="performers; five times as many people of the press")
    arguments = parser.parse_args()
    recogniser = Recogniser(arguments.shared / "models/insightface/models/buffalo_sc/w600k_mbf.onnx")
    eyes = photo_perception(Perception(detector_of(arguments.shared), open_embedder(), recogniser))
    wild, taiwan = (read_mosaics(arguments.shared / "data" / name) for name in ("people_wild", "taiwan"))
    different = [
        *different_rows(eyes, taiwan, arguments.people, 40),
        *different_rows(eyes, wild, 5 * arguments.people, 16),
    ]
    second = markdown([in_words(row) for row in different])
    print(second, flush=True)
    copies = [*copy_rows(eyes, wild, arguments.copies), *copy_rows(eyes, taiwan, arguments.copies)]
    first = markdown([in_words(row) for row in copies])
    print(first)
    write_csv(different, RESULTS / "photo_copies_different.csv")
    write_csv(copies, RESULTS / "photo_copies.csv")
    parts = [
        f"# Copies of photos\n\n    python experiments/photo_copies.py\n\n{EXPLAINED}",
        f"## Copies\n\n{first}",
        f"## Different photos\n\n{second}",
    ]
    text = "\n\n".join(parts) + "\n"
    (RESULTS / "photo_copies.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
