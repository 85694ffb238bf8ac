"""Random photos in a world of sixteen dimensions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fewshot.prototypes.supports import SupportSet

DIMENSION, IDENTITY = 16, 8


def unit(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


def photos(seed: int, emotions: list[str | None]) -> SupportSet:
    """Random photos of somebody, as vectors."""
    vectors = unit(np.random.default_rng(seed).normal(size=(len(emotions), DIMENSION)))
    return SupportSet(vectors, emotions, [f"photo-{seed}-{index}" for index in range(len(emotions))])


def identities(seed: int, count: int = 2) -> NDArray[np.float32]:
    return unit(np.random.default_rng(1000 + seed).normal(size=(count, IDENTITY)))
