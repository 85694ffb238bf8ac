"""Estimators that read one query at a time, pinned to numbers computed by hand."""

from __future__ import annotations

import numpy as np
import pytest
from episodes import draw, everybody

from fewshot.errors import DimensionMismatch, UsageError
from fewshot.research.evaluation.estimators import CL2N, LinearProbe, Mean, PowerTransform, around

ALL = pytest.mark.parametrize("estimator", everybody(), ids=lambda estimator: estimator.name)
LABELS = np.array([0, 1])


@ALL
def test_no_query_has_no_score(estimator):
    assert estimator.scores(np.eye(2, dtype=np.float32), LABELS, np.zeros((0, 2), np.float32)).shape == (0, 2)


@ALL
def test_one_way_is_legal(estimator):
    scores = estimator.scores(np.ones((1, 2), np.float32), np.array([0]), np.eye(2, dtype=np.float32))
    assert scores.shape == (2, 1) and np.isfinite(scores).all()


@ALL
def test_the_supports_themselves_are_read_as_what_they_are(estimator):
    support = np.abs(draw(0, 3, 1 / 7, spread=3.0)[1])
    labels = np.repeat(np.arange(7), 3)
    scores = estimator.scores(support, labels, support)
    assert scores.shape == (21, 7) and scores.dtype == np.float64
    assert (scores.argmax(axis=1) == labels).mean() > 0.95


@ALL
def test_twice_the_same(estimator):
    _, support, labels, queries, _ = draw(1, 2, 0.5)
    arrays = np.abs(support), labels, np.abs(queries)
    np.testing.assert_array_equal(estimator.scores(*arrays), estimator.scores(*arrays))


@ALL
def test_the_order_of_supports_and_queries_does_not_matter(estimator):
    _, support, labels, queries, _ = draw(2, 2, 0.5)
    support, queries = np.abs(support), np.abs(queries)
    rng = np.random.default_rng(0)
    rows, asked = rng.permutation(len(support)), rng.permutation(len(queries))
    mixed = estimator.scores(support[rows], labels[rows], queries[asked])
    np.testing.assert_allclose(mixed, estimator.scores(support, labels, queries)[asked], atol=1e-4)


@ALL
def test_transductive_is_what_looks_at_other_queries(estimator):
    _, support, labels, queries, _ = draw(3, 2, 0.8)
    support, queries = np.abs(support), np.abs(queries[::5])
    together = estimator.scores(support, labels, queries)
    alone = np.concatenate([estimator.scores(support, labels, query[None]) for query in queries])
    assert np.allclose(together, alone, atol=1e-9) is not estimator.transductive


@ALL
@pytest.mark.parametrize(
    ("support", "labels", "queries", "error", "words"),
    [
        (np.zeros((0, 2)), [], np.zeros((1, 2)), UsageError, "Give every vector a label"),
        (np.eye(2), [0], np.zeros((1, 2)), UsageError, "Give every vector a label"),
        (np.eye(2), [0, 2], np.zeros((1, 2)), UsageError, "without a gap"),
        (np.eye(2), [1, 2], np.zeros((1, 2)), UsageError, "without a gap"),
        (np.eye(2), [0, 1], np.full((1, 2), np.nan), UsageError, "not finite"),
        (np.eye(2), [0, 1], np.zeros((1, 3)), DimensionMismatch, "same network"),
        (np.eye(2), [0, 1], np.zeros(2), DimensionMismatch, "same network"),
    ],
)
def test_what_is_no_episode_is_refused(estimator, support, labels, queries, error, words):
    with pytest.raises(error, match=words):
        estimator.scores(support, np.array(labels, np.int64), queries)


def test_mean_pinned():
    # Class 0 is the mean of (0, 0) and (2, 0). Nothing is normalised.
    support = np.array([[0, 0], [2, 0], [0, 4]])
    scores = Mean().scores(support, np.array([0, 0, 1]), np.array([[1, 2], [0, 4]]))
    np.testing.assert_allclose(scores, [[-4, -5], [-17, 0]], atol=1e-12)


@pytest.mark.parametrize(
    ("mean", "expected"),
    [
        (None, [[-(2 - 2 * 0.6), -(2 - 2 * 0.8)]]),  # (3, 4) becomes (0.6, 0.8), the supports the axes
        ((1.0, 0.0), [[-(2 - np.sqrt(2)), -(2 - np.sqrt(2))]]),  # (2, 4), (4, 0), (-1, 5) less b: see below
    ],
)
def test_cl2n_pinned(mean, expected):
    if mean is None:
        support, query = np.array([[5.0, 0], [0, 0.1]]), np.array([[3.0, 4]])
    else:
        # Less (1, 0): supports (3, 0) and (0, 5), query (2, 2): 45 degrees from both, where the raw query is not.
        support, query = np.array([[4.0, 0], [1, 5]]), np.array([[3.0, 2]])
    np.testing.assert_allclose(CL2N(mean).scores(support, LABELS, query), expected, atol=1e-12)
    assert CL2N(mean).name == ("L2N" if mean is None else "CL2N")


