"""Synthetic people are as alike, and as unlike, as the real ones were."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from fewshot.research.simulation.made_identities import BETWEEN, OFFSET, WITHIN, People, spectrum
from fewshot.types import Vectors


def estimate(vectors: Vectors, people: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """How real vectors spread.

    Args:
        vectors: unit vectors, shape (n, d).
        people: whose each is; some people more than once.

    Returns:
        (variance between people in its principal directions, falling, shape (d,); variance within people in the same
        directions, shape (d,); length of the mean).
    """
    owners = np.unique(np.asarray(people), return_inverse=True)[1]
    counts = np.bincount(owners)
    means = np.stack([np.bincount(owners, column) for column in vectors.T.astype(np.float64)], axis=1) / counts[:, None]
    inner = (vectors - means[owners])[counts[owners] > 1]
    within = inner.T @ inner / (counts - 1).sum()
    one_each = vectors[np.unique(owners, return_index=True)[1]].astype(np.float64)
    between = np.cov(one_each.T) - within
    values, directions = np.linalg.eigh(between)
    order = np.argsort(-values)
    inside = np.einsum("ij,ik,kj->j", directions, within, directions)
    return values[order], inside[order], float(np.linalg.norm(one_each.mean(axis=0)))


def test_nobody() -> None:
    people = People(0)
    assert people.seen(people.draw(0)).shape == (0, 512)


def test_one_seed_one_world() -> None:
    np.testing.assert_array_equal(People(3).draw(2), People(3).draw(2))
    assert not np.array_equal(People(3).draw(2), People(4).draw(2))


def test_similarities_are_those_of_the_real_vectors() -> None:
    """LFW, measured: strangers 0.03 +- 0.07; one person, two single pictures: median 0.55, 5 % below 0.33."""
    world = People(1)
    people = world.draw(1500)
    first, second = world.seen(people), world.seen(people)
    np.testing.assert_allclose(np.linalg.norm(first, axis=1), 1, atol=1e-5)
    same, others = (first * second).sum(axis=1), (first[:700] @ second[700:].T).ravel()
    assert np.median(same) == pytest.approx(0.55, abs=0.06) and np.quantile(same, 0.05) == pytest.approx(0.33, abs=0.08)
    assert others.mean() == pytest.approx(0.03, abs=0.01) and others.std() == pytest.approx(0.07, abs=0.01)
    assert np.median((world.seen(people, 2) * world.seen(people, 4)).sum(axis=1)) > np.median(same) + 0.15


def test_the_spread_can_be_estimated_back() -> None:
    world = People(2)
    people = world.draw(3000)
    vectors = np.concatenate([world.seen(people), world.seen(people)])
    between, within, offset = estimate(vectors, [str(k) for k in range(3000)] * 2)
    assert between.sum() == pytest.approx(spectrum(BETWEEN).sum(), rel=0.1)
    assert within.sum() == pytest.approx(spectrum(WITHIN).sum(), rel=0.1)
    assert offset == pytest.approx(OFFSET, abs=0.03) and between[:64].sum() == pytest.approx(
        0.6 * between.sum(), rel=0.1
    )
