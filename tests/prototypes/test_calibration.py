import numpy as np
import pytest

from fewshot.prototypes.calibration import Calibration, fit_temperature, fit_thresholds, softmax
from fewshot.research.evaluation.scores import reliability


def draw(temperature, count=6_000, seed=0):
    """Distances, and labels drawn from the softmax of them at this temperature."""
    rng = np.random.default_rng(seed)
    distances = rng.uniform(0, 2, size=(count, 7))
    cumulative = softmax(-distances / temperature).cumsum(axis=1)
    return distances, (rng.random((count, 1)) > cumulative).sum(axis=1).clip(0, 6)


def test_softmax_pinned():
    np.testing.assert_allclose(softmax(np.array([0.0, np.log(3.0), -np.inf])), [0.25, 0.75, 0])
    np.testing.assert_allclose(softmax(np.array([-1e9, -1e9])), [0.5, 0.5])


@pytest.mark.parametrize("temperature", [0.05, 0.3, 1.0])
def test_the_true_temperature_is_found(temperature):
    assert fit_temperature(*draw(temperature)) == pytest.approx(temperature, rel=0.1)


def test_thresholds_cost_the_agreed_share_of_right_readings():
    distances, labels = draw(0.2)
    row = fit_thresholds(distances, labels, lost=0.05)
    ordered = np.sort(softmax(-distances / row.temperature), axis=1)
    right = distances.argmin(axis=1) == labels
    assert (distances.min(axis=1)[right] > row.far).mean() == pytest.approx(0.05, abs=0.002)
    assert ((ordered[:, -1] - ordered[:, -2])[right] < row.margin).mean() == pytest.approx(0.05, abs=0.002)


def test_nothing_right_rejects_nothing():
    row = fit_thresholds(np.array([[0.1, 0.9]]), np.array([1]))
    assert (row.far, row.margin) == (0.1, 0.0)


def test_calibrated_probabilities_are_honest():
    distances, labels = draw(0.3)
    assert reliability(softmax(-distances / 0.3), labels, bins=5).error < 0.02
    assert reliability(softmax(-distances / 0.03), labels).error > 0.2


def test_linear_between_known_shots_and_constant_beyond():
    calibration = Calibration((0.0, 1.0), (0.4, 0.2), (2.0, 1.0), (0.0, 0.1))
    assert calibration.at(50) == calibration.at(1)
    row = calibration.at(0.25)
    assert (row.temperature, row.far, row.margin) == pytest.approx((0.35, 1.75, 0.025))
    assert calibration.at(50) == calibration.at(1)
