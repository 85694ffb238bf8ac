"""How right readings and recognition are by gender, age and ethnicity: 102 adults of the London set.

    python experiments/fairness.py --shared ../shared

Writes experiments/results/fairness.md and .csv, in half a minute.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from fewshot.embedding.runtime import open_embedder
from fewshot.faces.identity import Recogniser
from fewshot.loops import open_population
from fewshot.perception import Perception
from fewshot.research.evaluation.fairness import fairness_rows, look
from fewshot.research.evaluation.protocol_results import in_words
from fewshot.research.evaluation.tables import markdown, write_csv
from fewshot.research.evaluation.vectors import detector_of

RESULTS = Path("experiments/results")
EXPLAINED = """\
102 adults of the Face Research Lab London Set (DeBruine & Jones 2017, CC BY 4.0), a neutral and a smiling picture of
each, in one studio, seen once. Groups are as people described themselves; a group of fewer than 5 people has no row.

- neutral, smile read right: the most likely emotion, nobody enrolled. unsure: of both pictures.
- not recognised: the smiling picture is less similar to the person's own neutral one than a name needs. In a lesson
  many frames are asked, not one.
- another's photo is alike: share of the pairs of two people of one group whose pictures are as similar as that. In a
  class the student's lead over the second counts too.

Intervals: 95 %, bootstrap over people. Groups are small: only large differences can be told from chance. The set says
nothing about other emotions than these two, other light, glasses, head coverings, or children."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    arguments = parser.parse_args()
    recogniser = Recogniser(arguments.shared / "models/insightface/models/buffalo_sc/w600k_mbf.onnx")
    chain = Perception(detector_of(arguments.shared), open_embedder(), recogniser)
    seen, missed = look(chain, arguments.shared / "data/london")
    rows = fairness_rows(seen, open_population(), chain.identity_network)
    write_csv(rows, RESULTS / "fairness.csv")
    found = f"Pictures without a readable face: {missed} of 204."
    table = markdown([in_words(row) for row in rows])
    text = f"# Fairness\n\n    python experiments/fairness.py\n\n{EXPLAINED}\n\n{found}\n\n{table}\n"
    (RESULTS / "fairness.md").write_text(text, encoding="utf-8")
    print(table)


if __name__ == "__main__":
    main()
