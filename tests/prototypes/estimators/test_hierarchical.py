from dataclasses import replace

import numpy as np
import pytest
from small_world import photos

from fewshot.errors import DimensionMismatch, UsageError
from fewshot.prototypes.estimators import (
    REACH,
    Cells,
    ClassEffect,
    cells_of,
    class_effect,
    hierarchical_prototypes,
    shrunken_means,
    student_offset,
    uncertainties,
)
from fewshot.prototypes.population import Variances
from fewshot.prototypes.supports import SupportSet, has_neutral_reference
from fewshot.research.evaluation.estimators import mean_prototypes
from fewshot.types import EMOTIONS

PLANE = np.eye(2)
FREE = Variances(classroom=0.1, student=float("inf"), interaction=0.1, within=0.2, common=0.1)


def vectors_of(prototypes):
    return np.stack([prototype.vector for prototype in prototypes])


def test_mean_prototypes_pinned(plane):
    supports = SupportSet(np.array([[1, 0], [0.6, 0.8]]), ["neutral", "neutral"], ["a", "b"])
    made = mean_prototypes(plane, supports)
    np.testing.assert_allclose(vectors_of(made), [[0.8, 0.4], [0, 1]], atol=1e-6)
    assert [prototype.shots for prototype in made] == [2, 0]


def test_hierarchical_prototypes_pinned(plane):
    # One photo of neutral at (0.6, 0.8): residual r = (-0.4, 0.8), w = 1 / (0.1 + 0.2) = 10/3, 1 / s_d^2 = 10/3, so
    # delta = r / 2 = (-0.2, 0.4). kappa = 2: neutral = (m + 2 (mu + delta)) / 3, happy = mu + delta.
    supports = SupportSet(np.array([[0.6, 0.8]]), ["neutral"], ["a"])
    made = hierarchical_prototypes(plane, supports)
    np.testing.assert_allclose(vectors_of(made), [[(0.6 + 1.6) / 3, (0.8 + 0.8) / 3], [-0.2, 1.4]], atol=1e-6)
    assert [prototype.level for prototype in made] == ["personal", "personal"]


def test_class_effect_pinned(plane):
    # One student, one photo, no offsets of students: c = r s_c^2 / (s_c^2 + s_g^2 + s_w^2) = r / 4 for its own emotion,
    # and the shared part alone reaches the other one.
    cells = Cells(np.array([1.0, 0.0]), np.array([[0.6, 0.8], [np.nan, np.nan]]))
    alone = replace(plane, variances=Variances(classroom=0.1, student=0.0, interaction=0.1, within=0.2))
    np.testing.assert_allclose(class_effect(alone, [cells]).shift, [[-0.1, 0.2], [0, 0]], atol=1e-9)
    shared = replace(plane, variances=Variances(classroom=0.0, student=0.0, interaction=0.1, within=0.2, common=0.1))
    np.testing.assert_allclose(class_effect(shared, [cells]).shift, [[-0.1, 0.2], [-0.1, 0.2]], atol=1e-9)


def test_no_photo_gives_population_and_class(population):
    effect = np.random.default_rng(0).normal(size=population.prototypes.shape) * 0.1
    for supports in (None, SupportSet.empty(16)):
        made = hierarchical_prototypes(population, supports, ClassEffect(effect, np.zeros((7, 7))))
        np.testing.assert_allclose(vectors_of(made), population.prototypes + effect, atol=1e-6)
        assert {prototype.level for prototype in made} == {"class"}
    made = hierarchical_prototypes(population)
    np.testing.assert_array_equal(vectors_of(made), population.prototypes)
    assert {prototype.level for prototype in made} == {"population"}
    np.testing.assert_array_equal(student_offset(cells_of(SupportSet.empty(16), population), effect, FREE), 0)


