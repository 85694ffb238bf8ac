"""Enrollment says when the photos of a class differ so much that they change little."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fewshot.classroom.class_enrollment import TRUSTED_LITTLE, trusted_little
from fewshot.commands.roster import run_enroll
from fewshot.prototypes.population import Population
from fewshot.prototypes.store import PrototypeStore
from fewshot.prototypes.supports import SupportSet
from fewshot.types import EMOTIONS
from fewshot.unit_vectors import unit_rows

WEIGHTS = Path(__file__).parents[2] / "fewshot/weights/expression.json"


@pytest.mark.parametrize(("spread", "little"), [(0.05, False), (1.5, True)])
def test_photos_that_differ_like_everyday_photos_are_pointed_out(spread: float, little: bool) -> None:
    population = Population.load(WEIGHTS)
    d, rng = population.dimension, np.random.default_rng(0)
    store = PrototypeStore(d, 8, population.network)
    for student in range(12):
        own = rng.normal(size=(7, d)) * np.sqrt(0.25 / d)
        photos = population.prototypes + own + rng.normal(size=(7, d)) * np.sqrt(spread / d)
        vectors = unit_rows(population.mean + 0.4 * unit_rows(photos))
        names = [f"{student}-{emotion}" for emotion in EMOTIONS]
        store.add(f"s{student}", SupportSet(vectors.astype(np.float32), list(EMOTIONS), names), np.zeros((0, 8)))
    assert trusted_little(population, store) is little
    assert "differ a lot" in TRUSTED_LITTLE and "like the lesson" in TRUSTED_LITTLE


def test_an_empty_folder_is_said_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "photos").mkdir()
    code = run_enroll("physics", tmp_path / "photos", "their parents", None, "cascade", False)
    said = capsys.readouterr().err
    assert code == 1
    assert "holds no photos" in said and "<student>/<emotion>/*.jpg" in said and "above" not in said
