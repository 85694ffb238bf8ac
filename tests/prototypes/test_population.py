import json
from dataclasses import replace

import numpy as np
import pytest

from fewshot.errors import StoreError
from fewshot.prototypes.population import Population, Variances


def test_json_gives_every_bit_back(population, tmp_path):
    population.save(tmp_path / "Schüler.json")
    again = Population.load(tmp_path / "Schüler.json")
    np.testing.assert_array_equal(again.mean, population.mean)
    np.testing.assert_array_equal(again.prototypes, population.prototypes)
    assert (again.network, again.classes, again.variances) == ("test-1", population.classes, population.variances)
    assert (again.calibration, again.rescale) == (population.calibration, False)
    assert again.fingerprint == population.fingerprint


def test_files_of_before_there_was_an_allowance(population):
    data = json.loads(replace(population, allowance=0.5).to_json())
    assert Population.from_json(json.dumps(data)).allowance == 0.5
    del data["allowance"]
    assert Population.from_json(json.dumps(data)).allowance == 0.0


def test_fingerprint_follows_every_setting(population):
    others = (
        replace(population, rescale=True),
        replace(population, allowance=0.5),
        replace(population, prototypes=population.prototypes * 0.5),
        replace(population, variances=replace(population.variances, within=0.16)),
    )
    assert len({population.fingerprint, *(other.fingerprint for other in others)}) == 5


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"prototypes": np.zeros((6, 16))}, "expected 7 prototypes of length 16"),
        ({"mean": np.full(16, np.nan)}, "not finite"),
        ({"allowance": -0.1}, "allowance is negative"),
        ({"classes": ("happy",) * 7}, "named twice"),
        ({"variances": Variances(0.1, -0.1, 0.2, 0.1)}, "variance is negative"),
    ],
)
def test_impossible_numbers_are_named(population, change, words):
    with pytest.raises(StoreError, match=words):
        replace(population, **change)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"shots": (1.0, 2.0)}, "begin at 0"),
        ({"shots": (0.0, 0.0)}, "do not increase"),
        ({"far": (1.0,)}, "missing values"),
        ({"temperature": (0.1, 0.0)}, "not positive"),
    ],
)
def test_impossible_calibration_is_named(population, change, words):
    with pytest.raises(StoreError, match=words):
        replace(population, calibration=replace(population.calibration, **change))


@pytest.mark.parametrize("text", ["", "[]", "null", "{}", '{"version": 2}', '{"version": 1, "network": "x"}'])
def test_another_file_is_refused(text):
    with pytest.raises(StoreError, match="cannot be read"):
        Population.from_json(text)


def test_a_string_for_a_number_is_refused(population):
    data = json.loads(population.to_json())
    data["variances"]["within"] = "much"
    with pytest.raises(StoreError):
        Population.from_json(json.dumps(data))


def test_missing_file(tmp_path):
    with pytest.raises(StoreError, match="Install fewshot again"):
        Population.load(tmp_path / "nothing.json")


def test_states_to_rely_on_are_kept_and_follow_the_emotions(population):
    first, second, *_ = population.classes
    chosen = replace(population, reliable=(first, second))
    assert Population.from_json(chosen.to_json()).reliable == (first, second)
    assert replace(chosen, classes=chosen.classes[1:], prototypes=chosen.prototypes[1:]).reliable == (second,)
    data = json.loads(chosen.to_json())
    del data["reliable"]  # an older file
    assert Population.from_json(json.dumps(data)).reliable == ()
