"""Population prototypes, variances and calibration of the exported network.

    python experiments/population.py --shared ../shared
    python experiments/population.py --weights mine --own faces

Choices are made on development data only: PublicTest, CK+, and what is left out of RAF-DB and Taiwan. Writes
fewshot/weights/expression.json (for the runtime) and experiments/results/population.md (what was compared), in about
five minutes on two cores. With --own (folder or csv, as data.root of the training) the prototypes are the class means
of your own training pictures, and the thresholds are those of your validation pictures; no data set is needed.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from fewshot.checksums import sha256_of
from fewshot.embedding.runtime import open_embedder
from fewshot.errors import UsageError
from fewshot.research.evaluation.own_population import own_data, own_population
from fewshot.research.evaluation.population_chosen import choose_population
from fewshot.research.evaluation.population_page import population_page
from fewshot.research.training.sentences import in_sentences

SHIPPED, KEPT = Path("fewshot/weights"), Path("experiments/weights")
RESULTS = Path("experiments/results")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument(
        "--weights",
        type=Path,
        help="another network's folder, which the numbers go to as well (default: the shipped one)",
    )
    parser.add_argument("--results", type=Path, default=RESULTS, help="for population.md")
    parser.add_argument("--own", help="make them from your own pictures: folder or csv, as data.root of the training")
    parser.add_argument("--faces", default="detect", help="of --own: detect, or whole if the pictures are cut already")
    parser.add_argument("--form", default="auto", help="of --own: as data.form of the training")
    parser.add_argument("--seed", type=int, default=0, help="of --own: as seed of the training")
    parser.add_argument("--prepared", type=Path, default=Path("outputs"), help="of --own: where the faces are kept")
    arguments = parser.parse_args()
    with in_sentences():
        if arguments.own:
            from_own_pictures(arguments)
        else:
            from_data_sets(arguments)


def from_own_pictures(arguments: argparse.Namespace) -> None:
    """Write expression.json of a network that was trained on your own pictures.

    Raises:
        UsageError: no folder is named for it, or there are too few pictures.
    """
    if arguments.weights is None:
        raise UsageError(
            "--own goes with --weights FOLDER, where experiments/export.py --out FOLDER wrote the network. The "
            "prototypes of the network that ships are made from its own data."
        )
    embedder = open_embedder(arguments.weights / "expression_fp32.onnx", engine="onnxruntime")
    data = own_data(
        arguments.own, arguments.shared, arguments.prepared, arguments.faces, arguments.form, arguments.seed
    )
    made = own_population(embedder, data)
    written = arguments.weights / "expression.json"
    made.population.save(written)
    print(f"Classes: {', '.join(made.population.classes)}.")
    print(f"{made.shown[0]} training faces, {made.shown[1]} validation faces.")
    print(f"Balanced accuracy on the validation faces: {made.balanced:.3f}.")
    if made.note:
        print(made.note)
    print(f"Written: {written}")


def from_data_sets(arguments: argparse.Namespace) -> None:
    """Compare and choose on the development data sets, and write expression.json and population.md.

    Raises:
        FewshotError: a data set or a file of the network is missing.
    """
    # Of fp32, the network as it was trained; its 8-bit copy lies around the same means.
    kept, out = arguments.weights or KEPT, arguments.weights or SHIPPED
    embedder = open_embedder(kept / "expression_fp32.onnx", engine="onnxruntime")
    choice = choose_population(arguments.shared, embedder, kept / "expression.safetensors", Path("outputs"))
    written = out / "expression.json"
    choice.population.save(written)
    print(f'{written}: sha256="{sha256_of(written)}", size={written.stat().st_size:_} (for fewshot/models/registry.py)')
    page = "\n".join(population_page(choice))
    arguments.results.mkdir(parents=True, exist_ok=True)
    (arguments.results / "population.md").write_text(page + "\n", encoding="utf-8")
    print(page)


if __name__ == "__main__":
    main()
