"""The population prototypes that ship: candidates are compared on the development data sets, the best one is chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fewshot.embedding.runtime import Embedder
from fewshot.prototypes.population import Population
from fewshot.research.datasets.fer2013 import PUBLIC_TEST, TRAINING, load_fer2013
from fewshot.research.evaluation.album import Album
from fewshot.research.evaluation.choosing import Asked
from fewshot.research.evaluation.population_choice import (
    Strangers,
    build,
    ckplus,
    enrolled,
    measured,
    mosaic_strangers,
    states_to_rely_on,
)
from fewshot.research.evaluation.protocol_results import Row
from fewshot.research.training.export import load_state
from fewshot.research.training.population import Candidate, candidates, fer_vectors, with_posed
from fewshot.types import EMOTIONS, Vectors

CHOSEN_BY = ("PublicTest, aligned", "RAF-DB, balanced", "Taiwan, balanced")
"""Columns whose mean decides which are ``FINALISTS``. The press photos' labels are one worker's: only shown."""
ENROLLED = "CK+, 1 neutral enrolled"
"""Together with those columns it decides between the finalists."""
FINALISTS = 4
FER_LEAST = 0.865
"""On PublicTest: what other worlds gain may cost this one a point, not more."""


@dataclass(frozen=True, eq=False)
class Choice:
    """What was compared, and what was chosen.

    Attributes:
        population: the chosen one, with variances and thresholds.
        name: of its prototypes.
        rows: one per candidate; ``ENROLLED`` is "-" for those that were no finalists.
        found: the development readings that its temperatures with photos rest on.
        album: CK+, on which it was fitted.
    """

    population: Population
    name: str
    rows: list[Row]
    found: dict[str, Asked]
    album: Album


@dataclass(frozen=True, eq=False)
class Development:
    """The faces that choose.

    Attributes:
        album: CK+.
        published: vectors of PublicTest's pictures as they are, shape (n, d).
        strangers: faces of people who are not enrolled, PublicTest (the same n, aligned) first.
    """

    album: Album
    published: Vectors
    strangers: Mapping[str, Strangers]


def choose_population(shared: Path, embedder: Embedder, safetensors: Path, outputs: Path) -> Choice:
    """Compare all candidates on the development data sets, and choose.

    Args:
        shared: the folder with data/ and models/.
        embedder: the network, in fp32.
        safetensors: its weights, with the class vectors that it learned.
        outputs: with what ``experiments/prepare.py`` wrote; crops and vectors are kept there for the next time.

    Raises:
        FewshotError: a data set or a file of the network is missing.
    """
    made, data = _candidates_and_data(shared, embedder, safetensors, outputs)
    return choose(embedder.network, made, data)


def choose(network: str, made: list[Candidate], data: Development) -> Choice:
    """Measure candidates, and build and compare the finalists.

    Args:
        network: its name, for the population.
        made: at least one candidate.
        data: see ``Development``.
    """
    rows = [measured(candidate, data.album, data.published, data.strangers) for candidate in made]
    ranked = finalists(rows)
    built = {one: build(network, made[one], data.album, data.strangers) for one in ranked}
    worth = {one: enrolled(population, data.album) for one, (population, _) in built.items()}
    # PublicTest alone prefers the learned class vectors, but they lie outside their classes, where photos never lie:
    # the neutral photos of a class then seem to show a camera that moves every emotion, and all prototypes go astray.
    best = max(built, key=lambda one: np.mean([*_deciding(rows[one]), worth[one]]))
    population, found = built[best]
    population = replace(population, reliable=states_to_rely_on(population, data.strangers, data.album))
    shown: list[Row] = [{**row, ENROLLED: worth.get(number, "-")} for number, row in enumerate(rows)]
    return Choice(population, made[best].name, shown, found, data.album)


def finalists(rows: Sequence[Mapping[str, str | float]]) -> list[int]:
    """Which rows have the best mean of ``CHOSEN_BY``, best first, ``FINALISTS`` at most.

    What goes with the prototypes takes half a minute to fit, so only these have it. Rows below ``FER_LEAST`` on
    PublicTest are left out, unless all are.
    """
    deciding: NDArray[np.float64] = np.array([_deciding(row) for row in rows]).reshape(-1, len(CHOSEN_BY))
    able = deciding[:, 0] >= FER_LEAST
    ranked = np.argsort(-deciding.mean(axis=1), kind="stable")
    return [int(one) for one in ranked if able[one] or not able.any()][:FINALISTS]


def _deciding(row: Mapping[str, str | float]) -> list[float]:
    """The numbers of a row that decide, in the order of ``CHOSEN_BY``."""
    return [float(row[column]) for column in CHOSEN_BY]


def _candidates_and_data(
    shared: Path, embedder: Embedder, safetensors: Path, outputs: Path
) -> tuple[list[Candidate], Development]:
    _, heads = load_state(safetensors)
    learned = heads["votes.weight"][: len(EMOTIONS)]
    learned = (learned / learned.norm(dim=1, keepdim=True)).numpy()
    fer = load_fer2013(shared / "data/fer2013")
    vectors = fer_vectors(embedder, fer, outputs, outputs / "vectors")
    votes, usable = fer.vote_distribution()
    known = votes[:, : len(EMOTIONS)]
    train = (fer.usage == TRAINING) & ~vectors.excluded & usable & (known.sum(1) > 0.5)
    public = (fer.usage == PUBLIC_TEST) & ~vectors.excluded & (fer.ferplus_published() >= 0)
    targets = known[train] / known[train].sum(1, keepdims=True)
    both = np.concatenate([vectors.published[train], vectors.aligned[train]])
    made = candidates(both, np.concatenate([targets, targets]), learned)
    truth = fer.ferplus_published()[public]
    album = ckplus(shared, embedder, outputs / "vectors")
    posed, others = mosaic_strangers(shared, embedder, outputs / "vectors")
    strangers = {"PublicTest": Strangers(vectors.aligned[public], truth), **others}
    return with_posed(made, posed), Development(album, vectors.published[public], strangers)
