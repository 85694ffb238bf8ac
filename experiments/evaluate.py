"""Measure the shipped network. Tables go to experiments/results/ as CSV and Markdown.

python experiments/evaluate.py protocol=closed_set
"""

from __future__ import annotations

import csv
from pathlib import Path

import hydra
import numpy as np
from omegaconf import DictConfig

from fewshot.data.closed_set import ClosedSet, Score, confusion
from fewshot.data.fer2013 import PUBLIC_TEST, TRAINING, Fer2013, load_fer2013
from fewshot.embedding.runtime import open_embedder
from fewshot.embedding.training.export import load_state
from fewshot.embedding.training.population import FRAMINGS, Candidate, FerVectors, candidates, fer_vectors
from fewshot.prototypes.population import Population
from fewshot.types import EMOTIONS


@hydra.main(version_base=None, config_path="../conf", config_name="evaluate")
def main(cfg: DictConfig) -> None:
    protocol: ClosedSet = hydra.utils.instantiate(cfg.protocol)
    network = Path(cfg.network)
    embedder = open_embedder(network)
    population = Population.load(network.with_suffix(".json"))
    fer = load_fer2013(Path(cfg.shared) / "data/fer2013")
    vectors = fer_vectors(embedder, fer, Path("outputs"), Path("outputs/vectors"))
    ferplus = Candidate("population", population.mean, population.prototypes)
    own = own_labels(network.with_suffix(".safetensors"), fer, vectors)

    scores: list[tuple[str, Score]] = []
    tables = []
    for test, truth in protocol.tests(fer, vectors.excluded).items():
        rows = np.flatnonzero(truth >= 0)
        prototypes = own if "FER2013" in test else ferplus
        for framing in FRAMINGS:
            predicted = prototypes.predict(getattr(vectors, framing)[rows])
            scores.append((framing, protocol.score(test, truth[rows], predicted)))
            if framing == "published":
                tables.append((test, confusion(truth[rows], predicted)))
    write(Path(cfg.results), population.network, own.name, scores, tables)


def own_labels(weights: Path, fer: Fer2013, vectors: FerVectors) -> Candidate:
    """A second set of prototypes for FER2013's own labels over the same embedding, chosen on PublicTest."""
    _, heads = load_state(weights)
    learned = (heads["labels.weight"] / heads["labels.weight"].norm(dim=1, keepdim=True)).numpy()
    train = (fer.usage == TRAINING) & ~vectors.excluded
    one_hot = np.eye(len(EMOTIONS), dtype=np.float32)[fer.labels[train]]
    made = candidates(
        np.concatenate([vectors.published[train], vectors.aligned[train]]), np.concatenate([one_hot, one_hot]), learned
    )
    public = (fer.usage == PUBLIC_TEST) & ~vectors.excluded
    hits = [(c.predict(vectors.published[public]) == fer.labels[public]).mean() for c in made]
    return made[int(np.argmax(hits))]


def write(
    folder: Path, network: str, own: str, scores: list[tuple[str, Score]], tables: list[tuple[str, np.ndarray]]
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    lines = [
        "# Closed set: nearest population prototype, seven classes, one crop",
        "",
        f'Network `{network}`. 95 % intervals: bootstrap over pictures. "published": the 48x48 picture as it is;',
        f'"aligned": the crop the live loop would cut. FER2013\'s own labels have prototypes of their own ({own}).',
        "",
        "| test | n | framing | accuracy | macro-F1 |",
        "|---|---|---|---|---|",
    ]
    with (folder / "closed_set.csv").open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream)
        table.writerow(["test", "n", "framing", "accuracy", "low", "high", "macro_f1", "macro_f1_low", "macro_f1_high"])
        for framing, score in scores:
            numbers = [*score.accuracy, *score.macro_f1]
            table.writerow([score.test, score.n, framing, *(f"{number:.4f}" for number in numbers)])
            a, b = (f"{value:.3f} ({low:.3f}-{high:.3f})" for value, low, high in (score.accuracy, score.macro_f1))
            lines.append(f"| {score.test} | {score.n} | {framing} | {a} | {b} |")
    for test, counts in tables[:3]:
        lines += ["", f"Confusion, {test} (rows: truth):", "", "| | " + " | ".join(EMOTIONS) + " |", "|---" * 8 + "|"]
        lines += [f"| {name} | " + " | ".join(map(str, row)) + " |" for name, row in zip(EMOTIONS, counts, strict=True)]
    (folder / "closed_set.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
