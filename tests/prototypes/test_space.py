import numpy as np
import pytest

from fewshot.errors import DimensionMismatch
from fewshot.prototypes.space import allowed_distances, squared_distances, transform


def test_transform_centres_and_normalises():
    result = transform(np.array([[4.0, 4.0], [1.0, 3.0]], np.float32), np.array([1.0, 0.0], np.float32))
    np.testing.assert_allclose(result, [[0.6, 0.8], [0.0, 1.0]], atol=1e-7)
    assert result.dtype == np.float32


@pytest.mark.parametrize("row", [[1.0, 2.0], [np.nan, 0.0], [np.inf, 0.0]])
def test_a_vector_without_direction_becomes_zero(row):
    np.testing.assert_array_equal(transform(np.array([row], np.float32), np.array([1.0, 2.0], np.float32)), [[0, 0]])


def test_no_vectors():
    assert transform(np.zeros((0, 3), np.float32), np.zeros(3, np.float32)).shape == (0, 3)
    assert squared_distances(np.zeros((0, 3)), np.zeros((7, 3))).shape == (0, 7)


def test_what_is_not_known_is_taken_off():
    distances = np.array([[1.0, 0.5], [0.2, 2.0]])
    np.testing.assert_allclose(allowed_distances(distances, np.array([0.4, 0.1]), 0.5), [[0.8, 0.45], [0.0, 1.95]])
    np.testing.assert_array_equal(allowed_distances(distances, np.array([0.4, 0.1]), 0.0), distances)


def test_distances_are_squared_euclidean():
    result = squared_distances(np.array([[0.0, 0.0], [1.0, 1.0]]), np.array([[3.0, 4.0], [1.0, 1.0]]))
    np.testing.assert_array_equal(result, [[25, 2], [13, 0]])


@pytest.mark.parametrize("call", [lambda a, b: transform(a, b[0]), squared_distances])
def test_other_networks_vectors_are_refused(call):
    with pytest.raises(DimensionMismatch, match="network"):
        call(np.zeros((1, 3), np.float32), np.zeros((1, 4), np.float32))
