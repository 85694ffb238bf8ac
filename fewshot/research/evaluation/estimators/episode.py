"""What estimators for episodes share: the check of their arguments, means of classes, lengths of one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fewshot.errors import DimensionMismatch, UsageError
from fewshot.unit_vectors import unit_rows

Rows = NDArray[np.float64]
"""Row vectors in full precision, shape (n, d)."""


def checked(
    support: NDArray[np.floating], labels: NDArray[np.int64], queries: NDArray[np.floating]
) -> tuple[Rows, NDArray[np.int64], Rows]:
    """The arguments of ``FewShotEstimator.scores`` in full precision.

    Raises:
        UsageError: labels that leave out a class, or are not one for each vector; vectors that are not finite.
        DimensionMismatch: support and queries were made by different networks.
    """
    columns = np.asarray(labels, np.int64)
    if support.ndim != 2 or queries.ndim != 2 or support.shape[1] != queries.shape[1]:
        raise DimensionMismatch(
            f"Support of shape {support.shape} and queries of shape {queries.shape}: expected (n, d) and (q, d). "
            f"Embed both with the same network."
        )
    if columns.shape != (len(support),) or not len(columns):
        raise UsageError(f"{len(support)} support vectors, labels of shape {columns.shape}. Give every vector a label.")
    present = np.unique(columns)
    if not np.array_equal(present, np.arange(len(present))):
        raise UsageError(f"The labels are {present.tolist()}, expected 0 to n_way - 1 without a gap. Number them anew.")
    if not (np.isfinite(support).all() and np.isfinite(queries).all()):
        raise UsageError("A vector of the episode is not finite. Leave out the pictures in which no face was found.")
    return support.astype(np.float64), columns, queries.astype(np.float64)


def one_hot(labels: NDArray[np.int64]) -> Rows:
    """Shape (n, n_way)."""
    return np.eye(int(labels.max()) + 1)[labels]


def class_means(vectors: Rows, labels: NDArray[np.int64]) -> Rows:
    """Mean of each class, shape (n_way, d)."""
    members = one_hot(labels)
    return np.asarray(members.T @ vectors / members.sum(axis=0)[:, None])


def directions(vectors: Rows) -> Rows:
    """Rows divided by their length; a row without one stays zero."""
    return unit_rows(vectors)


def nearness(queries: Rows, prototypes: Rows) -> Rows:
    """Minus the squared Euclidean distance (Snell et al. 2017, eq. 2), shape (q, n_way)."""
    differences = queries[:, None, :] - prototypes[None, :, :]
    return -np.asarray(np.einsum("qkd,qkd->qk", differences, differences))
