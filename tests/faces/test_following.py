"""Following faces between two looks of a detector, on drawn pictures."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from fewshot.faces.detections import Detections
from fewshot.faces.following import FollowingDetector
from fewshot.types import Frame

HEAD = np.array([[15, 20], [35, 20], [25, 30], [17, 40], [33, 40]], np.float32)
HEIGHT, WIDTH = 240, 320


def texture(side: int, seed: int) -> np.ndarray:
    coarse = np.random.default_rng(seed).integers(30, 226, (side // 5, side // 5, 3)).astype(np.uint8)
    return cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)


class Painter:
    """A detector that knows where the "faces" were painted: squares of texture, (x, y, side) each."""

    name, note = "painter", None

    def __init__(self) -> None:
        self.faces: list[tuple[float, float, int]] = []
        self.asked = 0

    def paint(self, *faces: tuple[float, float, int]) -> Frame:
        self.faces = list(faces)
        frame = np.full((HEIGHT, WIDTH, 3), 60, np.uint8)
        for x, y, side in faces:
            picture = cv2.resize(texture(50, 1), (side, side), interpolation=cv2.INTER_AREA)
            shift = np.array([[1, 0, x], [0, 1, y]], np.float32)
            cv2.warpAffine(picture, shift, (WIDTH, HEIGHT), dst=frame, borderMode=cv2.BORDER_TRANSPARENT)
        return frame

    def detect(self, frame: Frame) -> Detections:
        self.asked += 1
        boxes = [[x, y, x + side, y + side] for x, y, side in self.faces]
        points = [HEAD * (side / 50) + (x, y) for x, y, side in self.faces]
        return Detections.of(boxes, np.linspace(0.9, 0.8, len(boxes)), np.array(points), frame)


@pytest.mark.parametrize(("every", "asked"), [(1, 12), (2, 6), (3, 4), (12, 1)])
def test_an_empty_picture_is_looked_at_as_often_as_it_must(every: int, asked: int) -> None:
    painter = Painter()
    following = FollowingDetector(painter, every)
    assert [len(following.detect(painter.paint() + np.uint8(step))) for step in range(12)] == [0] * 12
    assert painter.asked == asked


def test_a_frozen_picture_is_looked_at_once_until_it_moves() -> None:
    painter = Painter()
    following = FollowingDetector(painter, every=3)
    frozen = painter.paint((40, 60, 50))
    first = following.detect(frozen)
    assert all(following.detect(frozen.copy()) is first for _ in range(12)) and painter.asked == 1
    assert len(following.detect(painter.paint((40, 60, 50), (200, 100, 50)))) == 2 and painter.asked == 2


def test_a_face_that_was_followed_is_looked_at_again_although_the_picture_froze() -> None:
    painter = Painter()
    following = FollowingDetector(painter, every=3)
    following.detect(painter.paint((40, 60, 50)))
    frozen = painter.paint((42, 60, 50))
    for _ in range(6):
        following.detect(frozen)
    assert painter.asked == 2


def test_faces_are_followed_to_a_fraction_of_a_pixel() -> None:
    painter = Painter()
    following = FollowingDetector(painter, every=100)
    for step in range(20):
        frame = painter.paint((40 + 1.5 * step, 60 + 0.4 * step, 50), (200 - step, 100, 50))
        found, true = following.detect(frame), Painter.detect(painter, frame)
        np.testing.assert_allclose(found.landmarks, true.landmarks, atol=0.8)
        np.testing.assert_allclose(found.boxes, true.boxes, atol=0.8)
        np.testing.assert_allclose(found.scores, true.scores)
    assert painter.asked == 21  # once by `following`, twenty times above


def test_a_face_that_comes_nearer_grows() -> None:
    painter = Painter()
    following = FollowingDetector(painter, every=100)
    for side in (50, 51, 52, 53):
        found = following.detect(painter.paint((100, 80, side)))
    assert painter.asked == 1
    assert found.boxes[0, 2] - found.boxes[0, 0] == pytest.approx(53, abs=1.0)


@pytest.mark.parametrize(
    "after",
    [
        pytest.param([(40, 60, 50), (200, 100, 50)], id="somebody arrives"),
        pytest.param([], id="everybody leaves"),
        pytest.param([(220, 150, 50)], id="a cut"),
    ],
)
def test_a_change_is_seen_in_the_frame_in_which_it_happens(after: list[tuple[float, float, int]]) -> None:
    painter = Painter()
    following = FollowingDetector(painter, every=100)
    for _ in range(3):
        following.detect(painter.paint((40, 60, 50)))
    assert painter.asked == 1
    found = following.detect(painter.paint(*after))
    assert painter.asked == 2
    assert len(found) == len(after)


def test_a_frame_of_another_size_is_looked_at() -> None:
    painter = Painter()
    following = FollowingDetector(painter, every=100)
    frame = painter.paint((40, 60, 50))
    following.detect(frame)
    following.detect(frame[:200])
    following.detect(np.zeros((3, 7, 3), np.uint8))
    assert painter.asked == 3


def test_large_frames_are_followed_in_a_small_copy() -> None:
    painter = Painter()
    following = FollowingDetector(painter, every=100)
    detect = painter.detect

    def enlarged(frame: Frame) -> Detections:
        found = detect(frame)
        return Detections.of(found.boxes * 6, found.scores, found.landmarks * 6, frame)

    painter.detect = enlarged  # type: ignore[method-assign]
    for x in (40, 40.5, 41):
        found = following.detect(cv2.resize(painter.paint((x, 60, 50)), None, fx=6, fy=6))
    assert painter.asked == 1
    np.testing.assert_allclose(found.landmarks[0], (HEAD + np.array([41, 60])) * 6, atol=3)


def test_a_grey_frame_that_is_there_already_changes_nothing() -> None:
    painter = Painter()
    alone, given = FollowingDetector(painter, every=100), FollowingDetector(painter, every=100)
    for step in range(6):
        frame = painter.paint((40 + 2 * step, 60, 50))
        grey = np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), np.uint8)
        np.testing.assert_array_equal(given.detect(frame, grey).landmarks, alone.detect(frame).landmarks)
    assert painter.asked == 2
