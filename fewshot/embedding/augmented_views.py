"""Augmented supports: several looks at one crop, mirrored and slightly moved, and the mean of their vectors."""

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
"""Pixels of the 112 that a look is moved by: about what landmarks of one face differ by from picture to picture."""
_AT_ONCE = 32


def looks(crop: NDArray[np.uint8], shift: float = SHIFT) -> NDArray[np.uint8]:
    """The crop as it is, moved left, right, up and down, and each of these mirrored.

    Args:
        crop: grey, shape (112, 112).
        shift: pixels; 0 only mirrors.

    Returns:
        Shape (10, 112, 112), or (2, 112, 112) where nothing is moved; the first is the crop itself.
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
    """One vector a crop: the mean over its looks, brought back to length 1.

    What a network makes of chance, the framing and the side the light comes from, is averaged away; what it makes of
    the face stays. For support photos, where the time for ten looks is there.

    Args:
        embed: crops (m, 112, 112) to unit vectors (m, d), such as ``Embedder.embed_grey``.
        crops: grey, shape (n, 112, 112); n may be 0.
        shift: see ``looks``.

    Returns:
        Unit vectors, shape (n, d).
    """
    means = [np.zeros((0, embed(crops[:0]).shape[1]), np.float32)]
    for start in range(0, len(crops), _AT_ONCE):
        several = [looks(crop, shift) for crop in crops[start : start + _AT_ONCE]]
        vectors = embed(np.concatenate(several))
        means.append(vectors.reshape(len(several), -1, vectors.shape[1]).mean(axis=1))
    rows = np.concatenate(means)
    return unit_rows(rows)


class LookingTwice(Embedder):
    """An ``Embedder`` that gives every crop the mean vector of its looks; for the support photos of a protocol.

    Its vectors lie in the same space as the plain network's, and are meant to meet them as queries. ``engine`` says
    that they are others, so that no cache takes one for the other.

    Args:
        shift: see ``looks``; the other arguments are those of ``Embedder``.
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
