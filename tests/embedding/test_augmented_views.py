from __future__ import annotations

import cv2
import numpy as np
import pytest

from fewshot.embedding.augmented_views import AugmentedEmbedder, augmented_views, averaged_vectors
from fewshot.embedding.runtime import open_embedder


def halves(crops):
    """A network that sees how bright the left and the right half are."""
    sums = np.stack([crops[:, :, :56].sum(axis=(1, 2)), crops[:, :, 56:].sum(axis=(1, 2))], 1).astype(np.float32)
    return sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9)


@pytest.fixture
def crop():
    noise = np.random.default_rng(0).integers(0, 256, (14, 14), np.uint8)
    return cv2.resize(noise, (112, 112), interpolation=cv2.INTER_CUBIC)


def test_no_crop_has_no_vector():
    assert averaged_vectors(halves, np.zeros((0, 112, 112), np.uint8)).shape == (0, 2)


def test_looks_are_moved_and_mirrored_copies(crop):
    made = augmented_views(crop, shift=3.0)
    assert made.shape == (10, 112, 112) and made.dtype == np.uint8
    np.testing.assert_array_equal(made[0], crop)
    np.testing.assert_array_equal(made[1][:, :-3], crop[:, 3:])
    np.testing.assert_array_equal(made[2][:, 3:], crop[:, :-3])
    np.testing.assert_array_equal(made[3][:-3], crop[3:])
    np.testing.assert_array_equal(made[4][3:], crop[:-3])
    np.testing.assert_array_equal(made[2][:, 0], crop[:, 0])  # the border goes on
    np.testing.assert_array_equal(made[5:], made[:5, :, ::-1])


def test_without_a_shift_there_are_two(crop):
    np.testing.assert_array_equal(augmented_views(crop, shift=0), [crop, crop[:, ::-1]])


def test_the_side_the_light_comes_from_is_averaged_away():
    lit = np.zeros((1, 112, 112), np.uint8)
    lit[:, :, :56] = 255
    np.testing.assert_allclose(halves(lit), [[1, 0]])
    np.testing.assert_allclose(averaged_vectors(halves, lit), [[np.sqrt(0.5)] * 2], atol=1e-6)


def test_every_crop_has_its_own_looks(crop):
    crops = np.stack([np.roll(crop, 7 * k, axis=0) for k in range(40)])
    together = averaged_vectors(halves, crops, shift=2.0)
    by_hand = np.stack([halves(augmented_views(one, 2.0)).mean(axis=0) for one in crops])
    np.testing.assert_allclose(together, by_hand / np.linalg.norm(by_hand, axis=1, keepdims=True), atol=1e-6)


def test_the_shipped_network_looking_twice(crop):
    plain = open_embedder()
    twice = AugmentedEmbedder(plain.path)
    crops = np.stack([crop, crop[:, ::-1]])
    vectors = twice.embed_grey(crops)
    assert vectors.shape == (2, plain.dimension)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    # Looks of a mirror image are the mirror images of the looks: the mean cannot tell them apart, the network can.
    np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-5)
    assert not np.allclose(*plain.embed_grey(crops), atol=1e-3)
    assert (twice.network, twice.dimension) == (plain.network, plain.dimension)
    assert twice.engine != plain.engine
    assert twice.embed_grey(crops[:0]).shape == (0, plain.dimension)