def test_a_pure_offset_is_recovered_exactly():
    offset = np.array([0.3, -0.7])
    for counts in ([1.0, 1.0], [3.0, 1.0], [1.0, 0.0]):
        cells = Cells(np.array(counts), np.where(np.array(counts)[:, None] > 0, PLANE + offset, np.nan))
        delta = student_offset(cells, PLANE, FREE)
        np.testing.assert_allclose(delta, offset, atol=1e-12)
        np.testing.assert_allclose(shrunken_means(cells, PLANE + delta, FREE), PLANE + offset, atol=1e-12)


def test_a_pure_offset_is_not_taken_for_the_camera(plane):
    cells = Cells(np.array([2.0, 3.0]), PLANE + np.array([0.3, -0.7]))
    np.testing.assert_allclose(class_effect(replace(plane, variances=FREE), [cells]).shift, 0, atol=1e-9)


def test_many_photos_give_their_own_mean():
    means = np.array([[0.1, 0.2], [0.3, 0.4]])
    errors = []
    for count in (1.0, 100.0, 1e4, 1e9):
        cells = Cells(np.full(2, count), means)
        errors.append(float(np.abs(shrunken_means(cells, PLANE, FREE) - means).max()))
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 1e-8


def test_an_emotion_without_photos_never_touches_its_mean():
    cells = Cells(np.array([2.0, 0.0]), np.array([[0.5, 0.5], [np.nan, np.inf]]))
    delta = student_offset(cells, PLANE, FREE)
    result = shrunken_means(cells, PLANE + delta, FREE)
    assert np.isfinite(result).all()
    np.testing.assert_array_equal(result[1], PLANE[1] + delta)


@pytest.mark.parametrize(
    ("variances", "expected"),
    [
        (Variances(0.0, 0.0, interaction=0.1, within=0.0), [[0.5, 0.5], [0, 1]]),  # kappa = 0: the photos are right
        (Variances(0.0, 0.0, interaction=0.0, within=0.1), [[1, 0], [0, 1]]),  # kappa = inf: the population is
    ],
)
def test_limits_of_kappa(variances, expected):
    cells = Cells(np.array([1.0, 0.0]), np.array([[0.5, 0.5], [np.nan, np.nan]]))
    np.testing.assert_allclose(shrunken_means(cells, PLANE, variances), expected, atol=1e-12)


def test_uncertainty_pinned(plane):
    # Without photos s_d^2 + s_g^2. One photo of neutral has variance 0.3 + 0.1 + 0.2 = 0.6 and shares 0.4 with
    # neutral's true mean, 0.3 with happy's: 0.4 - 0.4^2 / 0.6 and 0.4 - 0.3^2 / 0.6.
    np.testing.assert_allclose(uncertainties(plane), [0.4, 0.4])
    supports = SupportSet(np.array([[0.6, 0.8]]), ["neutral"], ["a"])
    made = hierarchical_prototypes(plane, supports)
    assert [prototype.uncertainty for prototype in made] == pytest.approx([0.4 - 0.16 / 0.6, 0.4 - 0.09 / 0.6])
    confused = hierarchical_prototypes(plane, SupportSet(np.array([[0.6, 0.8]]), ["confused"], ["a"]))[-1]
    assert confused.uncertainty == pytest.approx(4 * 0.2 / 4)  # its spread is the population's, of one photo


