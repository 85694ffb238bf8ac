"""Where a new scene begins: after it, tracks start anew."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from fewshot.faces.cuts import Cuts
from fewshot.types import Frame


def scene(seed: int, shape: tuple[int, int] = (360, 640), shift: int = 0, gain: float = 1.0) -> Frame:
    """A made-up room: large patches of light and shade."""
    patches = np.random.default_rng(seed).uniform(20, 200, (5, 9, 3)).astype(np.float32)
    large = cv2.resize(patches, (shape[1] + 64, shape[0]), interpolation=cv2.INTER_CUBIC)[:, shift : shift + shape[1]]
    return np.clip(large * gain, 0, 255).astype(np.uint8)


def begins(*frames: Frame) -> list[bool]:
    cuts = Cuts()
    return [cuts.begins(frame) for frame in frames]


def test_the_first_frame_follows_nothing() -> None:
    assert begins(scene(1)) == [False]


def test_a_new_scene_is_a_cut_and_going_on_is_none() -> None:
    assert begins(scene(1), scene(1), scene(2), scene(2), scene(1)) == [False, False, True, False, True]


@pytest.mark.parametrize("other", [scene(1, shift=6), scene(1, gain=0.5), scene(1, (180, 320)), scene(1, (720, 1280))])
def test_moving_dimming_and_another_size_are_no_cuts(other: Frame) -> None:
    assert begins(scene(1), other) == [False, False]


def test_a_person_who_walks_by_is_no_cut() -> None:
    frames = []
    for place in range(0, 600, 40):
        frame = scene(3)
        frame[80:, place : place + 120] = 30
        frames.append(frame)
    assert not any(begins(*frames))


def test_tiles_that_change_places_are_no_cut_but_another_layout_is() -> None:
    tiles = [scene(seed, (120, 213)) for seed in range(9)]

    def gallery(order: list[int]) -> Frame:
        return np.vstack([np.hstack([tiles[order[3 * row + column]] for column in range(3)]) for row in range(3)])

    assert begins(gallery([0, 1, 2, 3, 4, 5, 6, 7, 8]), gallery([1, 0, 2, 3, 4, 5, 6, 7, 8])) == [False, False]
    assert begins(gallery([0, 1, 2, 3, 4, 5, 6, 7, 8]), scene(20, (360, 639))) == [False, True]


@pytest.mark.parametrize("shape", [(1, 1), (3, 500), (500, 3), (17, 31)])
def test_tiny_pictures_are_no_reason_to_stop(shape: tuple[int, int]) -> None:
    assert len(begins(scene(1)[: shape[0], : shape[1]], scene(1)[: shape[0], : shape[1]])) == 2
    blank = np.zeros((*shape, 3), np.uint8)
    assert len(begins(blank, blank)) == 2
