"""Population prototypes of a trained network: class means, or prototypes fitted to vote distributions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from fewshot.embedding.runtime import Embedder, cache_key
from fewshot.prototypes.space import transform
from fewshot.research.datasets.fer2013 import Fer2013
from fewshot.research.datasets.framing import cut, framings
from fewshot.research.training.datamodule import TRUSTED_LANDMARKS
from fewshot.research.training.losses import CosinePrototypes, soft_cross_entropy, squared_distances
from fewshot.types import Vectors

FRAMINGS = ("published", "aligned")
POSED_SHARES = (0.0, 0.15, 0.3, 0.5)
"""Shares of posed faces in population prototypes that are tried."""


@dataclass(frozen=True)
class FerVectors:
    """All of FER2013 as the network sees it.

    Attributes:
        published: vectors of the whole pictures, shape (n, d).
        aligned: vectors of the crops the live loop would cut, shape (n, d).
        excluded: rows that may be used for nothing, shape (n,).
    """

    published: Vectors
    aligned: Vectors
    excluded: NDArray[np.bool_]


def fer_vectors(embedder: Embedder, fer: Fer2013, prepared: Path, cache: Path) -> FerVectors:
    """Embed every face in both framings, once for each file and engine (about a minute)."""
    stored = cache / f"fer2013_{cache_key(embedder)}.npz"
    with np.load(prepared / "fer2013_prepared.npz") as data:
        landmarks, scores, excluded = data["landmarks"], data["scores"], data["excluded"]
    if stored.is_file():
        with np.load(stored) as data:
            return FerVectors(data["published"], data["aligned"], excluded)
    matrices = framings(48, landmarks, scores > TRUSTED_LANDMARKS)
    vectors: list[Vectors] = []
    for framing in range(len(FRAMINGS)):
        rows = []
        for start in range(0, len(fer.faces), 256):
            chosen = range(start, min(start + 256, len(fer.faces)))
            rows.append(embedder.embed_grey(np.stack([cut(fer.faces[i], matrices[i, framing]) for i in chosen])))
        vectors.append(np.concatenate(rows))
    cache.mkdir(parents=True, exist_ok=True)
    np.savez(stored, published=vectors[0], aligned=vectors[1])
    return FerVectors(vectors[0], vectors[1], excluded)


def class_means(vectors: NDArray[np.floating], targets: NDArray[np.floating]) -> Vectors:
    """Means weighted by class probabilities: vectors (n, d), targets (n, k) to prototypes (k, d)."""
    return (targets.T @ vectors / np.maximum(targets.sum(axis=0)[:, None], 1e-9)).astype(np.float32)


def centre(vectors: NDArray[np.floating], targets: NDArray[np.floating]) -> NDArray[np.float32]:
    """b, the unweighted mean of the class means (SimpleShot, Wang et al. 2019), shape (d,)."""
    return np.asarray(class_means(vectors, targets).mean(axis=0), dtype=np.float32)


def fitted_prototypes(
    transformed: Vectors, targets: NDArray[np.floating], start: Vectors, pull: float = 0.0, steps: int = 60
) -> Vectors:
    """Prototypes that make softmax(-|u - p|^2 / T) closest to the targets, T free, over frozen vectors.

    Args:
        transformed: u, shape (n, d).
        targets: class probabilities, shape (n, k).
        start: the class means, shape (k, d).
        pull: weight of the squared distance to ``start``: 0 fits freely, large values keep the means.
        steps: of L-BFGS.

    Returns:
        Shape (k, d).
    """
    u, goal, means = (torch.as_tensor(array, dtype=torch.float32) for array in (transformed, targets, start))
    prototypes = means.clone().requires_grad_()
    log_temperature = torch.tensor(-2.0, requires_grad=True)
    optimizer = torch.optim.LBFGS([prototypes, log_temperature], max_iter=steps, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        logits = -squared_distances(u, prototypes) / log_temperature.exp()
        loss = -(goal * functional.log_softmax(logits, dim=1)).sum(1).mean()
        loss = loss + pull * (prototypes - means).square().sum(1).mean()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    return np.asarray(prototypes.detach().numpy(), dtype=np.float32)


def fitted_class_vectors(
    vectors: Vectors, targets: NDArray[np.floating], prior: torch.Tensor, steps: int = 100
) -> tuple[CosinePrototypes, float]:
    """Class vectors and their scale as training would learn them, over frozen vectors, from the class means on.

    Args:
        vectors: z of length 1 of training crops, shape (n, d).
        targets: class probabilities, shape (n, k).
        prior: what training adds to the logits, shape (k,).
        steps: of L-BFGS.

    Returns:
        The class vectors, and the mean cross entropy at the end.
    """
    z, goal = torch.as_tensor(vectors, dtype=torch.float32), torch.as_tensor(targets, dtype=torch.float32)
    head, everyone = CosinePrototypes(targets.shape[1], vectors.shape[1]), torch.ones(len(z))
    with torch.no_grad():
        head.weight.copy_(functional.normalize(torch.from_numpy(class_means(vectors, targets)), dim=1))
    optimizer = torch.optim.LBFGS(head.parameters(), max_iter=steps, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = soft_cross_entropy(head(z) + prior, goal, everyone)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    return head, float(closure().item())


@dataclass(frozen=True)
class Candidate:
    """One way to make population prototypes: its centre b (d,) and prototypes (k, d) in the transformed space."""

    name: str
    mean: NDArray[np.float32]
    prototypes: Vectors

    def predict(self, vectors: Vectors) -> NDArray[np.int64]:
        """Index of the nearest prototype of raw vectors z (n, d), shape (n,)."""
        u = transform(vectors, self.mean)
        return np.asarray(((u[:, None] - self.prototypes[None]) ** 2).sum(-1).argmin(axis=1))


def with_posed(made: Sequence[Candidate], posed: Mapping[str, tuple[Vectors, NDArray[np.int64]]]) -> list[Candidate]:
    """Every candidate, and its mixtures with what posed faces look like: faces of the web show emotions otherwise.

    Args:
        made: prototypes made of faces of the web.
        posed: name -> vectors z (n, d) and emotions as indices (n,) of posed training faces. Every data set counts the
            same, and so does every emotion of it.
    """
    mixed = []
    for candidate in made:
        kinds = np.eye(len(candidate.prototypes))
        means = [class_means(transform(vectors, candidate.mean), kinds[shown]) for vectors, shown in posed.values()]
        for share in POSED_SHARES:
            prototypes = (1 - share) * candidate.prototypes + share * np.mean(means, axis=0)
            name = f"{candidate.name}, {share:.0%} posed" if share else candidate.name
            mixed.append(Candidate(name, candidate.mean, prototypes.astype(np.float32)))
    return mixed


def candidates(vectors: Vectors, targets: NDArray[np.floating], learned: Vectors) -> list[Candidate]:
    """Learned class vectors of the loss, class means, and fitted prototypes between the two.

    Args:
        vectors: z of training faces, shape (n, d).
        targets: class probabilities, shape (n, k).
        learned: unit class vectors of the cosine-prototype loss, shape (k, d).
    """
    b = centre(vectors, targets)
    u = transform(vectors, b)
    means = class_means(u, targets)
    zero = np.zeros_like(b)
    made = [
        Candidate("learned class vectors", zero, learned),
        Candidate("class means, not centred", zero, class_means(vectors, targets)),
        Candidate("class means (CL2N)", b, means),
    ]
    for pull in (10.0, 1.0, 0.1, 0.0):
        fitted = fitted_prototypes(u, targets, means, pull)
        made.append(Candidate(f"fitted (CL2N, pull {pull:g})", b, fitted))
    return made
