"""A world small enough to compute by hand: two emotions in the plane, and seven in sixteen dimensions."""

from __future__ import annotations

import numpy as np
import pytest
from small_world import DIMENSION, unit

from fewshot.prototypes.calibration import Calibration
from fewshot.prototypes.population import Population, Variances
from fewshot.types import EMOTIONS


@pytest.fixture
def plane() -> Population:
    """neutral at (1, 0), happy at (0, 1); kappa = s_w^2 / s_g^2 = 2."""
    return Population(
        network="plane-1",
        classes=("neutral", "happy"),
        mean=np.zeros(2, np.float32),
        prototypes=np.eye(2, dtype=np.float32),
        variances=Variances(classroom=0.0, student=0.3, interaction=0.1, within=0.2),
        calibration=Calibration(shots=(0.0, 1.0), temperature=(0.5, 0.25), far=(1.5, 1.0), margin=(0.1, 0.05)),
    )


@pytest.fixture
def population() -> Population:
    rng = np.random.default_rng(7)
    return Population(
        network="test-1",
        classes=EMOTIONS,
        mean=rng.normal(size=DIMENSION).astype(np.float32) * 0.05,
        prototypes=unit(rng.normal(size=(len(EMOTIONS), DIMENSION))),
        variances=Variances(classroom=0.1, student=0.1, interaction=0.2, within=0.15, common=0.08),
        calibration=Calibration(shots=(0.0, 1.0), temperature=(0.2, 0.1), far=(2.0, 1.5), margin=(0.1, 0.05)),
    )
