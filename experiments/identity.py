"""How well identity vectors tell people apart: the recogniser, and the expression network's second output.

    python experiments/identity.py --shared ../shared

Thresholds are read off CK+ (development): every subject enrolled with two pictures, classes of 30 drawn at random. LFW
pairs are a test: nothing is chosen on them. Writes experiments/results/identity.md.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np

from fewshot.data.lfw import read_pairs
from fewshot.data.pictures import faces_of
from fewshot.data.subjects import read_subjects
from fewshot.embedding.runtime import open_embedder
from fewshot.faces.cascade import CascadeDetector
from fewshot.faces.detector import Detector
from fewshot.faces.identity import Recogniser
from fewshot.faces.scrfd import ScrfdDetector
from fewshot.models import resolve
from fewshot.perception import Perception

CLASS_SIZE, DRAWS, ENROLLED = 30, 20, 2
SLOW_PAIRS = 400
"""How many LFW pairs the cascades are asked for: they take half a second a picture."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--pairs", type=int, default=6000, help="how many LFW pairs at most")
    arguments = parser.parse_args()
    data, pack = arguments.shared / "data", arguments.shared / "models/insightface/models/buffalo_sc"
    embedder = open_embedder()
    scrfd = ScrfdDetector(pack / "det_500m.onnx")
    cascade = CascadeDetector(resolve("landmarks", download=False))
    chains: dict[str, tuple[Detector, Recogniser | None]] = {
        "SCRFD + MobileFaceNet (default)": (scrfd, Recogniser(pack / "w600k_mbf.onnx")),
        "SCRFD + own identity output": (scrfd, None),
        "cascades + own identity output (fallback)": (cascade, None),
    }
    lines = [
        "# Identity: cosine similarity of unit vectors",
        "",
        f"CK+ (development): {ENROLLED} pictures enrolled, {DRAWS} classes of {CLASS_SIZE} drawn. LFW: those pairs of",
        "pairs.txt whose pictures are here, best threshold of the other nine tenths.",
        "",
        "| chain | faces found | rank 1 | same person p1 | p5 | best stranger p95 | p99 | p99.9 | LFW pairs |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, (detector, recogniser) in chains.items():
        perception = Perception(detector, embedder, recogniser)
        found, rank1, own, other = on_ckplus(perception, data)
        same, stranger = np.quantile(own, [0.01, 0.05]), np.quantile(other, [0.95, 0.99, 0.999])
        most = SLOW_PAIRS if detector is cascade else arguments.pairs
        accuracy, n = on_lfw(perception, data / "lfw", min(arguments.pairs, most))
        numbers = " | ".join(f"{value:.2f}" for value in (*same, *stranger))
        lines.append(f"| {name} | {found:.3f} | {rank1:.3f} | {numbers} | {accuracy:.3f} (n = {n}) |")
        print(lines[-1])
    out = Path("experiments/results/identity.md")
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text("\n".join(lines) + "\n", encoding="utf-8")


def on_ckplus(perception: Perception, data: Path) -> tuple[float, float, np.ndarray, np.ndarray]:
    """Share of faces found, rank-1 accuracy, similarities to oneself, and of strangers to their best match."""
    rows = read_subjects(data / "subjects.csv", datasets=["ckplus"], emotions=())
    faces, kept = faces_of(perception, [data / row.path for row in rows])
    by_subject: dict[str, list[np.ndarray]] = defaultdict(list)
    for face, index in zip(faces, kept, strict=True):
        if face.identity is not None:
            by_subject[rows[index].subject].append(face.identity)
    people = sorted(subject for subject, vectors in by_subject.items() if len(vectors) > ENROLLED)
    rng = np.random.default_rng(0)
    own, other, hits = [], [], []
    for _ in range(DRAWS):
        enrolled = list(rng.permutation(people)[:CLASS_SIZE])
        references = np.stack([by_subject[person][:ENROLLED] for person in enrolled]).mean(axis=1)
        references /= np.linalg.norm(references, axis=1, keepdims=True)
        for column, person in enumerate(enrolled):
            similarity = np.stack(by_subject[person][ENROLLED:]) @ references.T
            own.append(similarity[:, column])
            hits.append(similarity.argmax(axis=1) == column)
        strangers = [person for person in people if person not in enrolled]
        other += [(np.stack(by_subject[person]) @ references.T).max(axis=1) for person in strangers]
    return len(faces) / len(rows), float(np.concatenate(hits).mean()), np.concatenate(own), np.concatenate(other)


def on_lfw(perception: Perception, folder: Path, limit: int) -> tuple[float, int]:
    """Verification accuracy over ten folds, and the number of pairs."""
    pairs = [pair for pair in lfw_pairs(folder) if pair[0].is_file() and pair[1].is_file()]
    pairs = [pairs[i] for i in np.random.default_rng(0).permutation(len(pairs))[:limit]]
    paths = sorted({path for first, second, _ in pairs for path in (first, second)})
    faces, kept = faces_of(perception, paths)
    vectors = {paths[i]: face.identity for face, i in zip(faces, kept, strict=True) if face.identity is not None}
    scored = [(float(vectors[a] @ vectors[b]), same) for a, b, same in pairs if a in vectors and b in vectors]
    similarity, truth = np.array([s for s, _ in scored]), np.array([t for _, t in scored])
    fold, right = np.arange(len(truth)) % 10, []
    for held in range(10):
        train, test = fold != held, fold == held
        grid = np.linspace(-0.2, 0.9, 221)
        best = grid[np.argmax([((similarity[train] > t) == truth[train]).mean() for t in grid])]
        right.append(((similarity[test] > best) == truth[test]).mean())
    return float(np.mean(right)), len(scored)


def lfw_pairs(folder: Path) -> list[tuple[Path, Path, bool]]:
    """Pairs of pictures and whether they show one person."""
    return [
        (picture(folder, *first), picture(folder, *second), first[0] == second[0])
        for first, second in read_pairs(folder / "pairs.txt")
    ]


def picture(folder: Path, name: str, number: int) -> Path:
    return folder / f"{name}_{number:04d}.jpg"


if __name__ == "__main__":
    main()
