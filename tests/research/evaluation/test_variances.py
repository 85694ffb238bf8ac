import numpy as np
import pytest
from small_world import unit

from fewshot.errors import UsageError
from fewshot.research.evaluation.variances import estimate_variances
from fewshot.types import EMOTIONS

DIMENSION = 64
TRUTH = {"classroom": 0.10, "student": 0.15, "interaction": 0.20, "within": 0.30, "common": 0.08}


def simulate(rooms=8, students=25, photos=2, seed=0):
    rng = np.random.default_rng(seed)

    def draw(variance, *shape):
        return rng.normal(size=(*shape, DIMENSION)) * np.sqrt(variance / DIMENSION)

    prototypes = unit(rng.normal(size=(7, DIMENSION)))
    shape = rooms, students, 7, photos
    room, student, emotion, _ = np.indices(shape).reshape(4, -1)
    vectors = (
        prototypes[emotion]
        + draw(TRUTH["common"], rooms)[room]
        + draw(TRUTH["classroom"], rooms, 7)[room, emotion]
        + draw(TRUTH["student"], rooms, students)[room, student]
        + draw(TRUTH["interaction"], rooms, students, 7)[room, student, emotion]
        + draw(TRUTH["within"], len(room))
    )
    subjects = [f"{r}/{s}" for r, s in zip(room, student, strict=True)]
    return vectors, subjects, [EMOTIONS[e] for e in emotion], [str(r) for r in room], prototypes


def test_variances_of_simulated_classes_are_recovered():
    result = estimate_variances(*simulate())
    for name, truth in TRUTH.items():
        assert getattr(result, name) == pytest.approx(truth, rel=0.2), name


def test_a_talkative_emotion_weighs_no_more_than_others():
    vectors, subjects, emotions, classes, prototypes = simulate(photos=4)
    rng = np.random.default_rng(1)
    kept = np.array([emotion == "neutral" for emotion in emotions]) | (rng.random(len(emotions)) < 0.5)
    rows = np.flatnonzero(kept)
    pick = [[column[row] for row in rows] for column in (subjects, emotions, classes)]
    result = estimate_variances(vectors[rows], *pick, prototypes)
    for name, truth in TRUTH.items():
        assert getattr(result, name) == pytest.approx(truth, rel=0.25), name


def test_one_photo_an_emotion_cannot_tell():
    with pytest.raises(UsageError, match="two photos of one emotion"):
        estimate_variances(*simulate(rooms=1, photos=1))
