"""Identity vectors: one unit vector per face; vectors of the same person are similar."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fewshot.faces.align import CROP_SIZE
from fewshot.inference.onnx import open_session
from fewshot.types import Vectors
from fewshot.unit_vectors import unit_rows

MOST_AT_ONCE = 4
"""Faces in one run of the network. Its vectors and its time per face do not depend on it, its memory does: 20 MB, 50 MB
with 16 faces at once (docs/explanation/schedule.md)."""


class Recogniser:
    """MobileFaceNet (Chen et al. 2018) trained with ArcFace on WebFace600K: ``w600k_mbf.onnx`` of buffalo_sc.

    The vectors are those of insightface's ``ArcFaceONNX.get_feat``, normalised.

    Args:
        path: the .onnx file.
        threads: threads for the network, see ``open_session``.
    """

    name = "w600k_mbf"

    def __init__(self, path: Path, threads: int | None = None) -> None:
        self._session = open_session(path, threads, fast=True)
        self._input = self._session.get_inputs()[0].name
        self.dimension = int(self._session.get_outputs()[0].shape[-1])

    def encode(self, crops: NDArray[np.uint8]) -> Vectors:
        """Unit vectors, shape (n, 512), of BGR crops in ArcFace's framing, shape (n, 112, 112, 3). n may be 0."""
        if len(crops) == 0:
            return np.zeros((0, self.dimension), np.float32)
        batches = [self._run(crops[start : start + MOST_AT_ONCE]) for start in range(0, len(crops), MOST_AT_ONCE)]
        return unit_rows(np.concatenate(batches))

    def _run(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        mean = (127.5, 127.5, 127.5)
        batch = cv2.dnn.blobFromImages(list(crops), 1 / 127.5, (CROP_SIZE, CROP_SIZE), mean, swapRB=True)
        return np.asarray(self._session.run(None, {self._input: batch})[0], np.float32)
