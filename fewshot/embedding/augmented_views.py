"""Augmented supports: several views of one crop, mirrored and slightly shifted, and the mean of their vectors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fewshot.embedding.runtime import Embedder
from fewshot.faces.align import CROP_SIZE
from fewshot.inference.onnx import Engine
from fewshot.types import Vectors
from fewshot.unit_vectors import unit_rows

SHIFT = 3.0
"""Shift of a view in pixels (of 112): about as much as landmarks of one face differ between pictures."""
_AT_ONCE = 32


def augmented_views(crop: NDArray[np.uint8], shift: float = SHIFT) -> NDArray[np.uint8]:
    """The crop itself, shifted left, right, up and down, and the mirror image of each.

    Args:
        crop: grey, shape (112, 112).
        shift: pixels; 0 only mirrors.

    Returns:
        Shape (10, 112, 112), or (2, 112, 112) without shifts. The first view is the crop itself.
    """
    ways = [(0.0, 0.0), (-shift, 0.0), (shift, 0.0), (0.0, -shift), (0.0, shift)] if shift else [(0.0, 0.0)]
    moved = [
        cv2.warpAffine(
            crop,
            np.array([[1.0, 0.0, right], [0.0, 1.0, down]]),
            (CROP_SIZE, CROP_SIZE),
            borderMode=cv2.BORDER_REPLICATE,
        )
        for right, down in ways
    ]
    upright = np.stack(moved).astype(np.uint8)
    return np.concatenate([upright, upright[:, :, ::-1]])


def averaged_vectors(
    embed: Callable[[NDArray[np.uint8]], Vectors], crops: NDArray[np.uint8], shift: float = SHIFT
) -> Vectors:
    """One vector per crop: the mean of the vectors of its views, scaled to length 1.

    The mean removes effects of the framing and of the direction of the light, and keeps the effect of the face. It is
    meant for support photos, where there is time for ten views.

    Args:
        embed: computes unit vectors (m, d) of crops (m, 112, 112), such as ``Embedder.embed_grey``.
        crops: grey, shape (n, 112, 112); n may be 0.
        shift: see ``augmented_views``.

    Returns:
        Unit vectors, shape (n, d).
    """
    means = [np.zeros((0, embed(crops[:0]).shape[1]), np.float32)]
    for start in range(0, len(crops), _AT_ONCE):
        several = [augmented_views(crop, shift) for crop in crops[start : start + _AT_ONCE]]
        vectors = embed(np.concatenate(several))
        means.append(vectors.reshape(len(several), -1, vectors.shape[1]).mean(axis=1))
    rows = np.concatenate(means)
    return unit_rows(rows)


class AugmentedEmbedder(Embedder):
    """An ``Embedder`` that gives every crop the mean vector of its views; for the support photos of a protocol.

    Its vectors are in the same space as the plain network's vectors and can be compared with them. ``engine`` differs,
    so that a cache does not mix the two.

    Args:
        shift: see ``augmented_views``; the other arguments are those of ``Embedder``.
    """

    def __init__(
        self,
        path: Path,
        identity: Path | None = None,
        threads: int | None = None,
        engine: Engine = "auto",
        shift: float = SHIFT,
    ) -> None:
        super().__init__(path, identity, threads, engine)
        self.shift = shift
        self.engine = f"{self.engine} mean of looks {shift:g}"

    def embed_grey(self, crops: NDArray[np.uint8]) -> Vectors:
        """Unit vectors of grey crops (n, 112, 112), shape (n, dimension)."""
        return averaged_vectors(super().embed_grey, crops, self.shift)
