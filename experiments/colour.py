"""Colour against grey, without training: the shipped network on red, green and blue in place of grey.

    python experiments/colour.py --shared ../shared

Development data in colour only: the tenth of RAF-DB and the Taiwanese performers that do not train (press photos and
CK+ are grey). Five minutes on two cores. Writes experiments/results/colour.md and .csv.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fewshot.embedding.runtime import open_embedder
from fewshot.perception import Perception
from fewshot.prototypes.population import Population
from fewshot.research.datasets.mosaics import may_train, read_mosaics
from fewshot.research.evaluation.colour import (
    ALL_THREE,
    BLUE,
    BRIGHTEST,
    GREEN,
    GREY,
    RED,
    crops_in_colours,
    hits,
    probed,
    vectors_in_colours,
)
from fewshot.research.evaluation.intervals import Interval, bootstrap_mean, by_subject, paired_difference
from fewshot.research.evaluation.tables import markdown, write_csv
from fewshot.research.evaluation.vectors import detector_of

RESULTS = Path("experiments/results")
SETS = {"rafdb": "RAF-DB", "taiwan": "Taiwan"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--weights", type=Path, default=Path("fewshot/weights/expression.onnx"))
    parser.add_argument("--results", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    embedder = open_embedder(arguments.weights)
    population = Population.load(arguments.weights.with_suffix(".json"))
    chain, rows = Perception(detector_of(arguments.shared), embedder), list[dict[str, str]]()
    for folder, data in SETS.items():
        faces = read_mosaics(arguments.shared / "data" / folder)
        faces = faces.rows(~may_train(faces))
        crops, kept = crops_in_colours(chain, faces)
        z, labels = vectors_in_colours(embedder, crops), faces.labels[kept]
        people = [faces.subjects[row] or f"{folder}{row}" for row in kept]
        read = {name: hits(population, z[name], labels) for name in (GREY, RED, GREEN, BLUE, BRIGHTEST, ALL_THREE)}
        rows += rows_of(data, "nearest prototype", read, people)
        probes = {GREY: [z[GREY]], "grey, and its differences from red and blue": [z[GREY], z[RED], z[BLUE]]}
        fitted = {name: probed(population, parts, labels, people) for name, parts in probes.items()}
        rows += rows_of(data, "linear classifier, cross-fitted", fitted, people)
    arguments.results.mkdir(parents=True, exist_ok=True)
    write_csv(rows, arguments.results / "colour.csv")
    page = (
        f"# Colour against grey\n\n    python experiments/colour.py\n\nNetwork `{population.network}`. {EXPLAINED}\n\n"
    )
    (arguments.results / "colour.md").write_text(page + markdown(rows), encoding="utf-8")
    print(page + markdown(rows))


def rows_of(data: str, how: str, read: dict[str, NDArray[np.float64]], people: list[str]) -> list[dict[str, str]]:
    """One row for each version: accuracy, people weighted equally, and the difference from the first, by person."""
    rows, first = list[dict[str, str]](), np.zeros(0)
    for name, right in read.items():
        names, sums, counts = by_subject(right, people)
        scores = sums / counts
        row = {"data": data, "people": str(len(names)), "faces": str(len(right)), "classified by": how, "picture": name}
        row["accuracy"] = str(bootstrap_mean(scores))
        gain: Interval | None = paired_difference(scores, first) if len(first) else None
        first = first if len(first) else scores
        rows.append(row | {"less grey": gain.signed if gain else ""})
    return rows


EXPLAINED = """Development data in colour. The network was trained on grey pictures. All pictures of a face share the
landmarks, so only the grey levels differ. Accuracy: people weighted equally (RAF-DB: every face is a person), with 95 %
bootstrap intervals; "less grey": paired by person. The linear classifier is fitted to the vectors of other people. It
can use what differs between the colours; if colour says more than grey, it gains. This is no training in colour: what a
network that learns from colour would gain was not measured.""".replace("\n", " ")

if __name__ == "__main__":
    main()
