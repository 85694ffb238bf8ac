"""How well identity vectors tell people apart: on CK+ (development) and on the pairs of LFW (test)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fewshot.perception import Perception
from fewshot.research.datasets.lfw import read_pairs
from fewshot.research.datasets.single_faces import faces_of
from fewshot.research.datasets.subjects import read_subjects

CLASS_SIZE, DRAWS, ENROLLED = 30, 20, 2
FULL = 49
"""Students of the classes that rules are chosen in, each enrolled by one neutral picture."""
ACCEPT, MARGIN = (0.36, 0.39, 0.42, 0.45, 0.48, 0.51, 0.54), (0.06, 0.10, 0.14, 0.16, 0.18, 0.20)
"""Rules that are tried: least similarity to the likest of the class, and how far they must lead the next."""


@dataclass(frozen=True, eq=False)
class People:
    """CK+ as a chain sees it.

    Attributes:
        found: share of the pictures with a face.
        vectors: by subject, unit identity vectors, shape (n, k), in the order of the data set.
        neutral: by subject, which of them are of neutral pictures, shape (n,).
    """

    found: float
    vectors: dict[str, NDArray[np.float32]]
    neutral: dict[str, NDArray[np.bool_]]


def of_ckplus(perception: Perception, data: Path) -> People:
    """CK+ through a chain of models.

    Args:
        perception: detector and recogniser.
        data: the folder that holds subjects.csv and its pictures.
    """
    rows = read_subjects(data / "subjects.csv", datasets=["ckplus"], emotions=())
    faces, kept = faces_of(perception, [data / row.path for row in rows])
    seen: dict[str, list[tuple[NDArray[np.float32], bool]]] = defaultdict(list)
    for face, index in zip(faces, kept, strict=True):
        if face.identity is not None:
            seen[rows[index].subject].append((face.identity, rows[index].emotion == "neutral"))
    return People(
        len(faces) / len(rows),
        {subject: np.stack([vector for vector, _ in pairs]) for subject, pairs in seen.items()},
        {subject: np.array([neutral for _, neutral in pairs]) for subject, pairs in seen.items()},
    )


def chain_row(name: str, people: People, accuracy: float, pairs: int) -> dict[str, str]:
    """One row of the table of chains.

    Args:
        name: of the chain of models.
        people: CK+ as it sees it.
        accuracy, pairs: what ``on_lfw`` gave.
    """
    rank1, own, other = likeness(people.vectors)
    same, stranger = np.quantile(own, [0.01, 0.05]), np.quantile(other, [0.95, 0.99, 0.999])
    return {
        "chain": name,
        "faces found": f"{people.found:.3f}",
        "rank 1": f"{rank1:.3f}",
        "same person p1": f"{same[0]:.3f}",
        "p5": f"{same[1]:.3f}",
        "best stranger p95": f"{stranger[0]:.3f}",
        "p99": f"{stranger[1]:.3f}",
        "p99.9": f"{stranger[2]:.3f}",
        "LFW": f"{accuracy:.3f}",
        "pairs": str(pairs),
    }


def likeness(vectors: dict[str, NDArray[np.float32]]) -> tuple[float, NDArray[np.float32], NDArray[np.float32]]:
    """How alike pictures are to their own person and to strangers, in classes drawn at random.

    Args:
        vectors: by subject, unit vectors, shape (n, k); the first ``ENROLLED`` of each are enrolled.

    Returns:
        Rank-1 accuracy; cosine similarities of pictures to their own person, shape (a,); of strangers' pictures to the
        likest person of the class, shape (b,).
    """
    people = sorted(subject for subject, own in vectors.items() if len(own) > ENROLLED)
    rng = np.random.default_rng(0)
    own, other, hits = [], [], []
    for _ in range(DRAWS):
        enrolled = list(rng.permutation(people)[:CLASS_SIZE])
        references = np.stack([vectors[person][:ENROLLED] for person in enrolled]).mean(axis=1)
        references /= np.linalg.norm(references, axis=1, keepdims=True)
        for column, person in enumerate(enrolled):
            similarity = vectors[person][ENROLLED:] @ references.T
            own.append(similarity[:, column])
            hits.append(similarity.argmax(axis=1) == column)
        strangers = [person for person in people if person not in enrolled]
        other += [(vectors[person] @ references.T).max(axis=1) for person in strangers]
    return float(np.concatenate(hits).mean()), np.concatenate(own), np.concatenate(other)


def named_by_rule(people: People) -> list[dict[str, str]]:
    """Who is named by one picture, for each rule of ``ACCEPT`` and ``MARGIN``: shares of students and of strangers."""
    usable = sorted(who for who, neutral in people.neutral.items() if neutral.any() and len(neutral) > 1)
    rng = np.random.default_rng(0)
    best, lead, truth = [], [], []  # of every picture asked: 1 the right one of the class, 0 another, -1 a stranger
    for _ in range(DRAWS):
        order = rng.permutation(usable)
        enrolled = [str(who) for who in order[:FULL]]
        first = {who: int(np.flatnonzero(people.neutral[who])[0]) for who in enrolled}
        references = np.stack([people.vectors[who][first[who]] for who in enrolled])
        for person in map(str, order):
            asked = people.vectors[person]
            if person in first:
                asked = np.delete(asked, first[person], axis=0)
            similarity = asked @ references.T
            second, top = np.partition(similarity, -2, axis=1)[:, -2:].T
            best.append(top)
            lead.append(top - second)
            known = similarity.argmax(axis=1) == (enrolled.index(person) if person in first else -1)
            truth.append(np.where(person in first, known.astype(int), -1))
    alike, ahead, who = np.concatenate(best), np.concatenate(lead), np.concatenate(truth)
    rows = []
    for accept, margin in product(ACCEPT, MARGIN):
        named = (alike >= accept) & (ahead >= margin)
        rows.append(
            {
                "as alike as": f"{accept:.2f}",
                "leading by": f"{margin:.2f}",
                "named rightly": f"{(named & (who == 1)).sum() / (who >= 0).sum():.4f}",
                "called by another's name": f"{(named & (who == 0)).sum() / (who >= 0).sum():.4f}",
                "strangers named": f"{named[who < 0].mean():.4f}",
            }
        )
    return rows


def on_lfw(perception: Perception, folder: Path, limit: int) -> tuple[float, int]:
    """Verification accuracy over ten folds, each at the best threshold of the other nine, and the number of pairs.

    Args:
        folder: of LFW's pictures, with pairs.txt.
        limit: how many pairs at most, drawn at random; pairs without both faces do not count.
    """
    pairs = [pair for pair in _pairs_of(folder) if pair[0].is_file() and pair[1].is_file()]
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


def _pairs_of(folder: Path) -> list[tuple[Path, Path, bool]]:
    """Pairs of pictures and whether they show one person."""
    return [
        (_picture(folder, *first), _picture(folder, *second), first[0] == second[0])
        for first, second in read_pairs(folder / "pairs.txt")
    ]


def _picture(folder: Path, name: str, number: int) -> Path:
    return folder / f"{name}_{number:04d}.jpg"
