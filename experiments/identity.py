"""How well identity vectors tell people apart: the recogniser, and the expression network's second output.

    python experiments/identity.py --shared ../shared

Thresholds are read off CK+ (development): every subject enrolled with two pictures, classes of 30 drawn at random. LFW
pairs are a test: nothing is chosen on them. Writes experiments/results/identity.csv and .md.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np

from fewshot.data.lfw import read_pairs
from fewshot.data.pictures import faces_of
from fewshot.data.subjects import read_subjects
from fewshot.data.tables import markdown, write_csv
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
PAIRS = 6000
HEAD = f"""# Identity: cosine similarity of unit vectors

    {{command}}

Network `{{network}}`, seed 0.

CK+ (development): {ENROLLED} pictures enrolled, {DRAWS} classes of {CLASS_SIZE} drawn; p1 and p5 of the similarity to
oneself, p95 and more of a stranger's to the likest of the class. LFW (test): accuracy over ten folds, threshold of the
other nine, on those pairs of pairs.txt whose pictures are here; the cascades, half a second a picture, are asked for
{SLOW_PAIRS} of them and find both faces of fewer.

"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--pairs", type=int, default=PAIRS, help="how many LFW pairs at most")
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
    rows: list[dict[str, str]] = []
    for name, (detector, recogniser) in chains.items():
        perception = Perception(detector, embedder, recogniser)
        found, rank1, own, other = on_ckplus(perception, data)
        same, stranger = np.quantile(own, [0.01, 0.05]), np.quantile(other, [0.95, 0.99, 0.999])
        most = SLOW_PAIRS if detector is cascade else arguments.pairs
        accuracy, n = on_lfw(perception, data / "lfw", min(arguments.pairs, most))
        rows.append(
            {
                "chain": name,
                "faces found": f"{found:.3f}",
                "rank 1": f"{rank1:.3f}",
                "same person p1": f"{same[0]:.3f}",
                "p5": f"{same[1]:.3f}",
                "best stranger p95": f"{stranger[0]:.3f}",
                "p99": f"{stranger[1]:.3f}",
                "p99.9": f"{stranger[2]:.3f}",
                "LFW": f"{accuracy:.3f}",
                "pairs": str(n),
            }
        )
    out = Path("experiments/results")
    write_csv(rows, out / "identity.csv")
    typed = [] if arguments.pairs == PAIRS else [f"--pairs {arguments.pairs}"]
    head = HEAD.format(command=" ".join(["python experiments/identity.py", *typed]), network=embedder.network)
    (out / "identity.md").write_text(head + markdown(rows), encoding="utf-8")
    print(head + markdown(rows))


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
