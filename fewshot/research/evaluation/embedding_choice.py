"""How good a space is for people and states nobody was trained on, asked of development data alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fewshot.prototypes.calibration import Calibration
from fewshot.prototypes.estimators import Hierarchical
from fewshot.prototypes.population import Population
from fewshot.prototypes.space import transform
from fewshot.prototypes.supports import NEUTRAL
from fewshot.research.datasets.subjects import Picture
from fewshot.research.evaluation.album import Album
from fewshot.research.evaluation.controls import NO_PHOTO, OWN, by_subject, read_class
from fewshot.research.evaluation.episode_answers import answer
from fewshot.research.evaluation.episode_draws import Pool, Rules, draw_episodes
from fewshot.research.evaluation.estimators import CL2N
from fewshot.research.evaluation.support_draws import (
    Draw,
    each,
    few_shots,
    leave_one_emotion_out,
    nobody_enrolled,
    only,
)
from fewshot.research.evaluation.variances import estimate_variances
from fewshot.research.evaluation.vectors import Embedded
from fewshot.research.training.population import Candidate, centre, class_means, fitted_prototypes
from fewshot.types import EMOTIONS, Vectors

NEW = "contempt"
"""Of CK+'s states the newest to the networks here: FER+ has a few votes for it and FER2013 no label."""
SHOTS = (1, 5)
PULL = 1.0
"""Of the population prototypes that spaces are compared by; experiments/population.py chooses again."""


def draft_population(
    train: Vectors,
    votes: NDArray[np.floating],
    has_votes: NDArray[np.floating],
    pictures: list[Picture],
    vectors: Vectors,
    found: NDArray[np.bool_],
) -> tuple[Population, Candidate]:
    """A population of a space as experiments/population.py makes it, without its choices and thresholds.

    Args:
        train: z of training faces, shape (n, d).
        votes: of them, over eight classes, shape (n, 8).
        has_votes: 0 for those that have none, shape (n,).
        pictures, vectors, found: of CK+, which the variances are read off; see ``development_measures``.
    """
    known = votes[:, : len(EMOTIONS)]
    usable = (has_votes > 0) & (known.sum(axis=1) > 0.5)
    known = known[usable] / known[usable].sum(axis=1, keepdims=True)
    mean = centre(train[usable], known)
    u = transform(train[usable], mean)
    chosen = Candidate("fitted", mean, fitted_prototypes(u, known, class_means(u, known), PULL))
    album = Album.of(pictures, vectors, found)
    spread = transform(album.vectors, chosen.mean)
    variances = estimate_variances(spread, album.subjects, album.emotions, ["ckplus"] * len(album), chosen.prototypes)
    calibration = Calibration((0.0,), (0.1,), (9.0,), (0.0,))
    return Population("draft", EMOTIONS, chosen.mean, chosen.prototypes, variances, calibration), chosen


def development_measures(
    population: Population,
    pictures: list[Picture],
    vectors: Vectors,
    found: NDArray[np.bool_],
    episodes: int = 600,
    seed: int = 0,
) -> dict[str, float]:
    """Balanced accuracy on CK+ in every way it can be asked.

    Args:
        population: of the space.
        pictures: of CK+ with contempt, n of them.
        vectors: z, shape (n, d).
        found: which of them gave a face, shape (n,).
        episodes: of 5 ways, always with contempt, nobody both shown and asked.

    Returns:
        By name: without photos, with a neutral photo (of the student and of each classmate), with a neutral photo and
        a class that brought one an emotion, with all but the emotion asked (and a class that brought it), episodes.
    """
    album = Album.of(pictures, vectors, found)
    neutral = only(neutral=1)

    def read(draws: list[Draw], control: str = OWN) -> float:
        readings = read_class(population, Hierarchical(), album, draws, [control], seed=seed)[control]
        return float(np.mean(list(by_subject(readings, balanced=True).values())))

    measured = {
        "no photo": read(nobody_enrolled(album), NO_PHOTO),
        "1 neutral": read(few_shots(album, neutral, neutral, 2, seed)),
        "1 neutral, class 1 an emotion": read(few_shots(album, neutral, each(1), 2, seed)),
        "all but the one asked": read(leave_one_emotion_out(album, True, EMOTIONS)),
    }
    peaks = np.array([there and p.emotion != NEUTRAL for there, p in zip(found, pictures, strict=True)])
    seen = Embedded(pictures, vectors, None, found).only(peaks)
    pool = Pool.of(seen.emotions, seen.subjects)
    for shots in SHOTS:
        rules = Rules(5, shots, strangers=True, always=(NEW,))
        drawn = draw_episodes(pool, rules, episodes, rules.generator(seed, "choice"))
        answers = answer(CL2N(population.mean), seen, pool, drawn)
        measured[f"episodes, {shots}-shot"] = answers.balanced(seed, 1).value
    return measured
