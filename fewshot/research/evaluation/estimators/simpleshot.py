"""Nearest mean after centring and normalising."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from fewshot.errors import DimensionMismatch
from fewshot.research.evaluation.estimators.base import Features, FewShotEstimator
from fewshot.research.evaluation.estimators.episode import Rows, checked, class_means, directions, nearness
from fewshot.types import Vectors

Centre = Sequence[float] | NDArray[np.floating] | None


def centred(vectors: Rows, mean: Centre) -> Rows:
    """u = (z - b) / |z - b|; None centres at the origin.

    Raises:
        DimensionMismatch: b was made by another network.
    """
    if mean is None:
        return directions(vectors)
    base = np.asarray(mean, np.float64)
    if base.shape != vectors.shape[1:]:
        raise DimensionMismatch(
            f"Vectors of {vectors.shape[1]} numbers, a base mean of shape {base.shape}: they were made by different "
            f"networks. Take the mean from the file beside the network."
        )
    return directions(vectors - base)


def around(estimator: FewShotEstimator, mean: Centre) -> FewShotEstimator:
    """The same estimator with b of another network; one that knows no b, or reads the backbone, as it is."""
    if estimator.features == "backbone" or not is_dataclass(estimator) or isinstance(estimator, type):
        return estimator
    return replace(estimator, mean=mean) if "mean" in {field.name for field in fields(estimator)} else estimator


@dataclass(frozen=True, eq=False)
class CL2N:
    """Wang, Chao, Weinberger & van der Maaten 2019, "SimpleShot: Revisiting Nearest-Neighbor Classification".

    Vectors share a direction that says nothing about their class; subtracting the mean of the base classes and dividing
    by the length takes it away. Then a query belongs to the nearest class mean.

    Attributes:
        mean: b of the base classes, shape (d,), ``Population.mean``; None only normalises (the paper's L2N).
    """

    mean: Centre = None
    paper: ClassVar[str] = "Wang et al. 2019"
    transductive: ClassVar[bool] = False
    features: ClassVar[Features] = "embedding"

    @property
    def name(self) -> str:
        """In tables: without a mean it is the paper's L2N."""
        return "L2N" if self.mean is None else "CL2N"

    def scores(self, support: Vectors, labels: NDArray[np.int64], queries: Vectors) -> NDArray[np.float64]:
        """See ``FewShotEstimator``."""
        known, columns, asked = checked(support, labels, queries)
        return nearness(centred(asked, self.mean), class_means(centred(known, self.mean), columns))
