"""Class means rectified by the queries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from fewshot.errors import UsageError
from fewshot.research.evaluation.estimators.base import Features
from fewshot.research.evaluation.estimators.episode import Rows, checked, class_means, directions, one_hot
from fewshot.research.evaluation.estimators.simpleshot import Centre, centred
from fewshot.types import Vectors


@dataclass(frozen=True, eq=False)
class BDCSPN:
    """Liu, Song & Qin 2020, "Prototype Rectification for Few-Shot Learning" (BD-CSPN).

    Queries are moved as a whole so that their mean is the supports' mean (cross-class bias), then each class takes in
    the queries that are surest to be its own, weighted by exp(epsilon cos) (intra-class bias). The shift is right only
    if both sets mix the classes alike: it assumes balanced queries.

    Attributes:
        mean: b of the base classes, shape (d,); None only normalises.
        epsilon: sharpness of the weights; the paper's is 10.
        nearest: Z, how many queries a class takes in at most, of those that are nearer to it than to any other, the
            nearest first; the paper's is 8.
    """

    mean: Centre = None
    epsilon: float = 10.0
    nearest: int = 8
    name: ClassVar[str] = "BD-CSPN"
    paper: ClassVar[str] = "Liu et al. 2020"
    transductive: ClassVar[bool] = True
    features: ClassVar[Features] = "embedding"

    def __post_init__(self) -> None:
        if self.nearest < 0:
            raise UsageError(f"nearest is {self.nearest}: a class takes in 0 queries or more.")

    def scores(self, support: Vectors, labels: NDArray[np.int64], queries: Vectors) -> NDArray[np.float64]:
        """Cosine similarities, see ``FewShotEstimator``."""
        known, columns, asked = checked(support, labels, queries)
        known, asked = centred(known, self.mean), centred(asked, self.mean)
        if len(asked):
            asked = asked + known.mean(axis=0) - asked.mean(axis=0)
        basic = directions(class_means(known, columns))
        members = np.concatenate([one_hot(columns), self._taken_in(directions(asked) @ basic.T)])
        everything = np.concatenate([known, asked])
        weights = members * np.exp(self.epsilon * directions(everything) @ basic.T)
        rectified = weights.T @ everything / weights.sum(axis=0)[:, None]
        return np.asarray(directions(asked) @ directions(rectified).T)

    def _taken_in(self, similar: Rows) -> Rows:
        """Which class takes in which query: 0 or 1, at most one 1 a row, shape (q, n_way)."""
        own = np.arange(similar.shape[1]) == similar.argmax(axis=1)[:, None]
        ranks = np.argsort(np.argsort(np.where(own, -similar, np.inf), axis=0, kind="stable"), axis=0, kind="stable")
        return np.asarray(own & (ranks < self.nearest), np.float64)