@pytest.mark.parametrize(("classroom", "student", "personal"), [(1, 1, 1), (0, 1, 1), (0, 1, 0), (0, 0, 1), (0, 0, 0)])
def test_uncertainty_is_how_far_prototypes_lie_from_the_truth(plane, classroom, student, personal):
    """In worlds drawn from the model: the mean of |p - f|^2 over many of them."""
    world = replace(plane, variances=Variances(0.2, 0.3, 0.1, 0.2, 0.15))
    v, rng, draws = world.variances, np.random.default_rng(0), 3000

    def drawn(variance, *shape):
        return rng.normal(size=(*shape, 2)) * np.sqrt(variance / 2)

    counts = np.array([[2.0, 0.0], [1.0, 3.0], [0.0, 1.0]])
    errors, told = np.zeros((draws, 2)), np.zeros(2)
    for number in range(draws):
        camera = drawn(v.classroom, 2) + drawn(v.common, 1)
        if not classroom:
            camera = drawn(v.classroom + v.common, 2)  # nothing that could be shared is known
        true = world.prototypes + camera + drawn(v.student, 3, 1) + drawn(v.interaction, 3, 2)
        sets = []
        for who, photos_of in enumerate(counts):
            words = [word for word, n in zip(world.classes, photos_of, strict=True) for _ in range(int(n))]
            seen = np.stack([true[who, world.classes.index(word)] for word in words]) + drawn(v.within, len(words))
            sets.append(Cells(photos_of, np.stack([
                np.mean([x for x, w in zip(seen, words, strict=True) if w == word] or [[0, 0]], axis=0)
                for word in world.classes
            ])))  # fmt: skip
        cells = sets[0]
        effect = class_effect(world, sets) if classroom else None
        centres = world.prototypes + (effect.shift if effect is not None else 0)
        expected = centres + student_offset(cells, centres, v) if student else centres
        made = shrunken_means(cells, expected, v) if personal else expected
        errors[number] = ((made - true[0]) ** 2).sum(axis=1)
        told = uncertainties(
            world if classroom else replace(world, variances=replace(v, classroom=v.classroom + v.common, common=0.0)),
            cells,
            effect,
            student=bool(student),
            personal=bool(personal),
        )
    np.testing.assert_allclose(told, errors.mean(axis=0), rtol=0.06)


@pytest.mark.parametrize("zero", ["classroom", "student", "interaction", "within", "common"])
def test_no_variance_may_be_missed(population, zero):
    changed = replace(population, variances=replace(population.variances, **{zero: 0.0}))
    supports = photos(1, ["happy", "happy", "neutral", None])
    effect = class_effect(changed, [cells_of(supports, changed), cells_of(SupportSet.empty(16), changed)])
    made = hierarchical_prototypes(changed, supports, effect)
    assert np.isfinite(vectors_of(made)).all()
    assert all(0 <= prototype.uncertainty < 1 for prototype in made)


def test_neutral_photos_of_a_class_teach_about_its_camera(population):
    """With nothing but neutral photos, what the camera does to all emotions is learned, students apart."""
    rng = np.random.default_rng(3)
    camera = rng.normal(size=16) * 0.1
    index = EMOTIONS.index("neutral")
    cells = []
    for _ in range(30):
        means = np.full((7, 16), np.nan)
        means[index] = population.prototypes[index] + camera + rng.normal(size=16) * np.sqrt(0.1 / 16)
        counts = np.zeros(7)
        counts[index] = 1.0
        cells.append(Cells(counts, means))
    variances = Variances(classroom=0.01, student=0.1, interaction=0.01, within=0.01, common=0.2)
    effect = class_effect(replace(population, variances=variances), cells).shift
    happy = EMOTIONS.index("happy")
    assert np.linalg.norm(effect[happy] - camera) < 0.4 * np.linalg.norm(camera)


def test_an_unlabelled_photo_counts_for_its_most_probable_emotion_only(plane):
    # Distances of (0.6, 0.8): 0.8 to neutral, 0.4 to happy; temperature 0.5: weights 1 to exp(0.8).
    happy = np.exp(0.8) / (1 + np.exp(0.8))
    cells = cells_of(SupportSet(np.array([[0.6, 0.8]]), [None], ["a"]), plane)
    np.testing.assert_allclose(cells.counts, [0.0, happy], atol=1e-6)
    np.testing.assert_allclose(cells.means[1], [0.6, 0.8], atol=1e-6)


