"""Faces of mosaics through the whole chain, as an album: everyday press pictures, performers, web pictures."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from fewshot.classroom.photo_perception import photo_perception
from fewshot.embedding.runtime import Embedder, cache_key
from fewshot.faces.align import CROP_SIZE
from fewshot.faces.boxes import largest_face
from fewshot.perception import Perception
from fewshot.research.datasets.mosaics import LabelledFaces
from fewshot.research.datasets.single_faces import ANYTHING
from fewshot.research.evaluation.album import Album
from fewshot.research.evaluation.crops import saved
from fewshot.research.evaluation.vectors import crop_vectors, kept
from fewshot.types import EMOTIONS, Frame, Vectors

MARGIN = 0.4
"""Border around a picture that shows little but the face, as a share of its side: the tile of a call shows more."""


def padded(picture: Frame, margin: float = MARGIN) -> Frame:
    """The picture with its outermost pixels repeated around it."""
    border = round(margin * picture.shape[0])
    return np.asarray(cv2.copyMakeBorder(picture, border, border, border, border, cv2.BORDER_REPLICATE), np.uint8)


def mosaic_crops(chain: Perception, faces: LabelledFaces, cache: Path) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """What the network sees of each face, grey, shape (n, 112, 112), and where a face was found, shape (n,)."""
    stored = cache / f"crops_{faces.name}_{len(faces)}_{MARGIN:g}.npz"
    if stored.is_file():
        with np.load(stored) as known:
            return known["grey"], known["found"]
    eyes = photo_perception(chain, ANYTHING)
    grey, found = np.zeros((len(faces), CROP_SIZE, CROP_SIZE), np.uint8), np.zeros(len(faces), bool)
    for row, picture in enumerate(track(faces.pictures, faces.name, transient=True)):
        face = largest_face(eyes.find(padded(picture)))
        if face is not None:
            grey[row], found[row] = face.crop, True
    saved(stored, grey=grey, found=found)
    return grey, found


def mosaic_vectors(embedder: Embedder, grey: NDArray[np.uint8], name: str, cache: Path) -> Vectors:
    """z of every crop, shape (n, d), once for every network."""
    stored = cache / f"vectors_{name}_{len(grey)}_{cache_key(embedder)}.npz"
    return kept(stored, lambda: crop_vectors(embedder, grey))


def mosaic_album(chain: Perception, embedder: Embedder, faces: LabelledFaces, cache: Path) -> Album:
    """The faces that the detector found, with who is on them and what they show.

    Args:
        chain: detector; its quality limits are not applied.
        embedder: the network.
        faces: n of them.
        cache: where crops and vectors are kept.
    """
    grey, found = mosaic_crops(chain, faces, cache)
    vectors = mosaic_vectors(embedder, grey, faces.name, cache)
    rows = np.flatnonzero(found)
    return Album(
        vectors[rows],
        tuple(faces.subjects[row] or f"{faces.name}{row}" for row in rows),
        tuple(EMOTIONS[faces.labels[row]] for row in rows),
    )
