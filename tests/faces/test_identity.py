"""The recogniser gives insightface's vectors, in batches, as unit vectors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
from insightface.model_zoo.arcface_onnx import ArcFaceONNX

from fewshot.faces.identity import MOST_AT_ONCE, Recogniser


def test_vectors_equal_insightface(shared: Path) -> None:
    path = shared / "models/insightface/models/buffalo_sc/w600k_mbf.onnx"
    recogniser, count = Recogniser(path), 2 * MOST_AT_ONCE + 3
    crops = np.random.default_rng(0).integers(0, 256, (count, 112, 112, 3)).astype(np.uint8)
    vectors = recogniser.encode(crops)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    theirs = ArcFaceONNX(str(path), session=session).get_feat(list(crops))
    np.testing.assert_allclose(vectors, theirs / np.linalg.norm(theirs, axis=1, keepdims=True), atol=1e-5)
    assert (vectors.dtype, vectors.shape) == (np.float32, (count, recogniser.dimension))
    assert recogniser.encode(crops[:0]).shape == (0, 512)