@pytest.mark.parametrize(
    ("vector", "emotion", "expected"),
    [
        ([1, 0], None, True),  # P(neutral) = 0.98
        ([0.71, 0.7], None, True),  # P(neutral) is just above 0.5
        ([0.7, 0.71], None, False),
        ([0, 1], "neutral", True),  # who enrolls knows better
        ([1, 0], "happy", False),
        ([1, 0], "confused", False),
    ],
)
def test_neutral_reference(plane, vector, emotion, expected):
    assert has_neutral_reference(SupportSet(np.array([vector]), [emotion], ["a"]), plane) is expected
    assert not has_neutral_reference(SupportSet.empty(2), plane)


def test_states_of_ones_own(plane):
    confused = SupportSet(np.array([[0.6, 0.8], [0.8, 0.6]]), ["confused"] * 2, ["a", "b"])
    *seven, state = hierarchical_prototypes(plane, confused)
    np.testing.assert_array_equal(vectors_of(seven), PLANE)
    np.testing.assert_allclose(state.vector, [0.7, 0.7], atol=1e-6)
    assert (state.emotion, state.shots, state.level, state.reliable) == ("confused", 2, "personal", False)
    # Prior of 4 photos at s_w^2 = 0.2, own spread 0.04 with one degree of freedom; a mean of 2 adds half.
    assert state.radius == pytest.approx(REACH * (4 * 0.2 + 0.04) / 5 * 1.5, rel=1e-5)
    with_neutral = confused.plus(SupportSet(np.array([[1.0, 0.0]]), ["neutral"], ["c"]))
    assert hierarchical_prototypes(plane, with_neutral)[-1].reliable


def test_rescaled_prototypes_have_length_one(population):
    rescaled = replace(population, rescale=True)
    made = hierarchical_prototypes(rescaled, photos(2, ["happy", "neutral", "confused"]))
    np.testing.assert_allclose(np.linalg.norm(vectors_of(made), axis=1), 1, atol=1e-6)


def test_shrinkage_beats_the_mean_and_the_population(population):
    """On data drawn from the model itself, averaged over 200 students with one photo of three emotions."""
    rng = np.random.default_rng(5)
    v = population.variances
    errors = {"mean": [], "hierarchical": [], "population": []}
    for _ in range(200):
        truth = population.prototypes + rng.normal(size=16) * np.sqrt(v.student / 16)
        truth = truth + rng.normal(size=(7, 16)) * np.sqrt(v.interaction / 16)
        counts = np.array([1.0, 0, 0, 1, 0, 0, 1])
        cells = Cells(counts, truth + rng.normal(size=(7, 16)) * np.sqrt(v.within / 16))
        expected = population.prototypes + student_offset(cells, population.prototypes, v)
        guesses = {
            "mean": population.prototypes + cells.residuals(population.prototypes),
            "hierarchical": shrunken_means(cells, expected, v),
            "population": population.prototypes,
        }
        for name, guess in guesses.items():
            errors[name].append(((guess - truth) ** 2).sum(axis=1).mean())
    error = {name: np.mean(values) for name, values in errors.items()}
    assert error["hierarchical"] < 0.9 * error["mean"] < error["population"]


def test_supports_must_belong_together():
    with pytest.raises(UsageError, match="same photos"):
        SupportSet(np.zeros((2, 3)), ["happy"], ["a", "b"])
    with pytest.raises(UsageError, match="finite"):
        SupportSet(np.full((1, 3), np.nan), ["happy"], ["a"])
    with pytest.raises(DimensionMismatch):
        SupportSet(np.zeros(3), [None] * 3, ["a", "b", "c"])


def test_no_photo_counts_twice():
    first = SupportSet(np.array([[1, 0], [0, 1]]), ["happy", None], ["a", "b"])
    second = SupportSet(np.array([[5, 5], [2, 2], [3, 3]]), ["sad", "sad", "sad"], ["b", "c", "c"])
    both = first.plus(second)
    assert (both.emotions, both.photos) == (["happy", None, "sad"], ["a", "b", "c"])
    np.testing.assert_array_equal(both.vectors[2], [2, 2])
