"""Tracks: a number at once, never twice, and a short memory."""

from __future__ import annotations

import time

import numpy as np
import pytest

from fewshot.faces.boxes import pairwise_iou
from fewshot.faces.tracker import Tracker

A, B, C = [0, 0, 40, 40], [100, 0, 140, 40], [200, 0, 240, 40]


def moved(box: list[float], dx: float, dy: float = 0) -> list[float]:
    return [box[0] + dx, box[1] + dy, box[2] + dx, box[3] + dy]


CASES = [
    ("nothing at all", [(0.0, [])], [[]]),
    ("nothing, then a face", [(0.0, []), (0.1, [A])], [[], [0]]),
    ("a face has a number at once and keeps it", [(0.0, [A]), (0.1, [moved(A, 5)])], [[0], [0]]),
    ("the order of the boxes does not matter", [(0.0, [A, B, C]), (0.1, [C, A, B])], [[0, 1, 2], [2, 0, 1]]),
    ("a lost face is remembered", [(0.0, [A, B]), (0.5, [B]), (0.9, [A, B])], [[0, 1], [1], [0, 1]]),
    ("but not for long, and its number is not given again", [(0.0, [A]), (0.5, []), (1.2, [A])], [[0], [], [1]]),
    ("one long pause ends tracks", [(0.0, [A]), (0.1, [A]), (3.1, [A]), (3.2, [A])], [[0], [0], [1], [1]]),
    (
        "frames that keep coming far apart do not",
        [(0.0, [A]), (0.1, [A]), (1.6, [A]), (3.0, [A]), (4.8, [A]), (4.9, [A]), (8.0, [A])],
        [[0], [0], [1], [1], [1], [1], [2]],
    ),
    ("but not for ever", [(0.0, [A]), (7.0, [A]), (14.0, [A])], [[0], [1], [2]]),
    ("another face elsewhere is another track", [(0.0, [A]), (0.1, [B])], [[0], [1]]),
    ("a face of another size is another track", [(0.0, [A]), (0.1, [[-30, -30, 70, 70]])], [[0], [1]]),
    ("a jump of less than a face is followed", [(0.0, [A]), (0.1, [moved(A, 28)])], [[0], [0]]),
    ("all pictures at time 0", [(0.0, [A]), (0.0, [moved(A, 3)])], [[0], [0]]),
]


@pytest.mark.parametrize(("frames", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_tracks(frames: list[tuple[float, list[list[float]]]], expected: list[list[int]]) -> None:
    tracker = Tracker(memory=1.0)
    for (when, boxes), numbers in zip(frames, expected, strict=True):
        given = tracker.update(np.array(boxes, np.float32), np.ones(len(boxes), np.float32), when)
        assert given.dtype == np.int64
        assert given.tolist() == numbers


def test_faces_that_cross_keep_their_numbers() -> None:
    tracker = Tracker()
    for step in range(40):
        when, way = step / 20, 6.0 * step
        boxes = np.array([moved(A, way), moved(A, 240 - way, 25)], np.float32)
        order = [1, 0] if step % 2 else [0, 1]
        numbers = tracker.update(boxes[order], np.ones(2, np.float32), when)
        assert numbers[np.argsort(order)].tolist() == [0, 1], step


def test_alive_forgets_after_the_memory_and_on_reset() -> None:
    tracker = Tracker(memory=1.0)
    tracker.update(np.array([A, B], np.float32), np.ones(2, np.float32), 0.0)
    tracker.update(np.array([B], np.float32), np.ones(1, np.float32), 0.9)
    assert tracker.alive() == {0, 1}
    tracker.update(np.array([B], np.float32), np.ones(1, np.float32), 1.5)
    assert tracker.alive() == {1}
    tracker.reset()
    assert tracker.alive() == set()
    assert tracker.update(np.array([B], np.float32), np.ones(1, np.float32), 1.6).tolist() == [2]


def test_a_gallery_of_49_still_tiles_is_stable_and_quick() -> None:
    rng, tracker = np.random.default_rng(0), Tracker()
    corners = np.stack(np.meshgrid(np.arange(7) * 274 + 80, np.arange(7) * 154 + 20), -1).reshape(-1, 2)
    tiles = np.concatenate([corners, corners + np.array([90, 116])], axis=1).astype(np.float32)
    first, seconds = tracker.update(tiles, np.ones(49, np.float32), 0.0), []
    for step in range(1, 60):
        order = rng.permutation(49)
        shaken = (tiles + rng.normal(0, 3, tiles.shape))[order].astype(np.float32)
        start = time.process_time()
        numbers = tracker.update(shaken, np.ones(49, np.float32), step / 10)
        seconds.append(time.process_time() - start)
        assert (numbers == first[order]).all()
    assert np.median(seconds) < 0.01


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [([], [], np.zeros((0, 0))), ([A], [], np.zeros((1, 0))), ([A], [A, B, [20, 0, 60, 40]], [[1, 0, 1 / 3]])],
)
def test_pairwise_iou(first: list[list[float]], second: list[list[float]], expected: object) -> None:
    boxes = [np.array(b, np.float32).reshape(-1, 4) for b in (first, second)]
    np.testing.assert_allclose(pairwise_iou(*boxes), expected, atol=1e-6)
