"""Estimators that look at all queries at once, and what that costs where one class is most of them."""

from __future__ import annotations

import numpy as np
import pytest
from episodes import draw

from fewshot.errors import UsageError
from fewshot.research.evaluation.estimators import BDCSPN, CL2N, SoftKMeans
from fewshot.research.evaluation.estimators.base import FewShotEstimator

LABELS = np.array([0, 1])


def unit(angle: float) -> np.ndarray:
    return np.array([np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))])


def test_bd_cspn_moves_one_query_onto_the_mean_of_the_supports():
    # One query becomes the mean of (1, 0) twice and (0, 1), whatever it was: (2, 1) / 3. Class 0 takes it in, with
    # exp(10 * 2 / sqrt(5)) beside exp(10) for each of its own.
    support, labels = np.array([[1.0, 0], [1, 0], [0, 1]]), np.array([0, 0, 1])
    own, taken = np.exp(10.0), np.exp(10 * 2 / np.sqrt(5))
    rectified = 2 * own * np.array([1.0, 0]) + taken * np.array([2.0, 1]) / 3
    moved = np.array([2.0, 1]) / np.sqrt(5)
    for angle in (77.0, -120.0):
        scores = BDCSPN().scores(support, labels, unit(angle)[None])
        expected = [[rectified @ moved / np.linalg.norm(rectified), 1 / np.sqrt(5)]]
        np.testing.assert_allclose(scores, expected, atol=1e-12)


def test_bd_cspn_without_queries_taken_in_is_nearest_mean_after_the_shift():
    # Balanced queries shifted by a camera: the shift takes it away again.
    support = np.stack([unit(10), unit(80)])
    queries = np.stack([unit(30), unit(100)])
    scores = BDCSPN(nearest=0).scores(support, LABELS, queries)
    moved = queries + support.mean(axis=0) - queries.mean(axis=0)
    expected = moved / np.linalg.norm(moved, axis=1, keepdims=True) @ support.T
    np.testing.assert_allclose(scores, expected, atol=1e-12)


@pytest.mark.parametrize(
    ("nearest", "expected"),
    [
        (0, [[0, 0], [0, 0], [0, 0], [0, 0]]),
        (1, [[0, 0], [1, 0], [0, 0], [0, 1]]),
        (2, [[1, 0], [1, 0], [0, 0], [0, 1]]),
        (8, [[1, 0], [1, 0], [1, 0], [0, 1]]),  # never more than are nearest to the class
    ],
)
def test_bd_cspn_takes_in_the_surest_of_each_class(nearest, expected):
    similar = np.array([[0.8, 0.1], [0.9, 0.85], [0.7, 0.6], [0.2, 0.3]])
    np.testing.assert_array_equal(BDCSPN(nearest=nearest)._taken_in(similar), expected)


def test_bd_cspn_against_a_plain_loop():
    """Written out sample by sample, as the paper's equations 3 to 6 have it."""
    base, support, labels, queries, _ = draw(5, 2, 0.5)
    ours = BDCSPN(base, epsilon=7.0, nearest=3).scores(support, labels, queries)

    def length_one(v):
        return v / np.linalg.norm(v)

    known = [length_one(v.astype(np.float64) - base) for v in support]
    asked = [length_one(v.astype(np.float64) - base) for v in queries]
    shift = np.mean(known, axis=0) - np.mean(asked, axis=0)
    asked = [v + shift for v in asked]
    basic = [np.mean([v for v, y in zip(known, labels, strict=True) if y == c], axis=0) for c in range(7)]
    cosines = np.array([[length_one(v) @ length_one(p) for p in basic] for v in asked])
    rectified = []
    for c, prototype in enumerate(basic):
        own = sorted((i for i in range(len(asked)) if cosines[i].argmax() == c), key=lambda i: -cosines[i, c])[:3]
        members = [v for v, y in zip(known, labels, strict=True) if y == c] + [asked[i] for i in own]
        weights = np.array([np.exp(7.0 * length_one(v) @ length_one(prototype)) for v in members])
        rectified.append(sum(w * v for w, v in zip(weights / weights.sum(), members, strict=True)))
    expected = [[length_one(v) @ length_one(p) for p in rectified] for v in asked]
    np.testing.assert_allclose(ours, expected, atol=1e-9)


def test_soft_k_means_pinned():
    # Supports at 0 and 90 degrees, a query at 0: it counts 1 / (1 + exp(-2 / T)) for class 0, the rest for class 1.
    share = 1 / (1 + np.exp(-2 / 0.5))
    first, second = unit(0), (unit(90) + (1 - share) * unit(0)) / (2 - share)
    scores = SoftKMeans(temperature=0.5).scores(np.eye(2), LABELS, unit(0)[None] * 3)
    expected = [[-((unit(0) - first) ** 2).sum(), -((unit(0) - second) ** 2).sum()]]
    np.testing.assert_allclose(scores, expected, atol=1e-12)


def test_soft_k_means_without_a_round_is_cl2n():
    base, support, labels, queries, _ = draw(6, 3, 0.5)
    expected = CL2N(base).scores(support, labels, queries)
    np.testing.assert_array_equal(SoftKMeans(base, rounds=0).scores(support, labels, queries), expected)


def test_impossible_settings_are_refused():
    with pytest.raises(UsageError, match="0 queries or more"):
        BDCSPN(nearest=-1)
    with pytest.raises(UsageError, match="temperature > 0"):
        SoftKMeans(temperature=0.0)


def accuracy(estimator_of: type[CL2N] | type[BDCSPN] | type[SoftKMeans], often: float, shots: int) -> float:
    """Share of right queries, mean of 40 episodes."""
    hits = []
    for seed in range(40):
        base, support, labels, queries, truth = draw(seed, shots, often)
        estimator: FewShotEstimator = estimator_of(base)
        hits.append((estimator.scores(support, labels, queries).argmax(axis=1) == truth).mean())
    return float(np.mean(hits))


@pytest.mark.parametrize("transductive", [BDCSPN, SoftKMeans], ids=lambda kind: kind.name)
@pytest.mark.parametrize("shots", [1, 5])
def test_transduction_helps_with_balanced_queries_and_harms_where_one_class_is_four_fifths(transductive, shots):
    """What docs/explanation/estimators.md says of them. The inductive baseline does not care (Veilleux et al. 2021)."""
    balanced, real = accuracy(transductive, 1 / 7, shots), accuracy(transductive, 0.8, shots)
    plain_balanced, plain_real = accuracy(CL2N, 1 / 7, shots), accuracy(CL2N, 0.8, shots)
    assert abs(plain_real - plain_balanced) < 0.05
    assert balanced > plain_balanced
    assert real < plain_real - 0.05
