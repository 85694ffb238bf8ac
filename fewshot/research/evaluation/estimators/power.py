"""Nearest mean after a power transform of the backbone's features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from fewshot.errors import UsageError
from fewshot.research.evaluation.estimators.base import Features
from fewshot.research.evaluation.estimators.episode import Rows, checked, class_means, directions, nearness
from fewshot.types import Vectors


@dataclass(frozen=True)
class PowerTransform:
    """Hu, Gripon & Pateux 2021, "Leveraging the Feature Distribution in Transfer-based Few-Shot Learning" (PT+NCM).

    Pooled features after a ReLU are skewed, most of them small and a few large, so a mean follows the few. A root
    brings them nearer to a Gaussian, for which the nearest class mean is the right thing to take.

    Attributes:
        beta: the power; 1 only normalises.
        offset: is added first, so that features of 0 have a slope.
    """

    beta: float = 0.5
    offset: float = 1e-6
    name: ClassVar[str] = "power transform"
    paper: ClassVar[str] = "Hu et al. 2021"
    transductive: ClassVar[bool] = False
    features: ClassVar[Features] = "backbone"

    def __post_init__(self) -> None:
        if not (self.beta > 0 and self.offset >= 0):
            raise UsageError(f"A power of {self.beta} and an offset of {self.offset}; use beta > 0 and offset >= 0.")

    def transformed(self, features: Rows) -> Rows:
        """(v + offset)^beta / |(v + offset)^beta|, shape (n, f).

        Raises:
            UsageError: a feature is negative.
        """
        if (features < 0).any():
            raise UsageError(
                "The power transform needs non-negative features. Give it those of the backbone after its last ReLU, "
                "not the embedding."
            )
        return directions((features + self.offset) ** self.beta)

    def scores(self, support: Vectors, labels: NDArray[np.int64], queries: Vectors) -> NDArray[np.float64]:
        """See ``FewShotEstimator``; also raises UsageError for negative features."""
        known, columns, asked = checked(support, labels, queries)
        return nearness(self.transformed(asked), class_means(self.transformed(known), columns))
