"""Which population prototypes are shipped: what each candidate is worth on development data, and what goes with it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fewshot.embedding.runtime import Embedder
from fewshot.perception import Perception
from fewshot.prototypes.calibration import Calibration, fit_thresholds
from fewshot.prototypes.estimators import Hierarchical
from fewshot.prototypes.population import Population
from fewshot.prototypes.space import squared_distances, transform
from fewshot.research.datasets.subjects import read_subjects
from fewshot.research.evaluation.album import Album
from fewshot.research.evaluation.choosing import Asked, allowance_rows, calibration_of, chosen_allowance, development
from fewshot.research.evaluation.controls import OWN, by_subject, read_class
from fewshot.research.evaluation.protocol_results import Row
from fewshot.research.evaluation.support_draws import few_shots, only
from fewshot.research.evaluation.variances import estimate_variances
from fewshot.research.evaluation.vectors import detector_of, embed_pictures
from fewshot.research.training.population import Candidate
from fewshot.types import EMOTIONS, Vectors


def accuracy(candidate: Candidate, vectors: Vectors, truth: NDArray[np.int64]) -> float:
    """Share of vectors (n, d) whose nearest prototype is the truth (n,)."""
    return float((candidate.predict(vectors) == truth).mean())


def measured(
    candidate: Candidate,
    population: Population,
    album: Album,
    published: Vectors,
    aligned: Vectors,
    truth: NDArray[np.int64],
) -> Row:
    """One row of the table of candidates.

    Args:
        population: what ``build`` made of the candidate.
        album: CK+.
        published, aligned: vectors of PublicTest's pictures as they are and of crops as the live loop cuts them, shape
            (n, d).
        truth: emotions of PublicTest as indices, shape (n,).
    """
    shown = np.array([EMOTIONS.index(emotion) for emotion in album.emotions])
    return {
        "prototypes": candidate.name,
        "PublicTest, as published": accuracy(candidate, published, truth),
        "PublicTest, aligned": accuracy(candidate, aligned, truth),
        "CK+, all pictures": accuracy(candidate, album.vectors, shown),
        "CK+, 1 neutral enrolled": enrolled(population, album),
    }


def enrolled(population: Population, album: Album) -> float:
    """Balanced accuracy on CK+ where everybody enrolled one neutral photo, as most classes do; mean over subjects."""
    draws = few_shots(album, only(neutral=1), only(neutral=1), draws=2, seed=0)
    read = read_class(population, Hierarchical(), album, draws, [OWN])[OWN]
    return float(np.mean(list(by_subject(read, balanced=True).values())))


def ckplus(shared: Path, embedder: Embedder, folder: Path) -> Album:
    """CK+ (development) through the whole chain.

    Args:
        shared: the folder with data/ and models/.
        folder: where crops and vectors are kept for the next time.
    """
    # With the pictures of contempt, so that the crops are those that the protocols have cut already.
    pictures = read_subjects(shared / "data/subjects.csv", datasets=["ckplus"], emotions=())
    chain = Perception(detector_of(shared), embedder)
    seen = embed_pictures(chain, pictures, shared / "data", folder)
    print(f"CK+: {int(seen.found.sum())} of {len(pictures)} faces found")
    return Album.of(seen.pictures, seen.vectors, seen.found)


def build(
    network: str, chosen: Candidate, album: Album, public: Vectors, truth: NDArray[np.int64]
) -> tuple[Population, dict[str, Asked]]:
    """Variances and allowance from CK+, thresholds from PublicTest (crops as the live loop cuts them), temperatures
    from both.

    CK+'s photos of one person come from one recording. What is too far or too close to call among them would make half
    of another class "unsure": only temperatures are taken from them.

    Args:
        public: vectors of PublicTest, shape (n, d); truth: its emotions as indices, shape (n,).

    Returns:
        The population, and the development readings that its temperatures with photos rest on.
    """
    u = transform(album.vectors, chosen.mean)
    variances = estimate_variances(u, album.subjects, album.emotions, ["ckplus"] * len(u), chosen.prototypes)
    none = fit_thresholds(squared_distances(transform(public, chosen.mean), chosen.prototypes), truth)
    alone = Calibration((0.0,), (none.temperature,), (none.far,), (none.margin,))
    draft = Population(network, EMOTIONS, chosen.mean, chosen.prototypes, variances, alone)
    draft = replace(draft, allowance=chosen_allowance(allowance_rows(draft, album)))
    found = development(draft, album)
    return replace(draft, calibration=calibration_of(found, none)), found
