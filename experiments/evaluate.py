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
from fewshot.data.fer2013 import PUBLIC_TEST, TRAINING, load_fer2013
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
    weights = network.with_suffix(".safetensors")
    fer = load_fer2013(Path(cfg.shared) / "data/fer2013")
    vectors = fer_vectors(embedder, fer, Path("outputs"), Path("outputs/vectors"))
    runtime = Candidate("runtime", population.mean, population.prototypes)
    votes, usable = fer.vote_distribution()
    known = votes[:, : len(EMOTIONS)]
    train = (fer.usage == TRAINING) & ~vectors.excluded
    clear = train & usable & (known.sum(1) > 0.5)
    ferplus = chosen(
        weights,
        "votes",
        fer.ferplus_published(),
        known / known.sum(1, keepdims=True).clip(1e-9),
        clear,
        (fer.usage == PUBLIC_TEST) & ~vectors.excluded & (fer.ferplus_published() >= 0),
        vectors,
    )
    one_hot = np.eye(len(EMOTIONS), dtype=np.float32)[fer.labels]
    own = chosen(weights, "labels", fer.labels, one_hot, train, (fer.usage == PUBLIC_TEST) & ~vectors.excluded, vectors)

    scores: list[tuple[str, str, Score]] = []
    tables = []
    for test, truth in protocol.tests(fer, vectors.excluded).items():
        rows = np.flatnonzero(truth >= 0)
        for prototypes in [own] if "FER2013" in test else [ferplus, runtime]:
            for framing in FRAMINGS:
                predicted = prototypes.predict(getattr(vectors, framing)[rows])
                scores.append((framing, prototypes.name, protocol.score(test, truth[rows], predicted)))
                if framing == "published" and prototypes is not runtime:
                    tables.append((test, confusion(truth[rows], predicted)))
    write(Path(cfg.results), population.network, scores, tables)


def chosen(
    weights: Path,
    head: str,
    labels: np.ndarray,
    targets: np.ndarray,
    train: np.ndarray,
    public: np.ndarray,
    vectors: FerVectors,
) -> Candidate:
    """The prototypes that PublicTest prefers, as published: learned class vectors, class means or fitted ones.

    Args:
        weights: safetensors file with the learned class vectors ``<head>.weight``.
        labels: class indices, shape (n,); targets: class probabilities, shape (n, 7).
        train, public: which rows to make and to choose with, shape (n,).
    """
    _, heads = load_state(weights)
    learned = heads[f"{head}.weight"][: len(EMOTIONS)]
    learned = (learned / learned.norm(dim=1, keepdim=True)).numpy()
    both = np.concatenate([vectors.published[train], vectors.aligned[train]])
    made = candidates(both, np.concatenate([targets[train], targets[train]]), learned)
    hits = [(c.predict(vectors.published[public]) == labels[public]).mean() for c in made]
    return made[int(np.argmax(hits))]


def write(
    folder: Path, network: str, scores: list[tuple[str, str, Score]], tables: list[tuple[str, np.ndarray]]
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    lines = [
        "# Closed set: nearest population prototype, seven classes, one crop",
        "",
        f"Network `{network}`. 95 % intervals: bootstrap over pictures. Framing: the 48x48 picture as it is,",
        "or aligned as the live loop cuts it. Prototypes: what PublicTest prefers, or the runtime's, nearer to the",
        "class means so that photos of a student can be mixed with them. FER2013's own labels have their own set.",
        "",
        "| test | n | framing | prototypes | accuracy | macro-F1 |",
        "|---|---|---|---|---|---|",
    ]
    with (folder / "closed_set.csv").open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream)
        table.writerow(["test", "n", "framing", "prototypes", "accuracy", "low", "high", "f1", "f1_low", "f1_high"])
        for framing, prototypes, score in scores:
            numbers = [*score.accuracy, *score.macro_f1]
            table.writerow([score.test, score.n, framing, prototypes, *(f"{number:.4f}" for number in numbers)])
            a, b = (f"{value:.3f} ({low:.3f}-{high:.3f})" for value, low, high in (score.accuracy, score.macro_f1))
            lines.append(f"| {score.test} | {score.n} | {framing} | {prototypes} | {a} | {b} |")
    for test, counts in tables[:3]:
        lines += ["", f"Confusion, {test} (rows: truth):", "", "| | " + " | ".join(EMOTIONS) + " |", "|---" * 8 + "|"]
        lines += [f"| {name} | " + " | ".join(map(str, row)) + " |" for name, row in zip(EMOTIONS, counts, strict=True)]
    (folder / "closed_set.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
