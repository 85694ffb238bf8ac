"""Overlaps and non-maximum suppression, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from fewshot.faces.boxes import non_maximum_suppression, pairwise_iou

LEFT, RIGHT = (0.0, 0.0, 10.0, 10.0), (100.0, 0.0, 110.0, 10.0)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (LEFT, LEFT, 1.0),
        (LEFT, RIGHT, 0.0),
        (LEFT, (10.0, 0.0, 20.0, 10.0), 0.0),
        (LEFT, (5.0, 0.0, 15.0, 10.0), 1 / 3),
        (LEFT, (0.0, 0.0, 10.0, 5.0), 0.5),
    ],
)
def test_overlap(one: tuple[float, ...], other: tuple[float, ...], expected: float) -> None:
    assert pairwise_iou(np.array([one]), np.array([other]))[0, 0] == pytest.approx(expected)


def test_overlap_of_nothing_has_the_right_shape() -> None:
    assert pairwise_iou(np.empty((0, 4)), np.array([LEFT])).shape == (0, 1)


@pytest.mark.parametrize(
    ("boxes", "scores", "kept"),
    [
        (np.zeros((0, 4)), [], []),
        ([[0, 0, 9, 9]], [0.6], [0]),
        ([[0, 0, 9, 9], [1, 0, 10, 9], [50, 0, 59, 9]], [0.6, 0.9, 0.7], [1, 2]),
        # The middle one is dropped for the first, so it does not drop the third.
        ([[0, 0, 9, 9], [4, 0, 13, 9], [8, 0, 17, 9]], [0.9, 0.8, 0.7], [0, 2]),
    ],
)
def test_the_best_of_each(boxes: object, scores: list[float], kept: list[int]) -> None:
    assert (
        non_maximum_suppression(np.array(boxes, np.float32), np.array(scores, np.float32), 0.4, end=1).tolist() == kept
    )


def test_without_a_last_pixel() -> None:
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [50, 0, 60, 10]], np.float32)
    assert non_maximum_suppression(boxes, np.array([0.5, 0.9, 0.1], np.float32), 0.3).tolist() == [1, 2]
