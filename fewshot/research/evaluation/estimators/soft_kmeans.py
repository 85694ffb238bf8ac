"""Class means refined by soft assignments of the queries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from fewshot.errors import UsageError
from fewshot.prototypes.calibration import softmax
from fewshot.research.evaluation.estimators.base import Features
from fewshot.research.evaluation.estimators.episode import checked, class_means, nearness, one_hot
from fewshot.research.evaluation.estimators.simpleshot import Centre, centred
from fewshot.types import Vectors


@dataclass(frozen=True, eq=False)
class SoftKMeans:
    """Ren et al. 2018, "Meta-Learning for Semi-Supervised Few-Shot Classification" (soft k-means, on the queries).

    Every query counts for every class by the softmax of its nearness, and each class mean is taken again over its
    supports and these shares. All classes are taken to be equally frequent: where one is most of the queries, its
    shares pull the means of the others towards it.

    Attributes:
        mean: b of the base classes, shape (d,); None only normalises.
        temperature: squared distances are divided by it before the softmax. Ren's networks learn their scale; 0.25 is
            what ours reads faces of strangers by (``Population.calibration``).
        rounds: the paper's is 1.
    """

    mean: Centre = None
    temperature: float = 0.25
    rounds: int = 1
    name: ClassVar[str] = "soft k-means"
    paper: ClassVar[str] = "Ren et al. 2018"
    transductive: ClassVar[bool] = True
    features: ClassVar[Features] = "embedding"

    def __post_init__(self) -> None:
        if not (self.temperature > 0 and self.rounds >= 0):
            raise UsageError(
                f"temperature {self.temperature}, rounds {self.rounds}: use a temperature > 0 and rounds >= 0."
            )

    def scores(self, support: Vectors, labels: NDArray[np.int64], queries: Vectors) -> NDArray[np.float64]:
        """See ``FewShotEstimator``."""
        known, columns, asked = checked(support, labels, queries)
        known, asked = centred(known, self.mean), centred(asked, self.mean)
        members = one_hot(columns)
        means = class_means(known, columns)
        for _ in range(self.rounds):
            shares = softmax(nearness(asked, means) / self.temperature)
            means = (members.T @ known + shares.T @ asked) / (members.sum(axis=0) + shares.sum(axis=0))[:, None]
        return nearness(asked, np.asarray(means))
