"""FER2013, what was prepared of it, and what other networks say of it, made up: random pictures, balanced classes."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from fewshot.faces.align import EXPRESSION_TEMPLATE
from fewshot.research.training.datamodule import SEEN

NAMES = ["neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "NF"]


def write_fer2013(folder: Path, n: int = 60) -> None:
    """Random faces in FER2013's compact form: two thirds Training, the rest Public and Private."""
    rng = np.random.default_rng(0)
    tiles = np.zeros((1600, 48, 48), np.uint8)
    tiles[:n] = rng.integers(0, 256, (n, 48, 48))
    mosaic = tiles.reshape(40, 40, 48, 48).transpose(0, 2, 1, 3).reshape(1920, 1920)
    folder.mkdir(parents=True)
    cv2.imwrite(str(folder / "faces_00.webp"), mosaic, [cv2.IMWRITE_WEBP_QUALITY, 101])
    votes = np.zeros((n, 10), np.int8)
    votes[np.arange(n), np.arange(n) % 8] = 8
    votes[:, 0] += 2
    np.savez(
        folder / "labels.npz",
        labels=(np.arange(n) % 7).astype(np.int8),
        usage=np.repeat([0, 0, 1, 2], n // 4).astype(np.int8),
        ferplus_votes=votes,
        ferplus_names=np.array(NAMES),
        train_duplicate_of_test=np.arange(n) == 3,
    )


def write_prepared(folder: Path, n: int = 60) -> None:
    rng = np.random.default_rng(1)
    landmarks = np.repeat(EXPRESSION_TEMPLATE[None] / 112, n, axis=0).astype(np.float32)
    identity = rng.standard_normal((n, 512)).astype(np.float16)
    scores = np.ones(n, np.float32)
    scores[5] = 0.0
    np.savez(
        folder / "fer2013_prepared.npz",
        landmarks=landmarks,
        scores=scores,
        excluded=np.arange(n) == 3,
        identity=identity,
    )
    faces = rng.integers(0, 256, (200, 112, 112), dtype=np.uint8)
    points = np.repeat(landmarks[:1], 200, axis=0)
    np.savez(
        folder / "lfw_prepared.npz",
        faces=faces,
        landmarks=points,
        identity=rng.standard_normal((200, 512)).astype(np.float16),
    )


def write_blendshapes(folder: Path, n: int = 60) -> None:
    rng = np.random.default_rng(2)
    scores = np.ones(n, np.float32)
    scores[:2] = 0.1
    np.savez(folder / "fer2013_blendshapes.npz", blendshapes=rng.random((n, 52)).astype(np.float16), scores=scores)


def write_answers(folder: Path, n: int = 60) -> None:
    rng = np.random.default_rng(3)
    votes, labels = rng.dirichlet(np.ones(8), n), rng.dirichlet(np.ones(7), n)
    known = {"votes": votes, "labels": labels, "seen": rng.standard_normal((n, SEEN))}
    np.savez(folder / "fer2013_answers.npz", **{name: value.astype(np.float16) for name, value in known.items()})
