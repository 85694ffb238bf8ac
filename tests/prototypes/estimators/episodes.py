"""Every estimator for episodes, and a made-up world to try them in."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fewshot.research.evaluation.estimators import BDCSPN, CL2N, LinearProbe, Mean, PowerTransform, SoftKMeans
from fewshot.research.evaluation.estimators.base import FewShotEstimator

N_WAY, DIMENSION = 7, 32


def everybody(mean: NDArray[np.floating] | None = None) -> list[FewShotEstimator]:
    return [Mean(), CL2N(mean), PowerTransform(), LinearProbe(mean), BDCSPN(mean), SoftKMeans(mean)]


def draw(seed: int, shots: int, often: float, spread: float = 0.7) -> tuple[NDArray, ...]:
    """One episode of 7 classes: Gaussians of variance 1 around centres that scatter by ``spread`` around the base mean.

    Args:
        often: share of class 0 among the 105 queries; the others are equally frequent.

    Returns:
        (base mean, support, labels, queries, truth)
    """
    rng = np.random.default_rng(seed)
    base = rng.normal(size=DIMENSION) * 0.5
    centres = base + rng.normal(size=(N_WAY, DIMENSION)) * spread / np.sqrt(DIMENSION)

    def photos(labels: NDArray) -> NDArray:
        return (centres[labels] + rng.normal(size=(len(labels), DIMENSION)) / np.sqrt(DIMENSION)).astype(np.float32)

    first = round(105 * often)
    labels = np.repeat(np.arange(N_WAY), shots)
    truth = np.concatenate([np.zeros(first, np.int64), 1 + np.arange(105 - first) % (N_WAY - 1)])
    return base, photos(labels), labels, photos(truth), truth
