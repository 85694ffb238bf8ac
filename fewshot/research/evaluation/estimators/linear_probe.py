"""A linear classifier fitted to the supports of every episode."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from fewshot.errors import FewshotError, UsageError
from fewshot.prototypes.calibration import softmax
from fewshot.research.evaluation.estimators.base import Features
from fewshot.research.evaluation.estimators.episode import Rows, checked, one_hot
from fewshot.research.evaluation.estimators.simpleshot import Centre, centred
from fewshot.types import Vectors


@dataclass(frozen=True, eq=False)
class LinearProbe:
    """Chen et al. 2019, "A Closer Look at Few-shot Classification"; Tian et al. 2020, "Rethinking Few-Shot Image
    Classification: a Good Embedding Is All You Need?".

    Logistic regression on the normalised vectors of the frozen network, fitted anew to the supports of each episode. It
    can weigh directions by what the supports show, where a class mean cannot, and needs more of them for it.

    Attributes:
        mean: b of the base classes, shape (d,); None only normalises.
        strength: C, weight of the summed loss against |W|^2 / 2; Tian et al. take 1. The bias is not held back.
        features: what it is fitted to; Tian et al. take the backbone's.
    """

    mean: Centre = None
    strength: float = 1.0
    features: Features = "embedding"
    paper: ClassVar[str] = "Chen et al. 2019; Tian et al. 2020"
    transductive: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not self.strength > 0:
            raise UsageError(f"strength is {self.strength}: logistic regression needs C > 0, or it learns nothing.")

    @property
    def name(self) -> str:
        """In tables."""
        return "linear probe" if self.features == "embedding" else "linear probe on the backbone"

    def scores(self, support: Vectors, labels: NDArray[np.int64], queries: Vectors) -> NDArray[np.float64]:
        """Logits, see ``FewShotEstimator``."""
        known, columns, asked = checked(support, labels, queries)
        weights, bias = self.fit(centred(known, self.mean), columns)
        return np.asarray(centred(asked, self.mean) @ weights.T + bias)

    def fit(self, vectors: Rows, labels: NDArray[np.int64]) -> tuple[Rows, NDArray[np.float64]]:
        """The minimum of C sum_i -log softmax(W u_i + a)[y_i] + |W|^2 / 2, from zero, so always the same.

        Args:
            vectors: shape (n, d).
            labels: shape (n,).

        Returns:
            W, shape (n_way, d), and the bias a, shape (n_way,).

        Raises:
            FewshotError: L-BFGS did not get there.
        """
        from scipy.optimize import minimize

        goal = one_hot(labels)
        n_way, dimension = goal.shape[1], vectors.shape[1]

        def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            weights, bias = flat[:-n_way].reshape(n_way, dimension), flat[-n_way:]
            logits = vectors @ weights.T + bias
            top = logits.max(axis=1)
            likelihood = (logits * goal).sum(axis=1) - top - np.log(np.exp(logits - top[:, None]).sum(axis=1))
            error = self.strength * (softmax(logits) - goal)
            slope = np.concatenate([(error.T @ vectors + weights).ravel(), error.sum(axis=0)])
            return float(-self.strength * likelihood.sum() + 0.5 * (weights**2).sum()), slope

        found = minimize(
            loss, np.zeros(n_way * (dimension + 1)), jac=True, method="L-BFGS-B", options={"maxiter": 1000}
        )
        if not found.success:
            raise FewshotError(f"Logistic regression did not converge ({found.message}). Use a smaller strength.")
        return found.x[:-n_way].reshape(n_way, dimension), found.x[-n_way:]
