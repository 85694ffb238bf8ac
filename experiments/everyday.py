"""What enrolled photos of which kind are worth: press photos, performers and a laboratory, by the shipped network.

    python experiments/everyday.py --shared ../shared

Development data only (experiments/data_use.json); trust in photos is cross-fitted by subject. Five minutes on two
cores after the first time. Writes experiments/results/everyday.md and .csv.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from fewshot.embedding.runtime import open_embedder
from fewshot.prototypes.estimators import AdaptiveHierarchical, Hierarchical
from fewshot.prototypes.population import Population
from fewshot.research.evaluation.everyday import (
    ALONE,
    CLASS_SIZE,
    SMALL,
    WAYS,
    measure,
    spread_rows,
    without_emotion,
    worth_row,
)
from fewshot.research.evaluation.population_choice import albums_with_people
from fewshot.research.evaluation.protocol_results import Row, in_words
from fewshot.research.evaluation.tables import markdown, write_csv

RESULTS = Path("experiments/results")
TRIED = (
    (AdaptiveHierarchical(), CLASS_SIZE),
    (AdaptiveHierarchical(), SMALL),
    (AdaptiveHierarchical(), ALONE),
    (Hierarchical(), CLASS_SIZE),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--weights", type=Path, default=Path("fewshot/weights/expression.onnx"))
    parser.add_argument("--population", type=Path, help="another than the one beside the weights")
    parser.add_argument("--outputs", type=Path, default=Path("outputs"))
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--draws", type=int, default=2)
    arguments = parser.parse_args()
    embedder = open_embedder(arguments.weights)
    population = Population.load(arguments.population or arguments.weights.with_suffix(".json"))
    albums = albums_with_people(arguments.shared, embedder, arguments.outputs / "vectors")
    spreads = spread_rows(population, albums)
    albums["Taiwan without fear"] = without_emotion(albums["Taiwan"], "fear")
    rows: list[Row] = []
    for name, album in albums.items():
        for estimator, size in TRIED:
            for way in WAYS:
                worth = measure(population, estimator, album, name, way, arguments.draws, seed=0, size=size)
                rows.append({"estimator": estimator.name, "class of": size, **worth_row(worth)})
                print(f"{estimator.name}, {size}, {name}, {way}: own - nobody {rows[-1]['own - nobody']}", flush=True)
    arguments.results.mkdir(parents=True, exist_ok=True)
    write_csv(rows, arguments.results / "everyday.csv")
    table, spread = (markdown([in_words(row) for row in made]) for made in (rows, spreads))
    text = f"# What photos of which kind are worth\n\n{__doc__.splitlines()[0]}\n\n{EXPLAINED}\n\n{table}\n"
    text += f"\n## How much photos differ\n\n{SPREADS}\n\n{spread}\n"
    (arguments.results / "everyday.md").write_text(text, encoding="utf-8")


EXPLAINED = """Network of `fewshot/weights`. Classes of about as many people as it says. Accuracy is the mean over
people. Differences are paired by person, with 95 % bootstrap intervals. "Nobody": population prototypes. "Classmates'":
only the photos of the others. "Another's": the photos of another person instead of the student's own. "Adaptive
hierarchical" is what the product uses; "hierarchical" is the same without evidence from the photos, which was used
before. "Lose 2 or more": people of whom two or more photos fewer are right than without any photo. Who is alone in a
class has no classmates."""
SPREADS = """Of each emotion: how much people differ in one photo each, and how much the photos of one person differ, as
multiples of s_d^2 + s_g^2 + s_w^2 of the population. Everybody smiles alike, everybody is angry in their own way;
everyday photos differ in all emotions."""


if __name__ == "__main__":
    main()
