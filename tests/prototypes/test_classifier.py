from dataclasses import replace

import numpy as np
import pytest
from small_world import DIMENSION, IDENTITY, identities, photos, unit

from fewshot.errors import DimensionMismatch, StoreError
from fewshot.prototypes.classifier import Classifier
from fewshot.prototypes.population import Variances
from fewshot.prototypes.store import PrototypeStore
from fewshot.prototypes.supports import SupportSet
from fewshot.prototypes.verdict import decide_all
from fewshot.types import EMOTIONS


@pytest.fixture
def store() -> PrototypeStore:
    store = PrototypeStore(DIMENSION, IDENTITY, "test-1")
    store.add("asha", photos(1, ["neutral", "happy", "confused"]), identities(1))
    store.add("béla", photos(2, ["confused", "happy"]), identities(2))
    store.add("chen", photos(3, []), identities(3))
    return store


def plane_store(**students) -> PrototypeStore:
    store = PrototypeStore(2, 2, "plane-1")
    for name, shown in students.items():
        vectors, words = np.array([vector for vector, _ in shown]), [word for _, word in shown]
        store.add(name, SupportSet(vectors, words, [f"{name}{i}" for i in range(len(shown))]), np.eye(2))
    return store


def test_population_reading_pinned(plane):
    (verdict,) = Classifier(plane).read(np.array([[0.6, 0.8]], np.float32), [None])
    # Distances 0.8 and 0.4, temperature 0.5.
    assert verdict.distances == pytest.approx({"neutral": 0.8, "happy": 0.4}, rel=1e-6)
    assert verdict.probabilities["happy"] == pytest.approx(np.exp(0.8) / (1 + np.exp(0.8)), rel=1e-6)
    assert (verdict.emotion, verdict.prototypes) == ("happy", "population")
    assert verdict.confidence == verdict.probabilities["happy"]


def test_a_guess_is_allowed_to_lie_further_away(plane):
    """With an allowance probabilities are of d - a v, while distances are told, and limited, as they are."""
    store = plane_store(asha=[((1.0, 0.0), "neutral")])
    face = np.array([[0.8, 0.6]], np.float32)
    (plain,) = Classifier(plane, store).read(face, ["asha"])
    (fair,) = Classifier(replace(plane, allowance=0.5), store).read(face, ["asha"])
    assert fair.distances == plain.distances
    assert fair.limits == plain.limits
    # Temperature at half a photo an emotion: 0.375.
    unknown = {row.emotion: row.uncertainty for row in store.prototypes_of("asha").rows}
    assert unknown["neutral"] < unknown["happy"] < 0.4
    lead = (fair.distances["happy"] - 0.5 * unknown["happy"]) - (fair.distances["neutral"] - 0.5 * unknown["neutral"])
    assert fair.probabilities["happy"] == pytest.approx(1 / (1 + np.exp(lead / 0.375)))
    assert fair.probabilities["happy"] > plain.probabilities["happy"]
    (stranger,) = Classifier(replace(plane, allowance=0.5)).read(face, [None])
    (same,) = Classifier(plane).read(face, [None])
    assert stranger.probabilities == pytest.approx(same.probabilities)


def test_no_faces(population, store):
    assert Classifier(population).read(np.zeros((0, DIMENSION), np.float32), []) == []
    assert Classifier(population, store).read(np.zeros((0, DIMENSION), np.float32), []) == []


def test_everybody_is_read_by_their_own_prototypes(population, store):
    # Photos of random faces: only where people differ more than photos is one of them worth anything.
    population = replace(population, variances=replace(population.variances, interaction=5.0))
    vectors = unit(np.random.default_rng(1).normal(size=(5, DIMENSION)))
    students = ["asha", None, "béla", "chen", "a stranger's key"]
    verdicts = Classifier(population, store).read(vectors, students)
    assert [verdict.prototypes for verdict in verdicts] == ["personal", "class", "personal", "class", "class"]
    assert list(verdicts[0].probabilities) == [*EMOTIONS, "confused"]
    assert list(verdicts[1].probabilities) == list(EMOTIONS)
    for vector, student, verdict in zip(vectors, students, verdicts, strict=True):
        own = store.prototypes_of(student if student in {"asha", "béla"} else None)
        distances = ((own.matrix - population.transform(vector[None])) ** 2).sum(axis=1)
        np.testing.assert_allclose(list(verdict.distances.values()), distances, rtol=1e-5)
        alone = Classifier(population, store).read(vector[None], [student])[0]
        assert alone == verdict


def test_probabilities_are_probabilities(population, store):
    rng = np.random.default_rng(2)
    vectors = np.concatenate(
        [
            unit(rng.normal(size=(300, DIMENSION))),
            np.zeros((1, DIMENSION)),
            population.mean[None],
            1e6 * np.ones((1, 16)),
        ]
    ).astype(np.float32)
    vectors = np.concatenate([vectors, np.full((1, DIMENSION), np.nan, np.float32)])
    students = [["asha", "béla", None, "chen"][i % 4] for i in range(len(vectors))]
    for verdict in Classifier(population, store).read(vectors, students):
        values = np.array(list(verdict.probabilities.values()))
        assert np.isfinite(values).all()
        assert abs(values.sum() - 1) < 1e-6
        assert 0 < verdict.confidence <= 1


