"""Colour against grey, without training: the shipped network on other grey pictures made from the three colours.

The network reads grey crops. If colour held much that grey loses, one of the colours, or all three together, would show
it: as prototypes read them, or to a linear classifier that sees the differences between the colours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from fewshot.classroom.photo_perception import photo_perception
from fewshot.embedding.runtime import Embedder
from fewshot.faces.align import CROP_SIZE, align
from fewshot.faces.boxes import largest_face
from fewshot.faces.light import in_good_light
from fewshot.perception import Perception
from fewshot.prototypes.population import Population
from fewshot.prototypes.space import squared_distances
from fewshot.research.datasets.mosaics import LabelledFaces
from fewshot.research.datasets.single_faces import ANYTHING
from fewshot.research.evaluation.estimators.linear_probe import LinearProbe
from fewshot.research.evaluation.mosaic_albums import padded
from fewshot.research.evaluation.vectors import crop_vectors
from fewshot.types import EMOTIONS, Vectors

GREY, RED, GREEN, BLUE, BRIGHTEST = "grey", "red", "green", "blue", "brightest of the three"
VERSIONS = (GREY, RED, GREEN, BLUE, BRIGHTEST)
ALL_THREE = "red, green and blue, vectors averaged"
FOLDS = 5
STRENGTH = 1.0
"""C of the linear classifier."""


def versions(picture: NDArray[np.uint8]) -> dict[str, NDArray[np.uint8]]:
    """Grey pictures (height, width) made from one in colour (height, width, 3), BGR; the first is the product's."""
    return {
        GREY: np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8),
        RED: picture[..., 2],
        GREEN: picture[..., 1],
        BLUE: picture[..., 0],
        BRIGHTEST: picture.max(axis=2),
    }


def crops_in_colours(chain: Perception, faces: LabelledFaces) -> tuple[dict[str, NDArray[np.uint8]], NDArray[np.int64]]:
    """Aligned crops of every version of the faces that are found in pictures in colour.

    All versions share the landmarks that the detector finds in the picture, so only the grey levels differ.

    Args:
        chain: detector; its quality limits are not applied.
        faces: n of them.

    Returns:
        Version -> crops, shape (m, 112, 112), and the m rows of ``faces``.
    """
    eyes = photo_perception(chain, ANYTHING)
    made: dict[str, list[NDArray[np.uint8]]] = {name: [] for name in VERSIONS}
    rows = []
    for row, picture in enumerate(faces.pictures):
        frame = padded(picture)
        face = largest_face(eyes.find(frame)) if coloured(picture) else None
        if face is None:
            continue
        rows.append(row)
        for name, version in versions(frame).items():
            crop = align(np.ascontiguousarray(version), face.landmarks[None])
            made[name].append(in_good_light(crop)[0])
    shape = (len(rows), CROP_SIZE, CROP_SIZE)
    return {name: np.array(crops, np.uint8).reshape(shape) for name, crops in made.items()}, np.array(rows, np.int64)


def coloured(picture: NDArray[np.uint8]) -> bool:
    """Whether a picture (BGR) differs from a grey one by more than two levels on average."""
    spread = picture.max(axis=2).astype(np.int64) - picture.min(axis=2)
    return float(spread.mean()) > 2.0


def vectors_in_colours(embedder: Embedder, crops: Mapping[str, NDArray[np.uint8]]) -> dict[str, Vectors]:
    """z of every version, shape (m, d), and the averaged vectors of the three colours."""
    found = {name: crop_vectors(embedder, grey) for name, grey in crops.items()}
    return {**found, ALL_THREE: np.asarray((found[RED] + found[GREEN] + found[BLUE]) / 3, np.float32)}


def hits(population: Population, vectors: Vectors, labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """1 where the nearest population prototype is the label (index into ``EMOTIONS``), else 0, shape (m,)."""
    order = [EMOTIONS.index(emotion) for emotion in population.classes]
    nearest = squared_distances(population.transform(vectors), population.prototypes).argmin(axis=1)
    return np.asarray(np.array(order)[nearest] == labels, np.float64)


def probed(
    population: Population, parts: Sequence[Vectors], labels: NDArray[np.int64], people: Sequence[str]
) -> NDArray[np.float64]:
    """1 where a linear classifier, fitted to the vectors of other people, is right, else 0, shape (m,).

    Args:
        parts: vectors z; the first as they are, of the others the difference from the first: each of shape (m, d).
        labels: index into ``EMOTIONS``, shape (m,).
        people: whose each is, length m; nobody is both fitted to and tested.
    """
    first = population.transform(parts[0]).astype(np.float64)
    features = np.hstack([first, *(population.transform(part) - first for part in parts[1:])])
    names = sorted(set(people))
    fold = np.random.default_rng(0).permutation(len(names))[np.searchsorted(names, people)] % FOLDS
    right, probe = np.zeros(len(labels)), LinearProbe(strength=STRENGTH)
    for held in range(FOLDS):
        train = fold != held
        kinds, columns = np.unique(labels[train], return_inverse=True)
        weights, bias = probe.fit(features[train], columns)
        right[~train] = kinds[(features[~train] @ weights.T + bias).argmax(axis=1)] == labels[~train]
    return right
