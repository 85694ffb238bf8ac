"""How far a class's photos are trusted: in made-up classes whose photos agree, differ, or carry wrong labels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fewshot.prototypes.calibration import Calibration
from fewshot.prototypes.estimators import (
    AdaptiveHierarchical,
    cells_of,
    class_effect,
    fit_class,
    hierarchical_prototypes,
)
from fewshot.prototypes.estimators.class_gate import helpful_shares, lesson_rates, lesson_weights
from fewshot.prototypes.estimators.photo_spread import EXPECTED_EXTRA, OWN_WAYS, cautious, extra_variance
from fewshot.prototypes.population import Population, Variances
from fewshot.prototypes.supports import SupportSet
from fewshot.types import EMOTIONS
from fewshot.unit_vectors import unit_rows

D = 128
LABORATORY = Variances(classroom=0.05, student=0.09, interaction=0.19, within=0.07, common=0.1)
ONE_PHOTO = LABORATORY.student + LABORATORY.interaction + LABORATORY.within


@pytest.fixture(scope="module")
def world() -> Population:
    rng = np.random.default_rng(0)
    return Population(
        network="w", classes=EMOTIONS, mean=np.zeros(D, np.float32), prototypes=unit_rows(rng.normal(size=(7, D))),
        variances=LABORATORY,
        calibration=Calibration((0.0, 1.0), (0.11, 0.1), (1.5, 1.5), (0.05, 0.05)), allowance=0.25,
    )  # fmt: skip


def people(world, count, within, shots=1, seed=0, emotions=EMOTIONS, shift=0.0):
    """A class of the model: an effect of the camera, people, their own ways, and photos that differ by ``within``."""
    rng = np.random.default_rng(seed)
    noise = lambda variance, *shape: rng.normal(size=(*shape, D)) * np.sqrt(variance / D)  # noqa: E731
    camera = noise(shift) if shift else np.zeros(D)
    students = []
    for student in range(count):
        offset = noise(LABORATORY.student)
        ways = [noise(max(OWN_WAYS[e] * ONE_PHOTO - LABORATORY.student - LABORATORY.within, 0)) for e in EMOTIONS]
        vectors, words = [], []
        for emotion in emotions:
            for _ in range(shots):
                place = EMOTIONS.index(emotion)
                vectors.append(world.prototypes[place] + camera + offset + ways[place] + noise(within))
                words.append(emotion)
        names = [f"{seed}-{student}-{n}" for n in range(len(words))]
        students.append(SupportSet(np.array(vectors, np.float32), words, names))
    return students


def measured(world, students):
    u = [world.transform(s.vectors) for s in students]
    labels = [np.array([EMOTIONS.index(e) for e in s.emotions]) for s in students]
    return extra_variance(u, labels, [np.ones(len(of)) for of in labels], LABORATORY, EMOTIONS)


@pytest.mark.parametrize("shots", [1, 3])
def test_photos_that_agree_have_no_extra_variance_and_others_have(world, shots):
    # Vectors are brought to length 1, so a variance of 1 beside a prototype of length 1 shows as about half of it.
    laboratory, everyday = (measured(world, people(world, 25, within, shots)) for within in (0.07, 1.0))
    assert laboratory < 0.05
    assert 0.15 < everyday < 0.9


def test_without_photos_the_expected_extra_variance():
    assert extra_variance([], [], [], LABORATORY, EMOTIONS) == pytest.approx(EXPECTED_EXTRA)
    one = [np.ones((1, 3), np.float32)], [np.array([2])], [np.ones(1)]
    assert extra_variance(*one, LABORATORY, EMOTIONS) == pytest.approx(EXPECTED_EXTRA)


def test_the_same_spread_is_noise_in_smiles_and_personality_in_anger(world):
    """Of everybody one photo, as different as people are when they are angry."""
    rng = np.random.default_rng(5)
    spread = OWN_WAYS["angry"] * ONE_PHOTO
    photos = list(world.prototypes[0] + rng.normal(size=(40, 1, D)) * np.sqrt(spread / D))
    angry, happy, unknown = (
        extra_variance(photos, [np.array([0])] * 40, [np.ones(1)] * 40, LABORATORY, (word,))
        for word in ("angry", "happy", "confused")
    )
    assert angry < 0.05 < unknown < happy
    assert happy > 0.2


def test_caution_grows_faster_than_the_variance():
    assert cautious(0.0) == 0.0
    assert cautious(0.1) == pytest.approx(0.16)
    assert cautious(0.3) == pytest.approx(1.44)


def test_a_photo_is_worth_much_in_a_laboratory_and_little_among_everyday_photos(world):
    laboratory, everyday = (fit_class(world, people(world, 25, within)) for within in (0.07, 1.0))
    assert laboratory.worth > 0.6
    assert everyday.worth < 0.25
    assert laboratory.prototypes(people(world, 25, 0.07)[0], member=True)[0].level == "personal"
    assert everyday.prototypes(people(world, 25, 1.0)[0], member=True)[0].level != "personal"


def test_in_a_laboratory_the_prototypes_are_nearly_those_without_evidence(world):
    students = people(world, 25, 0.07, shift=0.4)
    model = fit_class(world, students)
    plain = hierarchical_prototypes(world, students[3], class_effect(world, [cells_of(s, world) for s in students]))
    made = model.prototypes(students[3], model.trusts[3], member=True)
    for one, other, start in zip(made, plain, world.prototypes, strict=True):
        moved = np.linalg.norm(other.vector - start)
        assert np.linalg.norm(one.vector - other.vector) < 0.35 * moved
        assert one.shots == other.shots == 1


def test_everyday_photos_move_prototypes_little(world):
    students = people(world, 25, 1.0)
    model = fit_class(world, students)
    made = model.prototypes(students[3], model.trusts[3], member=True)
    plain = hierarchical_prototypes(world, students[3], class_effect(world, [cells_of(s, world) for s in students]))
    moved, before = (
        np.linalg.norm(np.stack([p.vector for p in of]) - world.prototypes, axis=1).mean() for of in (made, plain)
    )
    assert moved < 0.45 * before


def test_many_photos_of_an_emotion_win_in_the_end(world):
    """n -> infinity gives m_e, whatever the spread."""
    (student,) = people(world, 1, 1.0, shots=3000, emotions=("happy", "neutral"))
    model = fit_class(world, [student])
    made = model.prototypes(student, np.ones(len(student)), member=True)
    mean = world.transform(student.vectors[:3000]).mean(axis=0)
    np.testing.assert_allclose(made[EMOTIONS.index("happy")].vector, mean, atol=0.01)


def test_a_photo_that_looks_neutral_is_not_trusted_as_surprise(world):
    place = EMOTIONS.index("neutral")
    mates = people(world, 10, 0.07)
    wrong = SupportSet(np.array([world.prototypes[place], world.prototypes[5]]), ["surprise", "angry"], ["a", "b"])
    wrong = replace(wrong, vectors=np.array([world.prototypes[place], world.prototypes[0]]))
    trust = fit_class(world, [*mates, wrong]).trusts[-1]
    assert trust[0] < 0.05
    assert trust[1] > 0.75
    # Two such photos are a habit of this student, and a face that the teacher named in a lesson is no mistake.
    twice = replace(wrong, emotions=["surprise", "surprise"])
    np.testing.assert_array_equal(fit_class(world, [*mates, twice]).trusts[-1], [1.0, 1.0])
    named = fit_class(world, [*mates, replace(wrong, photos=["correction 1", "b"])])
    assert named.trusts[-1][0] == pytest.approx(1 / named.confidence)
    # Without a label nothing can be wrong, and a state that the population does not know is the teacher's word.
    unlabelled = SupportSet(world.prototypes[:2], [None, "confused"], ["c", "d"])
    np.testing.assert_array_equal(fit_class(world, [*mates, unlabelled]).trusts[-1], [1.0, 1.0])


def test_an_unusual_face_is_doubted_among_everyday_photos_and_believed_in_a_laboratory(world):
    """Half neutral, half surprise: whose label is it? Photos taken with care were labelled with care."""
    neutral, surprise = EMOTIONS.index("neutral"), EMOTIONS.index("surprise")
    vector = 0.47 * world.prototypes[surprise] + 0.53 * world.prototypes[neutral]
    odd = SupportSet(vector[None], ["surprise"], ["a"])
    careful, everyday = (fit_class(world, [*people(world, 25, within), odd]).trusts[-1][0] for within in (0.07, 1.0))
    assert careful > 0.9
    assert everyday < 0.8


def test_a_class_effect_that_misleads_is_not_used(world):
    """Half of the photos called surprise are neutral faces: their mean would attract neutral faces."""
    rng, neutral, surprise = np.random.default_rng(3), EMOTIONS.index("neutral"), EMOTIONS.index("surprise")
    u, labels = [], []
    for _ in range(20):
        shown = world.prototypes[[neutral, neutral, neutral]] + rng.normal(size=(3, D)) * np.sqrt(0.1 / D)
        u.append(unit_rows(shown).astype(np.float32))
        labels.append([neutral, neutral, surprise])
    wrong = np.zeros((7, D))
    wrong[surprise] = 2.0 * (world.prototypes[neutral] - world.prototypes[surprise])
    flat = np.array(labels).ravel()
    shares = helpful_shares(
        u, flat, np.ones(60), world.prototypes, [wrong] * 20, [np.zeros(7)] * 20, lesson_rates(EMOTIONS), 0.11
    )
    assert shares[surprise] == 0.0
    right = np.zeros((7, D))
    shifted = [one + 0.5 * world.prototypes[0] for one in u]
    right[:] = 0.5 * world.prototypes[0]
    shares = helpful_shares(
        shifted, flat, np.ones(60), world.prototypes, [right] * 20, [np.zeros(7)] * 20, lesson_rates(EMOTIONS), 0.11
    )
    assert shares[neutral] == 1.0


def test_rates_of_a_lesson():
    rates = lesson_rates(EMOTIONS)
    assert rates.sum() == pytest.approx(1)
    assert rates[EMOTIONS.index("neutral")] == pytest.approx(0.6)
    labels = np.array([6, 6, 6, 3])
    np.testing.assert_allclose(lesson_weights(labels, rates), [0.25, 0.25, 0.25, 0.25])


@pytest.mark.parametrize(
    "students",
    [
        [],
        [SupportSet.empty(D)],
        [SupportSet.empty(D), SupportSet(np.ones((1, D)), [None], ["x"])],
        [SupportSet(np.zeros((2, D)), ["happy", "confused"], ["x", "y"])],
        [SupportSet(np.ones((3, D)), ["neutral"] * 3, ["x", "y", "z"])],
    ],
)
def test_unusual_classes(world, students):
    model = fit_class(world, students)
    for photos, trust in [(None, None), *zip(students, model.trusts, strict=True)]:
        made = model.prototypes(photos, trust, member=photos is not None)
        assert all(np.isfinite(p.vector).all() and np.isfinite(p.uncertainty) for p in made)
    if not any(map(len, students)):
        np.testing.assert_array_equal([p.vector for p in model.prototypes()], world.prototypes)
        assert {p.level for p in model.prototypes()} == {"population"}


def test_without_variance_between_photos_there_is_no_division_by_nothing(world):
    still = replace(world, variances=Variances(0.1, 0.1, 0.1, 0.0))
    made = fit_class(still, people(still, 3, 0.0)).prototypes()
    assert np.isfinite([p.vector for p in made]).all()


def test_the_estimator_is_what_the_store_does(world):
    students = people(world, 6, 0.3)
    model = fit_class(world, students)
    expected = model.prototypes(students[-1], model.trusts[-1], member=True)
    made = AdaptiveHierarchical().prototypes(world, students[-1], students[:-1])
    np.testing.assert_allclose([p.vector for p in made], [p.vector for p in expected], atol=1e-6)
    assert AdaptiveHierarchical().prototypes(world, None, [])[0].level == "population"
