"""Mixed faces, and what the recogniser is asked about."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="the package imports it")

from fewshot.faces.align import ARCFACE_TEMPLATE, EXPRESSION_TEMPLATE
from fewshot.research.training.augment import Augmentation
from fewshot.research.training.identity_views import CANVAS, People, make_views

STILL = Augmentation(rotation=0, scale=0, shift=0, light=0, degrade=0, occlude=0)


def dotted(landmarks: np.ndarray, side: int) -> np.ndarray:
    """A dark picture with a bright dot at each landmark."""
    rows, columns = np.mgrid[:side, :side]
    picture = np.full((side, side), 20.0)
    for x, y in landmarks:
        picture += 220 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 6)
    return np.clip(picture, 0, 255).astype(np.uint8)


def brightness_at(crop: np.ndarray, points: np.ndarray) -> np.ndarray:
    return np.array([crop[round(y), round(x)] for x, y in points])


@pytest.fixture
def people() -> People:
    """Two pictures of other sizes with the face elsewhere, and an empty one."""
    first, second = ARCFACE_TEMPLATE * 0.8 + 20, ARCFACE_TEMPLATE * 0.5 + (3, 8)
    faces = [dotted(first, 128), dotted(second, 72), np.full((72, 72), 120, np.uint8)]
    landmarks = np.stack([first / 128, second / 72, second / 72])
    return People.of(faces, landmarks, np.array([1.0, 1.0, 0.0]))


def test_both_crops_of_a_face_have_their_landmarks_where_their_networks_expect_them(people: People) -> None:
    asked: list[np.ndarray] = []

    def recognise(grey: np.ndarray) -> np.ndarray:
        asked.append(grey)
        return np.eye(len(grey), 4, dtype=np.float32)

    views = make_views(people, recognise, 0, 112, None, 0.0)
    assert views.crops.shape == (3, 112, 112) and views.vectors.shape == (3, 4)
    for row in range(2):
        assert brightness_at(asked[0][row], ARCFACE_TEMPLATE).min() > 150
        assert brightness_at(views.crops[row], EXPRESSION_TEMPLATE).min() > 150
    assert np.ptp(views.crops[2]) <= 1


def test_views_are_drawn_by_weight_and_seed_and_shrunk(people: People) -> None:
    def recognise(grey: np.ndarray) -> np.ndarray:
        assert grey.shape[1:] == (112, 112)
        return grey.reshape(len(grey), -1)[:, :5].astype(np.float32)

    one, same, other = (make_views(people, recognise, 300, 48, Augmentation(), 0.5, seed) for seed in (1, 1, 2))
    assert one.crops.shape == (300, 48, 48) and one.vectors.dtype == np.float16
    assert (one.crops == same.crops).all() and (one.crops != other.crops).any()
    # The empty picture has no weight: every view has something in it.
    drawn = make_views(people, recognise, 50, 112, STILL, 0.0)
    assert np.ptp(drawn.crops.reshape(50, -1), axis=1).min() > 50


def test_a_mixed_face_lies_between_two(people: People) -> None:
    rng = np.random.default_rng(0)
    flat = People.of(
        [np.full((64, 64), level, np.uint8) for level in (50, 150)], people_landmarks(), np.array([0.5, 0.5])
    )
    drawn = np.stack([flat.draw(rng, 1.0) for _ in range(60)])
    assert drawn.shape[1:] == (CANVAS, CANVAS)
    assert drawn.min() > 49 and drawn.max() < 151
    means = drawn.mean(axis=(1, 2))
    assert ((means > 60) & (means < 140)).any()
    # Some go over into the other from brow to mouth, some are the same mixture everywhere.
    steps = np.abs(drawn[:, 10, 80] - drawn[:, 150, 80])
    assert (steps > 90).any() and (steps < 1).any()
    plain = np.stack([flat.draw(rng, 0.0) for _ in range(20)])
    assert set(np.unique(plain.round())) == {50.0, 150.0}


def people_landmarks() -> np.ndarray:
    return np.repeat((ARCFACE_TEMPLATE / 112)[None], 2, axis=0)
