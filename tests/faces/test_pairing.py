"""The quick way and the thorough way give the same pairs."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from fewshot.faces.pairing import best_pairs


@pytest.mark.parametrize(
    ("worth", "expected"),
    [
        (np.zeros((0, 3)), []),
        (np.zeros((3, 0)), []),
        ([[0.9, 0.1], [0.2, 0.8]], [(0, 0), (1, 1)]),
        ([[0.9, 0.1]], [(0, 0)]),
        ([[0.9], [0.8]], [(0, 0)]),  # both want the same one
        ([[0.9, 0.8], [0.8, 0.1]], [(0, 1), (1, 0)]),  # the first gives way: 0.8 + 0.8 is more than 0.9 + 0.1
        ([[-1e6, -1e6], [-1e6, 0.3]], [(1, 1)]),
        ([[-1e6]], []),
    ],
)
def test_pairs(worth: object, expected: list[tuple[int, int]]) -> None:
    rows, columns = best_pairs(np.array(worth, float), -1e3)
    assert list(zip(rows.tolist(), columns.tolist(), strict=True)) == expected


def test_equals_the_optimal_assignment() -> None:
    rng = np.random.default_rng(0)
    for _ in range(300):
        worth = rng.uniform(0, 1, rng.integers(1, 7, 2))
        worth[rng.random(worth.shape) < 0.3] = -1e6
        rows, columns = best_pairs(worth, -1e3)
        best = linear_sum_assignment(worth, maximize=True)
        possible = worth[best] > -1e3
        assert len(rows) == possible.sum() == len(set(columns.tolist()))
        assert worth[rows, columns].sum() == pytest.approx(worth[best][possible].sum())
