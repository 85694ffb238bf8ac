"""Whether the confidence that is shown can be believed, for strangers and with photos, by the shipped network.

    python experiments/confidence.py --shared ../shared

Development data only (experiments/data_use.json), which the temperatures were chosen on as well. Two minutes on two
cores after the first time. Writes experiments/results/confidence.md and .csv.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from fewshot.embedding.runtime import open_embedder
from fewshot.prototypes.population import Population
from fewshot.research.evaluation.confidence import (
    NOBODY,
    SEEN,
    emotion_rows,
    honesty_row,
    read_in_classes,
    read_strangers,
    reliable,
)
from fewshot.research.evaluation.everyday import WAYS
from fewshot.research.evaluation.population_choice import development_albums
from fewshot.research.evaluation.protocol_results import Row, in_words
from fewshot.research.evaluation.tables import markdown, write_csv

RESULTS = Path("experiments/results")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--weights", type=Path, default=Path("fewshot/weights/expression.onnx"))
    parser.add_argument("--population", type=Path, help="another than the one beside the weights")
    parser.add_argument("--outputs", type=Path, default=Path("outputs"))
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--draws", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="write the states to rely on into the population's file")
    arguments = parser.parse_args()
    embedder = open_embedder(arguments.weights)
    population = Population.load(arguments.population or arguments.weights.with_suffix(".json"))
    albums = development_albums(arguments.shared, embedder, arguments.outputs)
    strangers = {name: read_strangers(population, album) for name, album in albums.items()}
    rows: list[Row] = [honesty_row(name, NOBODY, read) for name, read in strangers.items()]
    for name, album in albums.items():
        if len(set(album.subjects)) < len(album.subjects):
            for way in WAYS:
                rows.append(honesty_row(name, way, read_in_classes(population, album, way, arguments.draws)))
    states = reliable(strangers, population.classes)
    kept = ", ".join(states) or "none"
    if arguments.write:
        # population.py names them by the network in 32 bits; here it is the one that runs.
        replace(population, reliable=states).save(arguments.population or arguments.weights.with_suffix(".json"))
    tables = [markdown([in_words(row) for row in part]) for part in (rows, emotion_rows(strangers, population.classes))]
    text = (
        f"# Can the confidence be believed?\n\n    python experiments/confidence.py\n\n{EXPLAINED}\n\n{tables[0]}\n\n"
        f"{BY_EMOTION}\n\n{tables[1]}\n\nStates that a teacher can rely on without photos: **{kept}**.\n"
    )
    arguments.results.mkdir(parents=True, exist_ok=True)
    write_csv(rows, arguments.results / "confidence.csv")
    (arguments.results / "confidence.md").write_text(text, encoding="utf-8")
    print(text)


EXPLAINED = """Network of `fewshot/weights`, development data. Nothing is rejected here: each face counts with its most
probable emotion. "Share with 80 % right": the surest readings, as many as there are with 80 % of them right; that is
the most that any limit on the confidence could show. Truth: FER+'s published rule (PublicTest), 40 raters' plurality
(RAF-DB), the performers' instructions (Taiwan, CK+), one worker's label (press photos; noisy)."""
BY_EMOTION = f"""Nobody enrolled: share of the faces of an emotion that are found, and how many readings of it are shown
at 80 % or more and what share of these is right. An emotion can be relied on if at least 80 % are right in every data
set that has {SEEN} such readings, and at least two have."""


if __name__ == "__main__":
    main()
