"""Faces that nobody has, for learning from a recogniser: what a student is to answer need not be a person's name.

A few ten thousand small faces are few people for a network that shall tell people apart. But the recogniser that
teaches it can be asked about any picture, so faces are aligned and mixed: some of the one and some of the other, or the
brow of the one over the mouth of the other, are somebody else again. Asked about enough of what lies between, a small
network learns to answer as its teacher does (Beyer et al. 2022, "a good teacher is patient and consistent").
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fewshot.embedding.runtime import shrunk
from fewshot.faces.align import ARCFACE_TEMPLATE, CROP_SIZE, EXPRESSION_TEMPLATE, similarity_transforms
from fewshot.research.training.augment import Augmentation

Grey = NDArray[np.uint8]
Matrix = NDArray[np.float32]
Recognise = Callable[[Grey], NDArray[np.float32]]

CANVAS = 160
"""Side of an aligned picture that holds all of both crops, pixels."""
_TEMPLATE = (ARCFACE_TEMPLATE * (CANVAS - 20) / CROP_SIZE + 10).astype(np.float32)
_SEAM = (0.35, 0.65)
"""Where in the canvas, from above, one face may go over into another."""
_BATCH = 256


@dataclass(frozen=True, eq=False)
class People:
    """Pictures whose five landmarks are known.

    Attributes:
        faces: grey square pictures, possibly of different sizes, n of them.
        to_canvas: matrices from picture to canvas, shape (n, 2, 3).
        weight: how often each is drawn, shape (n,), sums to 1.
    """

    faces: list[Grey]
    to_canvas: Matrix
    weight: NDArray[np.float64]

    @classmethod
    def of(cls, faces: list[Grey], landmarks: NDArray[np.floating], weight: NDArray[np.floating]) -> People:
        """Of pictures with landmarks in units of their side, shape (n, 5, 2)."""
        sides = np.array([face.shape[0] for face in faces], np.float32)
        to_canvas = similarity_transforms((landmarks * sides[:, None, None]).astype(np.float32), _TEMPLATE)
        return cls(faces, to_canvas, weight / weight.sum())

    def canvas(self, row: int) -> NDArray[np.float32]:
        """One of them, aligned: shape (CANVAS, CANVAS), 0..255."""
        size, edge = (CANVAS, CANVAS), cv2.BORDER_REPLICATE
        return np.asarray(
            cv2.warpAffine(self.faces[row], self.to_canvas[row], size, flags=cv2.INTER_CUBIC, borderMode=edge),
            np.float32,
        )

    def draw(self, rng: np.random.Generator, mixed: float) -> NDArray[np.float32]:
        """An aligned face as it is, or, with the chance ``mixed``, mixed of two; mirrored half of the time."""
        first, second = rng.choice(len(self.faces), 2, p=self.weight)
        face = self.canvas(int(first))
        if rng.random() < mixed:
            share = np.full((1, 1), rng.uniform(0.25, 0.75), np.float32)
            if rng.random() < 0.5:
                heights = np.arange(CANVAS, dtype=np.float32)[:, None] / CANVAS
                share = (1 / (1 + np.exp((heights - rng.uniform(*_SEAM)) * 40))).astype(np.float32)
            face = face * share + self.canvas(int(second)) * (1 - share)
        return face[:, ::-1] if rng.random() < 0.5 else face


@dataclass(frozen=True, eq=False)
class Views:
    """What a student is shown, and what the recogniser said of the same faces.

    Attributes:
        crops: grey, as the network sees them, uint8, shape (n, size, size).
        vectors: unit vectors of the recogniser, float16, shape (n, k).
    """

    crops: Grey
    vectors: NDArray[np.float16]


def make_views(
    people: People, recognise: Recognise, n: int, size: int, change: Augmentation | None, mixed: float, seed: int = 0
) -> Views:
    """Draw faces and ask the recogniser about them.

    Args:
        people: whose faces are drawn.
        recognise: grey crops (m, 112, 112) in the framing of ``ARCFACE_TEMPLATE`` to unit vectors (m, k).
        n: how many; None of ``change`` draws none, but takes all of ``people`` as they are, in their order.
        size: of the student's crops, pixels.
        change: what is done to the student's crop alone: the recogniser sees the face as it is.
        mixed: share of the faces that are mixed of two.
    """
    rng = np.random.default_rng(seed)
    to_teacher, to_student = (_from_canvas(template) for template in (ARCFACE_TEMPLATE, EXPRESSION_TEMPLATE))
    crops, vectors = [], []
    total = n if change else len(people.faces)
    for start in range(0, total, _BATCH):
        asked, shown = [], []
        for row in range(start, min(start + _BATCH, total)):
            drawn = people.draw(rng, mixed) if change else people.canvas(row)
            face = np.clip(drawn, 0, 255).astype(np.uint8)
            asked.append(_cut(face, to_teacher))
            if change is None:
                shown.append(_cut(face, to_student))
            else:
                shown.append(change.picture(_cut(face, change.framing(to_student, rng, mirror=False)), rng))
        vectors.append(recognise(np.stack(asked)).astype(np.float16))
        crops.append(shrunk(np.stack(shown), size))
    return Views(np.concatenate(crops), np.concatenate(vectors))


def _from_canvas(template: NDArray[np.floating]) -> Matrix:
    """Matrix from the canvas to a crop in which the landmarks lie as in ``template``, shape (2, 3)."""
    return np.asarray(similarity_transforms(_TEMPLATE[None], template.astype(np.float32))[0], np.float32)


def _cut(face: Grey, matrix: Matrix) -> Grey:
    size = (CROP_SIZE, CROP_SIZE)
    return np.asarray(cv2.warpAffine(face, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))
