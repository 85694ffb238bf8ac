"""Vectors that keep more of the backbone: a linear change, told apart from none by its limits."""

from __future__ import annotations

import numpy as np
import pytest

from fewshot.errors import UsageError

torch = pytest.importorskip("torch", reason="needs the extra 'train'")

from fewshot.research.training.population import fitted_class_vectors  # noqa: E402
from fewshot.research.training.widen import hush, principal_directions, widened  # noqa: E402

RNG = np.random.default_rng(0)
FEATURES = (RNG.standard_normal((400, 12)) * np.linspace(3, 0.2, 12) + 5) @ np.linalg.qr(RNG.standard_normal((12, 12)))[
    0
]
TRAINED = RNG.standard_normal((6, 12)), RNG.standard_normal(6)


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_directions_are_centred_uncorrelated_and_fall() -> None:
    weight, bias = principal_directions(FEATURES, 4)
    made = FEATURES @ weight.T + bias
    np.testing.assert_allclose(made.mean(axis=0), 0, atol=1e-9)
    spread = np.cov(made.T, bias=True)
    np.testing.assert_allclose(spread, np.diag(np.diag(spread)), atol=1e-9)
    assert (np.diff(np.diag(spread)) < 0).all()


def test_whitened_directions_are_all_alike() -> None:
    weight, bias = principal_directions(FEATURES, 5, whiten=1.0)
    np.testing.assert_allclose(np.cov((FEATURES @ weight.T + bias).T, bias=True), np.eye(5), atol=1e-9)


def test_a_silent_feature_is_not_blown_up() -> None:
    silent = np.hstack([FEATURES, 1e-7 * RNG.standard_normal((400, 1))])
    weight, bias = principal_directions(silent, 13)
    assert np.isfinite(weight).all() and np.abs(silent @ weight.T + bias).max() < 50


def test_no_share_leaves_angles_as_they_were() -> None:
    before = unit(FEATURES @ TRAINED[0].T + TRAINED[1])
    after = widened(TRAINED, FEATURES, share=0.0, directions=3)(FEATURES)
    assert after.shape == (400, 6)
    np.testing.assert_allclose(after @ after.T, before @ before.T, atol=1e-9)


def test_all_of_it_leaves_nothing_of_the_trained_one() -> None:
    weight, bias = principal_directions(FEATURES, 4)
    expected = unit(FEATURES @ weight.T + bias)
    after = widened(TRAINED, FEATURES, share=1.0, directions=4)(FEATURES)
    np.testing.assert_allclose(after @ after.T, expected @ expected.T, atol=1e-9)


def test_half_is_half_of_the_squared_length() -> None:
    made = widened(TRAINED, FEATURES, share=0.5, directions=6)
    raw = FEATURES @ made.weight.T + made.bias
    # Twelve numbers turned to the six axes with most in them: most of the length is there.
    assert 0.9 < (raw**2).sum(axis=1).mean() <= 1.0 + 1e-9


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_a_share_is_between_none_and_all(share: float) -> None:
    with pytest.raises(UsageError, match="share"):
        widened(TRAINED, FEATURES, share, 3)


@pytest.mark.parametrize("count", [0, 13])
def test_there_are_not_more_directions_than_features(count: int) -> None:
    with pytest.raises(UsageError, match="directions"):
        principal_directions(FEATURES, count)


def test_class_vectors_are_fitted_to_the_space_they_are_asked_in() -> None:
    centres = unit(RNG.standard_normal((3, 8)))
    labels = np.arange(300) % 3
    vectors = unit(centres[labels] + 0.1 * RNG.standard_normal((300, 8))).astype(np.float32)
    head, loss = fitted_class_vectors(vectors, np.eye(3)[labels], torch.zeros(3))
    assert loss < 0.01
    assert (head(torch.from_numpy(vectors)).argmax(1).numpy() == labels).all()


def test_what_training_added_to_the_logits_is_not_learned_again() -> None:
    # One point, seen as either class: with its frequencies added, the class vectors have nothing to say.
    vectors, prior = np.tile([[1.0, 0.0]], (10, 1)).astype(np.float32), torch.tensor([0.9, 0.1]).log()
    head, _ = fitted_class_vectors(vectors, np.tile([[0.9, 0.1]], (10, 1)), prior)
    gap = head(torch.from_numpy(vectors[:1])).diff().item()
    assert gap == pytest.approx(0.0, abs=1e-3)


def test_a_silent_channel_does_not_shout() -> None:
    norm = torch.nn.BatchNorm2d(3).eval()
    norm.running_var.copy_(torch.tensor([1e-9, 0.5, 4.0]))
    assert hush(torch.nn.Sequential(norm), 0.04) == 1
    picture = torch.ones(1, 3, 2, 2)
    torch.testing.assert_close(norm(picture)[0, :, 0, 0], torch.tensor([5.0, 0.5**-0.5, 0.5]), rtol=1e-3, atol=0)
    assert hush(torch.nn.Sequential(norm), 0.04) == 0
