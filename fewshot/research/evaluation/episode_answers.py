"""What estimators answer in episodes, and how right that is: over queries, over classes, over people."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fewshot.errors import UsageError
from fewshot.research.evaluation.episode_draws import Episode, Pool
from fewshot.research.evaluation.estimators.base import FewShotEstimator
from fewshot.research.evaluation.intervals import Interval, bootstrap_ratio
from fewshot.research.evaluation.vectors import Embedded


@dataclass(frozen=True, eq=False)
class Answers:
    """All queries of all episodes.

    Attributes:
        hits: was it right? 1 or 0, shape (n,).
        weights: every class of an episode counts the same, and every episode 1, shape (n,).
        people: who was asked, shape (n,).
        classes: place of the true class in ``Pool.classes``, shape (n,).
        episode: number of the episode, increasing, shape (n,).
    """

    hits: NDArray[np.float64]
    weights: NDArray[np.float64]
    people: NDArray[np.int64]
    classes: NDArray[np.int64]
    episode: NDArray[np.int64]

    @property
    def episodes(self) -> int:
        """How many episodes there were."""
        return int(self.episode[-1]) + 1

    def balanced(self, seed: int, resamples: int) -> Interval:
        """Mean recall of the classes, bootstrapped over the people who were asked."""
        return self._over_people(self.weights * self.hits, self.weights, seed, resamples)

    def plain(self, seed: int, resamples: int) -> Interval:
        """Share of right answers, every query counting the same."""
        return self._over_people(self.hits, np.ones(len(self.hits)), seed, resamples)

    def recall(self, classes: NDArray[np.bool_], seed: int, resamples: int) -> Interval:
        """Share of right answers among the queries of some classes, a mask of shape (k,)."""
        asked = classes[self.classes].astype(np.float64)
        return self._over_people(asked * self.hits, asked, seed, resamples)

    def gain(self, other: Answers, seed: int, resamples: int) -> Interval:
        """Difference of balanced accuracy to another estimator that answered the same episodes (and maybe more)."""
        differences = self.weights * (self.hits - other.hits[: len(self.hits)])
        return self._over_people(differences, self.weights, seed, resamples)

    @property
    def over_episodes(self) -> float:
        """1.96 standard errors of balanced accuracy over episodes, as few-shot papers print it; 0 for one episode."""
        each = np.bincount(self.episode, self.weights * self.hits, self.episodes)
        return float(1.96 * each.std(ddof=1) / np.sqrt(self.episodes)) if self.episodes > 1 else 0.0

    def _over_people(
        self, sums: NDArray[np.float64], counts: NDArray[np.float64], seed: int, resamples: int
    ) -> Interval:
        there = np.bincount(self.people) > 0
        return bootstrap_ratio(
            np.bincount(self.people, sums)[there], np.bincount(self.people, counts)[there], seed, resamples
        )


def answer(estimator: FewShotEstimator, seen: Embedded, pool: Pool, episodes: Iterable[Episode]) -> Answers:
    """Let an estimator answer every query of every episode.

    Args:
        estimator: is given the vectors or the features, as it wants.
        seen: one row a picture of ``pool``.
        pool: who is on each picture.
        episodes: at least one.

    Raises:
        UsageError: it wants backbone features and there are none; no episodes.
    """
    vectors = seen.vectors if estimator.features == "embedding" else seen.features
    if vectors is None:
        raise UsageError(f"{estimator.name} needs the backbone's features. Embed the pictures with features=True.")
    parts = []
    for number, episode in enumerate(episodes):
        scores = estimator.scores(vectors[episode.support], episode.support_labels, vectors[episode.query])
        asked = np.bincount(episode.query_labels)
        hits = (scores.argmax(axis=1) == episode.query_labels).astype(np.float64)
        weights = 1.0 / (len(asked) * asked[episode.query_labels])
        people, classes = pool.people[episode.query], episode.classes[episode.query_labels]
        parts.append((hits, weights, people, classes, np.full(len(hits), number)))
    if not parts:
        raise UsageError("No episodes to answer. Ask for at least one.")
    return Answers(*(np.concatenate(column) for column in zip(*parts, strict=True)))
