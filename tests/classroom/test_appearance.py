"""A picture that changes on a track is noticed, a face that moves is not."""

from __future__ import annotations

import cv2
import numpy as np
from drawn_faces import make_face

from fewshot.classroom.appearance import RECENT, Appearance, thumbnails
from fewshot.types import Face


def picture(seed: int) -> np.ndarray:
    coarse = np.random.default_rng(seed).integers(0, 256, (7, 7)).astype(np.uint8)
    return cv2.resize(coarse, (112, 112), interpolation=cv2.INTER_CUBIC)


def shown(track: int, seed: int, shift: int = 0, light: float = 1.0) -> Face:
    face = make_face(track=track)
    face.crop = (np.roll(picture(seed), shift, axis=1) * light).astype(np.uint8)
    return face


def test_nothing_to_compare() -> None:
    appearance = Appearance()
    assert appearance.changed([], 0.0) == set()
    assert appearance.changed([shown(-1, 1)], 0.0) == set()
    assert appearance.changed([shown(1, 1)], 0.0) == set()


def test_another_picture_is_a_change_and_a_movement_is_none() -> None:
    appearance = Appearance()
    appearance.changed([shown(1, 1), shown(2, 2)], 0.0)
    assert appearance.changed([shown(2, 2, shift=3), shown(1, 1, light=0.7)], 0.1) == set()
    assert appearance.changed([shown(1, 2), shown(2, 2, shift=3)], 0.2) == {1}
    assert appearance.changed([shown(1, 2), shown(2, 2)], 0.3) == set()


def test_after_a_gap_nothing_is_concluded() -> None:
    appearance = Appearance()
    appearance.changed([shown(1, 1), shown(2, 1)], 0.0)
    appearance.forget({1})
    assert appearance.changed([shown(1, 2), shown(2, 2)], 0.1) == {1}
    assert appearance.changed([shown(1, 1)], 0.1 + 2 * RECENT) == set()
    assert appearance.changed([shown(1, 2)], 0.0) == set()  # another source begins at time 0


def test_faces_without_a_crop_are_passed_over() -> None:
    appearance = Appearance()
    for time, seed in ((0.0, 1), (0.1, 2)):
        empty = shown(1, seed)
        empty.crop = np.zeros((1, 1, 3), np.uint8)
        assert appearance.changed([empty], time) == set()


def test_thumbnails_are_unit_vectors_also_of_a_plain_picture() -> None:
    plain, colour = shown(1, 1), shown(2, 1)
    plain.crop = np.full((112, 112), 80, np.uint8)
    colour.crop = cv2.cvtColor(colour.crop, cv2.COLOR_GRAY2BGR)
    for face in (plain, colour):
        np.testing.assert_allclose(np.linalg.norm(thumbnails([face]), axis=1), 1, atol=1e-5)
