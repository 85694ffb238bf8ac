"""The vector space of prototypes, and the only metric of the project: squared Euclidean distance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fewshot.errors import DimensionMismatch
from fewshot.types import Vectors

SMALLEST_NORM = 1e-6
"""A vector closer to the mean than this has no direction; it becomes the zero vector instead of noise or NaN."""


def transform(vectors: NDArray[np.floating], mean: NDArray[np.floating]) -> Vectors:
    """Centre and normalise: u = (z - b) / |z - b| (CL2N of SimpleShot, Wang et al. 2019).

    Args:
        vectors: z, the vectors of the network, shape (n, d).
        mean: b, the unweighted mean of the class means, shape (d,).

    Returns:
        Unit vectors, shape (n, d). A row without a direction (z = b, or not finite) is all zeros.

    Raises:
        DimensionMismatch: the vectors and the mean were made by different networks.
    """
    if vectors.ndim != 2 or vectors.shape[1] != len(mean):
        raise DimensionMismatch(
            f"Vectors of shape {vectors.shape} do not fit a network of dimension {len(mean)}. "
            f"Use vectors of shape (n, {len(mean)}) made by this network."
        )
    centred = vectors.astype(np.float32) - mean.astype(np.float32)
    norms = np.linalg.norm(centred, axis=1, keepdims=True)
    usable = np.isfinite(norms) & (norms > SMALLEST_NORM)
    return np.where(usable, centred / np.where(usable, norms, 1.0), 0.0).astype(np.float32)


def allowed_distances(
    distances: NDArray[np.floating], uncertainties: NDArray[np.floating], allowance: float
) -> NDArray[np.float64]:
    """Distances minus a share of each prototype's uncertainty, so that they can be compared.

    An estimated prototype is further from its own faces than an enrolled one, because of its uncertainty:
    E|u - p|^2 = E|u - f|^2 + E|f - p|^2. Without this correction a few enrolled emotions attract the faces of all other
    emotions.

    Args:
        distances: squared, shape (n, k).
        uncertainties: E|f - p|^2 of every prototype, shape (k,) or (n, k).
        allowance: the share; 1 would be exact if people and classes differed equally in all directions.

    Returns:
        Shape (n, k); may be negative.
    """
    return np.asarray(distances - allowance * uncertainties, np.float64)


def squared_distances(queries: NDArray[np.floating], prototypes: NDArray[np.floating]) -> NDArray[np.float32]:
    """Squared Euclidean distance of every query to every prototype (Snell et al. 2017, eq. 2).

    Args:
        queries: shape (n, d).
        prototypes: shape (k, d).

    Returns:
        Distances >= 0 (at most 4 between unit vectors), shape (n, k).

    Raises:
        DimensionMismatch: the two were made by different networks.
    """
    if queries.shape[-1] != prototypes.shape[-1]:
        raise DimensionMismatch(
            f"Queries have {queries.shape[-1]} numbers each, but prototypes have {prototypes.shape[-1]}: they were "
            f"made by different networks. Embed and enroll with the same network."
        )
    # Differences, not |q|^2 - 2qp + |p|^2, which is not precise for small distances.
    differences = queries[:, None, :].astype(np.float32) - prototypes[None, :, :].astype(np.float32)
    return np.asarray(np.einsum("nkd,nkd->nk", differences, differences), dtype=np.float32)
