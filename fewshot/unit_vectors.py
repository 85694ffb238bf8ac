"""Vectors of length 1."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = TypeVar("Floats", NDArray[np.float32], NDArray[np.float64])


def unit_rows(vectors: Floats) -> Floats:
    """Divide vectors by their lengths; a vector of length 0 stays 0.

    Args:
        vectors: one vector along the last axis, shape (..., d).

    Returns:
        The same shape and precision.
    """
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-9), vectors.dtype)
