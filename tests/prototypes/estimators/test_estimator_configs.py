"""conf/estimator: every file makes the estimator it is named after."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("hydra", reason="needs the extra 'train'")

import hydra

from fewshot.prototypes.estimators import AdaptiveHierarchical, Hierarchical
from fewshot.research.evaluation.estimators import around

FOLDER = Path(__file__).resolve().parents[3] / "conf" / "estimator"
EPISODES = {
    "mean": "mean",
    "cl2n": "CL2N",
    "power": "power transform",
    "bdcspn": "BD-CSPN",
    "soft_kmeans": "soft k-means",
    "linear_probe": "linear probe",
    "linear_probe_backbone": "linear probe on the backbone",
}
ENROLLMENT = {
    "adaptive": "adaptive hierarchical",
    "hierarchical": "hierarchical",
    "hierarchical_no_classroom": "hierarchical without classroom",
    "hierarchical_no_student": "hierarchical without student",
    "hierarchical_no_personal": "hierarchical without personal",
}


def composed(choice):
    with hydra.initialize_config_dir(str(FOLDER.parent), version_base=None):
        return hydra.compose("evaluate", overrides=[f"estimator={choice}"]).estimator


def test_every_file_is_known_here():
    assert {path.stem for path in FOLDER.glob("*.yaml")} == {"all", *EPISODES, *ENROLLMENT}


def test_all_holds_every_other():
    made = hydra.utils.instantiate(composed("all"), _convert_="all")
    assert {name: estimator.name for name, estimator in made.items()} == {**EPISODES, **ENROLLMENT} | {"cl2n": "L2N"}


@pytest.mark.parametrize("file", [*EPISODES, *ENROLLMENT])
def test_a_file_makes_its_estimator(file):
    estimator = hydra.utils.instantiate(composed(file), _convert_="all")
    assert estimator.paper
    if file in ENROLLMENT:
        assert isinstance(estimator, AdaptiveHierarchical if file == "adaptive" else Hierarchical)
        assert estimator.name == ENROLLMENT[file]
    else:
        centred = around(estimator, np.full(3, -1.0))
        assert centred.name == EPISODES[file]
        support = np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1]])
        scores = centred.scores(support, np.arange(3), support)
        assert (scores.argmax(axis=1) == np.arange(3)).all()