@pytest.mark.parametrize("nothing", [np.nan, None])
def test_a_vector_that_says_nothing_is_no_emotion(plane, nothing):
    vector = plane.mean[None] if nothing is None else np.full((1, 2), nothing, np.float32)
    (verdict,) = Classifier(plane).read(vector, [None])
    assert verdict.emotion is None
    assert sum(verdict.probabilities.values()) == pytest.approx(1)


def test_too_far_from_all(plane):
    away = np.array([[-0.9, -0.1]], np.float32)
    (verdict,) = Classifier(plane).read(away, [None])
    assert verdict.emotion is None
    lenient = replace(plane, calibration=replace(plane.calibration, far=(4.0, 4.0)))
    assert Classifier(lenient).read(away, [None])[0].emotion == "happy"


def test_too_close_to_the_second(plane):
    classifier = Classifier(plane)
    # On the diagonal both are equally near; two degrees off it the lead is 2 * sin(2 deg) * sqrt(2) / 2 and more.
    angles = np.deg2rad([44.0, 40.0])
    between, clear = classifier.read(np.stack([np.cos(angles), np.sin(angles)], 1).astype(np.float32), [None, None])
    assert (between.emotion, clear.emotion) == (None, "neutral")
    assert between.confidence > 0.5


def test_temperature_and_thresholds_follow_the_shots(plane):
    store = plane_store(asha=[([1, 0], "neutral"), ([0, 1], "happy")], ben=[([1, 0], "neutral")])
    classifier = Classifier(plane, store)
    asha, ben, stranger = classifier.read(np.array([[0.6, 0.8]] * 3, np.float32), ["asha", "ben", None])
    assert (asha.margin, ben.margin, stranger.margin) == pytest.approx((0.05, 0.075, 0.1))
    assert (asha.limits["happy"], ben.limits["happy"]) == pytest.approx((1.0, 1.25))
    assert asha.confidence > stranger.confidence


CONFUSED = [([-1, 0], "confused")] * 3


def test_a_state_of_ones_own_is_named_near_its_photos_only(plane):
    plane = replace(plane, variances=Variances(0.0, 0.3, 0.1, within=0.1))
    store = plane_store(asha=[*CONFUSED, ([1, 0], "neutral")])
    classifier = Classifier(plane, store)
    near, far, stranger = classifier.read(
        np.array([[-1, 0.1], [-0.6, -0.8], [-1, 0.1]], np.float32), ["asha", "asha", None]
    )
    assert near.emotion == "confused"
    assert near.confidence > 0.9
    # Beyond its radius it is no candidate, though it is the nearest of all: it would attract its owner's every face.
    assert min(far.distances, key=far.distances.get) == "confused"
    assert far.probabilities["confused"] == 0
    assert far.emotion is None
    assert "confused" not in stranger.probabilities


def test_a_state_without_a_neutral_photo_is_never_named(plane):
    store = plane_store(asha=CONFUSED)
    classifier = Classifier(plane, store)
    at_it, happy = classifier.read(np.array([[-1, 0], [0, 1]], np.float32), ["asha", "asha"])
    assert at_it.emotion is None
    assert max(at_it.probabilities, key=at_it.probabilities.get) == "confused"
    assert at_it.limits["confused"] < 0  # nor after smoothing, however probable
    assert happy.emotion == "happy"


@pytest.mark.parametrize(
    ("probabilities", "expected"),
    [
        ([[1.0]], ([0], [True], [1.0])),
        ([[0.6, 0.4]], ([0], [True], [0.6])),
        ([[0.52, 0.48]], ([0], [False], [0.52])),  # too close to the second
        ([[0.1, 0.9]], ([1], [False], [0.9])),  # too far in this frame
        ([[0.1, 0.0, 0.9], [0.6, 0.4, 0.0]], ([2, 0], [True, True], [0.9, 0.6])),  # no limit: nothing speaks against it
    ],
)
def test_deciding_again_after_smoothing(probabilities, expected):
    faces, labels = np.shape(probabilities)
    distances = np.tile([0.5, 1.5, 0.0][:labels], (faces, 1))
    limits = np.tile([1.0, 1.0, np.inf][:labels], (faces, 1))
    assert decide_all(np.array(probabilities), distances, limits, np.full(faces, 0.1)) == expected


def test_a_stale_store_is_rebuilt(population, store):
    Classifier(population, store)
    assert store.built_with == population.fingerprint
    changed = replace(population, rescale=True)
    Classifier(changed, store)
    assert store.built_with == changed.fingerprint
    np.testing.assert_allclose(np.linalg.norm(store.prototypes_of("asha").matrix, axis=1), 1, atol=1e-6)


def test_vectors_of_another_network_are_refused(population, store):
    with pytest.raises(StoreError, match="Enroll the class again"):
        Classifier(replace(population, network="test-2"), store)
    with pytest.raises(DimensionMismatch):
        Classifier(population).read(np.zeros((1, 5), np.float32), [None])
    with pytest.raises(ValueError, match="zip"):
        Classifier(population).read(np.zeros((1, DIMENSION), np.float32), [])
