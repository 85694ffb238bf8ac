"""Drawn faces with the seven emotions: whether training runs at all can be seen without any data."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from fewshot.research.datasets.framing import framings
from fewshot.research.training.face_table import FaceTable
from fewshot.types import EMOTIONS

SIDE = 48
_ENLARGED = 192
# Of each emotion: how far the corners of the mouth rise, how open the mouth is, how wide the eyes are, how far the
# inner ends of the brows sink.
_SHAPES = {
    "angry": (-6, 2, 5, 9),
    "disgust": (-9, 6, 3, 6),
    "fear": (-3, 12, 11, -6),
    "happy": (14, 8, 5, 0),
    "sad": (-13, 2, 4, -9),
    "surprise": (0, 22, 13, -3),
    "neutral": (0, 2, 7, 0),
}


def drawn_face(emotion: str, rng: np.random.Generator) -> NDArray[np.uint8]:
    """A grey face (48, 48) that shows one of the seven emotions; whose it is, and its light, are drawn at random."""
    corners, mouth, eyes, brows = (value + rng.normal(0, 1.0) for value in _SHAPES[emotion])
    skin, dark = int(rng.integers(130, 220)), int(rng.integers(10, 60))
    picture = np.full((_ENLARGED, _ENLARGED), int(rng.integers(20, 235)), np.uint8)
    width, height = int(rng.integers(66, 80)), int(rng.integers(84, 96))
    cv2.ellipse(picture, (96, 100), (width, height), 0, 0, 360, skin, -1)
    for side in (-1, 1):
        x = 96 + side * int(rng.integers(28, 34))
        cv2.ellipse(picture, (x, 78), (13, max(1, round(eyes))), 0, 0, 360, 250, -1)
        cv2.circle(picture, (x, 78), max(1, round(min(eyes, 6))), dark, -1)
        inner, outer = (x - side * 15, 56 + round(brows)), (x + side * 15, 56)
        cv2.line(picture, inner, outer, dark, 5)
    along = np.linspace(-1, 1, 15)
    upper = np.stack([96 + 30 * along, 142 - corners * along**2], axis=1)
    lower = np.stack([96 + 30 * along, 142 - corners * along**2 + mouth * (1 - along**2)], axis=1)
    cv2.fillPoly(picture, [np.concatenate([upper, lower[::-1]]).round().astype(np.int32)], dark)
    cv2.polylines(picture, [upper.round().astype(np.int32)], False, dark, 4)
    noisy = cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA) + rng.normal(0, 5, (SIDE, SIDE))
    return np.clip(noisy, 0, 255).astype(np.uint8)


def drawn_tables(count: int, seed: int = 0) -> dict[str, FaceTable]:
    """The tables ``train``, of ``count`` drawn faces, and ``public``, of a quarter as many others.

    They have the targets of FER2013: votes over 8 classes, labels of 7, and no identity.
    """
    return {
        "train": _table(count, np.random.default_rng((seed, 0))),
        "public": _table(max(len(EMOTIONS), count // 4), np.random.default_rng((seed, 1))),
    }


def _table(n: int, rng: np.random.Generator) -> FaceTable:
    labels = np.arange(n) % len(EMOTIONS)
    votes = np.full((n, len(EMOTIONS) + 1), 0.0, np.float32)
    votes[np.arange(n), labels] = 1.0
    return FaceTable(
        faces=[drawn_face(EMOTIONS[label], rng) for label in labels],
        to_crop=framings(SIDE, np.zeros((n, 5, 2), np.float32), np.zeros(n, bool)),
        targets={
            "votes": votes,
            "has_votes": np.ones(n, np.float32),
            "label": labels.astype(np.int64),
            "published": labels.astype(np.int64),
            "row": np.full(n, -1),
        },
    )