def test_cl2n_takes_the_base_mean_of_its_own_network():
    with pytest.raises(DimensionMismatch, match="base mean"):
        CL2N(np.zeros(3)).scores(np.eye(2), LABELS, np.eye(2))


def test_cl2n_survives_a_vector_on_the_mean():
    scores = CL2N(np.array([1.0, 0.0])).scores(np.eye(2), LABELS, np.eye(2))
    assert np.isfinite(scores).all()


@ALL
def test_around_puts_a_base_mean_into_what_takes_one(estimator):
    base = np.array([1.0, 2.0])
    moved = around(estimator, base)
    assert type(moved) is type(estimator)
    if hasattr(estimator, "mean"):
        assert estimator.mean is None and moved.mean is base
        assert around(moved, None).mean is None
    else:
        assert moved is estimator


def test_what_reads_the_backbone_never_gets_the_mean_of_the_embedding():
    probe = LinearProbe(features="backbone")
    assert around(probe, np.zeros(2)) is probe


def test_power_transform_pinned():
    # Roots of (9, 16), (0, 1) and (16, 9) are (3, 4), (0, 1) and (4, 3); then lengths of one.
    support, query = np.array([[9.0, 16], [0, 1]]), np.array([[16.0, 9]])
    scores = PowerTransform(offset=0.0).scores(support, LABELS, query)
    np.testing.assert_allclose(scores, [[-(0.2**2 + 0.2**2), -(0.8**2 + 0.4**2)]], atol=1e-12)


@pytest.mark.parametrize(
    ("features", "beta", "expected"),
    [
        ([[3.0, 3, 3, 3]], 0.5, [0.5, 0.5, 0.5, 0.5]),  # equal features stay equal, whatever they are
        ([[0.0, 0, 0, 0]], 0.5, [0.5, 0.5, 0.5, 0.5]),
        ([[3.0, 4, 0, 0]], 1.0, [0.6, 0.8, 0, 0]),  # a power of 1 only normalises
        ([[100.0, 1, 0, 0]], 1e-9, [0.5, 0.5, 0.5, 0.5]),  # a power of 0 forgets the sizes
    ],
)
def test_power_transform_limits(features, beta, expected):
    made = PowerTransform(beta).transformed(np.array(features))
    np.testing.assert_allclose(made, [expected], atol=1e-6)


def test_power_transform_wants_the_backbone():
    with pytest.raises(UsageError, match="not the embedding"):
        PowerTransform().scores(np.array([[1.0, -0.1]]), np.array([0]), np.eye(2))
    with pytest.raises(UsageError, match="beta > 0"):
        PowerTransform(beta=0.0)


def test_linear_probe_of_two_points_is_where_the_slope_vanishes():
    # Supports (1, 0) and (-1, 0), C = 1. By symmetry W = (w, 0), (-w, 0), no bias, and p = sigmoid(2 w) for both:
    # the slope w - 2 (1 - p) = 0 of |w|^2 + 2 log(1 + exp(-2 w)), so w = 2 / (1 + exp(2 w)).
    weights, bias = LinearProbe().fit(np.array([[1.0, 0], [-1, 0]]), LABELS)
    w = 0.0
    for _ in range(200):
        w = 0.5 * w + 0.5 * 2 / (1 + np.exp(2 * w))
    np.testing.assert_allclose(weights, [[w, 0], [-w, 0]], atol=1e-5)
    np.testing.assert_allclose(bias, 0, atol=1e-6)


def test_linear_probe_separates_where_no_mean_does():
    """Class 1 on both sides of class 0's line, far along it: the means lie wrong, a line between them exists."""
    along, across = np.array([-1.0, -0.9, 0.9, 1.0]), np.array([0.1, 0.1, 0.1, 0.1])
    support = np.concatenate([np.stack([along, across], 1), np.stack([along[:1] * 3, -across[:1]], 1)])
    labels = np.array([0, 0, 0, 0, 1])
    probe = LinearProbe(strength=1e4)
    assert (probe.scores(support, labels, support).argmax(axis=1) == labels).all()
    assert (CL2N().scores(support, labels, support).argmax(axis=1) != labels).any()


def test_linear_probe_held_back_gives_the_frequencies_and_says_what_it_is():
    weights, bias = LinearProbe(strength=1e-6).fit(np.eye(4), np.array([0, 0, 0, 1]))
    np.testing.assert_allclose(weights, 0, atol=1e-4)
    assert np.isfinite(bias).all()
    with pytest.raises(UsageError, match="C > 0"):
        LinearProbe(strength=0)
    backbone = LinearProbe(features="backbone")
    assert (backbone.name, backbone.features) == ("linear probe on the backbone", "backbone")
