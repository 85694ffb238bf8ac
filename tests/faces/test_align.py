"""Alignment in closed form equals a least-squares fit, for all faces at once."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.transform import SimilarityTransform

from fewshot.faces.align import ARCFACE_TEMPLATE, EXPRESSION_TEMPLATE, align, apply, similarity_transforms


def test_no_faces() -> None:
    assert similarity_transforms(np.zeros((0, 5, 2)), ARCFACE_TEMPLATE).shape == (0, 2, 3)
    assert align(np.zeros((20, 20, 3), np.uint8), np.zeros((0, 5, 2))).shape == (0, 112, 112, 3)


def test_equals_umeyama_of_skimage() -> None:
    landmarks = ARCFACE_TEMPLATE * 2.5 + np.random.default_rng(0).normal(0, 8, (20, 5, 2)) + 40
    ours = similarity_transforms(landmarks, EXPRESSION_TEMPLATE)
    for points, matrix in zip(landmarks, ours, strict=True):
        theirs = SimilarityTransform.from_estimate(points, EXPRESSION_TEMPLATE)
        np.testing.assert_allclose(matrix, theirs.params[:2], atol=1e-4)


@pytest.mark.parametrize("template", [ARCFACE_TEMPLATE, EXPRESSION_TEMPLATE])
def test_points_land_on_the_template(template: np.ndarray) -> None:
    frame = np.zeros((300, 400, 3), np.uint8)
    angle = np.radians(20)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = template @ turn.T * 1.5 + (150, 20)
    for x, y in np.round(points).astype(int):
        frame[y - 1 : y + 2, x - 1 : x + 2] = 255
    crop = align(frame, points[None], template)[0]
    assert all(crop[round(float(y)), round(float(x)), 0] > 60 for x, y in template)


def test_grey_and_points_in_one_place() -> None:
    assert align(np.full((50, 50), 7, np.uint8), np.zeros((2, 5, 2))).shape == (2, 112, 112)


def test_every_set_may_have_its_own_target() -> None:
    rng = np.random.default_rng(1)
    source = ARCFACE_TEMPLATE + rng.normal(0, 5, (6, 5, 2)).astype(np.float32)
    moved = source * 1.1 + rng.normal(0, 9, (6, 1, 2)).astype(np.float32)
    matrices = similarity_transforms(source, moved)
    np.testing.assert_allclose(apply(matrices, source), moved, atol=1e-3)
    assert apply(matrices[:0], source[:0]).shape == (0, 5, 2)
