"""What 8 bits cost: every photo is tested with all others of the person enrolled; times say where they are from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from fewshot.loops import open_population
from fewshot.prototypes.estimators import AdaptiveHierarchical, compared_distances
from fewshot.prototypes.supports import SupportSet
from fewshot.research.evaluation.enrolled_class import FOLDS
from fewshot.research.evaluation.quantised import Timed, about_times, add_times, leave_one_out, read_times

POPULATION = open_population()
SUBJECTS = [f"s{number // 4}" for number in range(48)]
NAMES = [("neutral", "happy", "sad", "angry")[number % 4] for number in range(48)]


def photos() -> np.ndarray:
    """12 people with four emotions each, near the population's prototypes, as the network gives them: shape (48, d)."""
    rng = np.random.default_rng(0)
    places = [POPULATION.classes.index(name) for name in NAMES]
    directions = POPULATION.prototypes[places] + rng.normal(0, 0.02, (48, POPULATION.prototypes.shape[1]))
    made = directions / np.linalg.norm(directions, axis=1, keepdims=True) + POPULATION.mean
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)


def test_the_tested_photo_has_no_say_and_the_others_of_the_person_have() -> None:
    z = photos()
    before = leave_one_out(POPULATION, z, SUBJECTS, NAMES)
    other_label = ["fear", *NAMES[1:]]
    np.testing.assert_allclose(leave_one_out(POPULATION, z, SUBJECTS, other_label)[0], before[0])
    other_label = [NAMES[0], "fear", *NAMES[2:]]
    assert np.abs(leave_one_out(POPULATION, z, SUBJECTS, other_label)[0] - before[0]).max() > 1e-3


def test_the_prototypes_are_those_of_the_running_system() -> None:
    z = photos()
    found = leave_one_out(POPULATION, z, SUBJECTS, NAMES)
    supports = {
        who: SupportSet(z[rows], [NAMES[row] for row in rows], [str(row) for row in rows])
        for who in sorted(set(SUBJECTS))
        for rows in [[row for row, name in enumerate(SUBJECTS) if name == who]]
    }
    own = SupportSet(z[1:4], NAMES[1:4], ["1", "2", "3"])
    made = AdaptiveHierarchical().prototypes(POPULATION, own, [s for who, s in supports.items() if who != "s0"])
    # Trust in photos is fitted without a fifth of the class, so the two are near each other and not the same.
    assert FOLDS > 1
    np.testing.assert_allclose(found[0], compared_distances(POPULATION, made, z[[0]])[0], atol=0.05)


OLD = Timed("net-1", "old (avx512f)", 0.5, {"int8": (30.4, 19.4)})


def test_times_of_one_processor_replace_only_their_own(tmp_path: Path) -> None:
    path = tmp_path / "times.json"
    assert read_times(path) == []
    add_times(path, OLD)
    slow = replace(OLD, processor="new (avx2)", load=2.0, ms={"int8": (165.5, 161.9)})
    add_times(path, slow)
    add_times(path, replace(slow, network="net-2"))
    assert read_times(path) == [OLD, replace(slow, network="net-2")]


def test_a_page_of_times_names_network_processor_and_load() -> None:
    words = "\n".join(about_times([OLD, replace(OLD, processor="new (avx2)", load=2.0)]))
    for part in ("`net-1`", "old (avx512f)", "new (avx2)", "load 2.0", "| int8 | 30.4 | 19.4 |"):
        assert part in words
    assert about_times([]) == []
    assert "load not noted" in about_times([replace(OLD, load=None)])[0]
