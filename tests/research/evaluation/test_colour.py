"""Colour against grey: versions of one picture, the faces that count, and classifiers that see nobody twice."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest

from fewshot.faces.detections import Detections
from fewshot.perception import Perception
from fewshot.prototypes.calibration import Calibration
from fewshot.prototypes.population import Population, Variances
from fewshot.research.datasets.mosaics import LabelledFaces
from fewshot.research.evaluation.colour import (
    ALL_THREE,
    BLUE,
    BRIGHTEST,
    GREEN,
    GREY,
    RED,
    VERSIONS,
    coloured,
    crops_in_colours,
    hits,
    probed,
    vectors_in_colours,
    versions,
)
from fewshot.types import EMOTIONS, Frame


class Detector:
    """One face in the middle of every picture that is not black."""

    name, note = "made-up", None

    def detect(self, frame: Frame) -> Detections:
        if not frame.any():
            return Detections.of(np.zeros((0, 4)), [], np.zeros((0, 5, 2)), frame)
        side = frame.shape[0]
        points = np.array([[0.4, 0.45], [0.6, 0.45], [0.5, 0.55], [0.42, 0.65], [0.58, 0.65]]) * side
        return Detections.of([[0.3 * side, 0.3 * side, 0.7 * side, 0.7 * side]], [0.9], [points], frame)


class Embedder:
    """Mean and spread of a crop."""

    network, identity_network, dimension = "made-up-1", "made-up-1:identity", 2

    def embed_grey(self, crops: np.ndarray) -> np.ndarray:
        return np.array([(crop.mean(), crop.std()) for crop in crops], np.float32).reshape(-1, 2)


def painted(*levels: tuple[int, int, int]) -> LabelledFaces:
    """Pictures of one colour (BGR) with stripes, so that no crop is flat."""
    stripes = np.linspace(0.5, 1, 100)[None, :, None]
    pictures = np.stack([np.broadcast_to(np.array(one) * stripes, (100, 100, 3)) for one in levels]).astype(np.uint8)
    n = len(levels)
    return LabelledFaces("made", pictures, np.zeros(n, np.int64), np.full((n, 5, 2), np.nan, np.float32), [""] * n)


def test_versions_are_the_colours_of_the_picture() -> None:
    (picture,) = painted((40, 90, 200)).pictures
    found = versions(picture)
    assert list(found) == list(VERSIONS)
    assert [int(found[name][0, -1]) for name in (RED, GREEN, BLUE, BRIGHTEST)] == [200, 90, 40, 200]
    assert found[GREY][0, -1] == pytest.approx(0.299 * 200 + 0.587 * 90 + 0.114 * 40, abs=1)


@pytest.mark.parametrize(
    ("level", "is_coloured"),
    [((90, 90, 90), False), ((90, 91, 90), False), ((40, 90, 200), True), ((0, 0, 0), False)],
)
def test_a_grey_picture_says_nothing_about_colour(level: tuple[int, int, int], is_coloured: bool) -> None:
    assert coloured(painted(level).pictures[0]) is is_coloured


def test_faces_in_colour_are_cut_alike_in_every_version() -> None:
    chain = Perception(Detector(), cast(Any, Embedder()))
    crops, kept = crops_in_colours(chain, painted((90, 90, 90), (40, 90, 200), (0, 0, 0), (200, 90, 40)))
    assert kept.tolist() == [1, 3]
    assert {name: made.shape for name, made in crops.items()} == dict.fromkeys(VERSIONS, (2, 112, 112))
    assert crops[RED][0].mean() > crops[BLUE][0].mean() and crops[RED][1].mean() < crops[BLUE][1].mean()
    z = vectors_in_colours(cast(Any, Embedder()), crops)
    np.testing.assert_allclose(z[ALL_THREE], (z[RED] + z[GREEN] + z[BLUE]) / 3, rtol=1e-5)


def test_no_picture_in_colour_is_no_error() -> None:
    crops, kept = crops_in_colours(Perception(Detector(), cast(Any, Embedder())), painted((90, 90, 90)))
    assert len(kept) == 0 and crops[RED].shape == (0, 112, 112)


@pytest.fixture
def population() -> Population:
    prototypes = np.eye(7, 16, dtype=np.float32)
    calibration = Calibration((0.0,), (0.1,), (9.0,), (0.0,))
    return Population("made-up-1", EMOTIONS, np.zeros(16), prototypes, Variances(0.1, 0.1, 0.1, 0.1), calibration)


def test_the_nearest_prototype_is_right_or_not(population: Population) -> None:
    assert hits(population, population.prototypes[[0, 3]], np.array([0, 2])).tolist() == [1.0, 0.0]


def test_a_classifier_uses_what_only_the_difference_of_the_colours_shows(population: Population) -> None:
    rng, labels = np.random.default_rng(0), np.tile([0, 1], 60)
    people = [f"p{number // 4}" for number in range(120)]
    grey = rng.normal(0, 0.05, (120, 16)) + 1
    red = grey.copy()
    red[:, 2] += np.where(labels == 1, 0.5, -0.5)
    without = probed(population, [grey.astype(np.float32)], labels, people)
    beside = probed(population, [grey.astype(np.float32), red.astype(np.float32)], labels, people)
    assert beside.mean() > 0.95 and without.mean() < 0.75


def test_nobody_is_both_learned_from_and_tested(population: Population) -> None:
    # Each person has a label of their own and a place of their own: only their own photos could tell the label.
    places = np.repeat(np.random.default_rng(0).normal(0, 1, (10, 16)), 5, axis=0).astype(np.float32)
    labels = np.repeat(np.array([0, 1, 2, 3, 4, 5, 6, 0, 1, 2]), 5)
    people = [f"p{number // 5}" for number in range(50)]
    assert probed(population, [places], labels, people).mean() <= 0.5
