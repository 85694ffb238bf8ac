"""The estimators for a student among classmates, and what each level adds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from episodes import everybody
from small_world import photos

from fewshot.prototypes.estimators import Hierarchical, cells_of, class_effect, hierarchical_prototypes
from fewshot.prototypes.population import Variances
from fewshot.prototypes.supports import SupportSet
from fewshot.research.evaluation.estimators import Mean, mean_prototypes
from fewshot.research.evaluation.estimators.base import EnrollmentEstimator, FewShotEstimator

EVERYBODY: list[EnrollmentEstimator] = [
    Mean(),
    Hierarchical(),
    Hierarchical(classroom=False),
    Hierarchical(student=False),
    Hierarchical(personal=False),
    Hierarchical(classroom=False, student=False, personal=False),
]


def vectors_of(prototypes):
    return np.stack([prototype.vector for prototype in prototypes])


@pytest.mark.parametrize("estimator", EVERYBODY, ids=lambda estimator: estimator.name)
@pytest.mark.parametrize("own", [None, SupportSet.empty(16)])
def test_without_any_photo_there_is_the_population(population, estimator, own):
    made = estimator.prototypes(population, own, [])
    np.testing.assert_array_equal(vectors_of(made), population.prototypes)
    assert {(p.level, p.shots) for p in made} == {("population", 0.0)}


@pytest.mark.parametrize("estimator", EVERYBODY, ids=lambda estimator: estimator.name)
def test_states_of_ones_own_stay_whatever_is_switched_off(population, estimator):
    made = estimator.prototypes(population, photos(1, ["tired", "neutral", "confused"]), [photos(2, ["bored"])])
    assert [p.emotion for p in made] == [*population.classes, "confused", "tired"]
    assert all(p.radius is not None and p.reliable for p in made[7:])


def test_what_is_for_episodes_and_what_for_students():
    kinds = {type(e): (isinstance(e, FewShotEstimator), isinstance(e, EnrollmentEstimator)) for e in EVERYBODY}
    assert kinds == {Mean: (True, True), Hierarchical: (False, True)}
    assert not any(isinstance(e, EnrollmentEstimator) for e in everybody() if not isinstance(e, Mean))


def test_names_say_what_is_switched_off():
    assert [estimator.name for estimator in EVERYBODY] == [
        "mean",
        "hierarchical",
        "hierarchical without classroom",
        "hierarchical without student",
        "hierarchical without personal",
        "hierarchical without classroom, student, personal",
    ]


def test_all_levels_are_what_the_running_system_does(population):
    own = photos(1, ["happy", "happy", "neutral", None])
    mates = [photos(2, ["happy", "sad"]), photos(3, ["neutral", "neutral"]), SupportSet.empty(16)]
    cells = [cells_of(of, population) for of in [*mates, own]]
    expected = hierarchical_prototypes(population, own, class_effect(population, cells))
    made = Hierarchical().prototypes(population, own, mates)
    np.testing.assert_array_equal(vectors_of(made), vectors_of(expected))
    assert [(p.level, p.shots) for p in made] == [(p.level, p.shots) for p in expected]
    np.testing.assert_array_equal(
        vectors_of(Hierarchical(classroom=False).prototypes(population, own, mates)),
        vectors_of(hierarchical_prototypes(population, own)),
    )


@pytest.mark.parametrize(
    ("levels", "expected", "level", "shots"),
    [
        # The photo is neutral at (0.6, 0.8), r = (-0.4, 0.8), w = 1 / (0.1 + 0.2) = 1 / s_d^2, so delta = r / 2; the
        # photo's own share is s_g^2 / (s_g^2 + s_w^2) = 1/3 of what is then left.
        ((True, True), [[1 - 0.2 - 0.2 / 3, 0.4 + 0.4 / 3], [-0.2, 1.4]], "personal", 1.0),
        ((True, False), [[0.8, 0.4], [-0.2, 1.4]], "personal", 1.0),
        ((False, True), [[1 - 0.4 / 3, 0.8 / 3], [0, 1]], "personal", 1.0),
        ((False, False), [[1, 0], [0, 1]], "population", 0.0),
    ],
)
def test_levels_pinned(plane, levels, expected, level, shots):
    plane = replace(plane, variances=replace(plane.variances, student=0.3))
    student, personal = levels
    own = SupportSet(np.array([[0.6, 0.8]]), ["neutral"], ["a"])
    made = Hierarchical(classroom=False, student=student, personal=personal).prototypes(plane, own, [])
    np.testing.assert_allclose(vectors_of(made), expected, atol=1e-6)
    assert (made[0].level, made[0].shots) == (level, shots)


def test_classmates_teach_what_no_photo_of_ones_own_does(plane):
    """Ten students, whose happy faces the camera moves by r: a share of n s_c^2 / (n s_c^2 + s_g^2 + s_w^2)."""
    world = replace(plane, variances=Variances(classroom=0.1, student=0.0, interaction=0.1, within=0.2))
    moved = np.array([[0.28, 0.96]])
    mates = [SupportSet(moved, ["happy"], [f"photo-{k}"]) for k in range(10)]
    made = Hierarchical().prototypes(world, None, mates)
    share = 10 * 0.1 / (10 * 0.1 + 0.1 + 0.2)
    np.testing.assert_allclose(made[1].vector, [share * 0.28, 1 - share * 0.04], atol=1e-6)
    np.testing.assert_allclose(made[0].vector, [1, 0], atol=1e-6)
    assert {p.level for p in made} == {"class"}
    for deaf in (Hierarchical(classroom=False), Mean()):
        np.testing.assert_array_equal(vectors_of(deaf.prototypes(world, None, mates)), world.prototypes)


def test_mean_looks_at_own_photos_alone(population):
    own = photos(4, ["happy", "happy", "neutral"])
    made = Mean().prototypes(population, own, [photos(5, ["happy"])])
    np.testing.assert_array_equal(vectors_of(made), vectors_of(mean_prototypes(population, own)))
    np.testing.assert_allclose(made[3].vector, population.transform(own.vectors)[:2].mean(axis=0), atol=1e-6)
