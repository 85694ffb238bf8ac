"""Faces that fill the frame are found, and frames of small faces cost nothing more."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from fewshot.demo.sample import sample_picture
from fewshot.faces.any_size import VIDEO_REST, AnySizeDetector, any_size
from fewshot.faces.detections import Detections, Detector
from fewshot.faces.detectors.scrfd import ScrfdDetector
from fewshot.faces.following import FollowingDetector
from fewshot.faces.quality import head_pose
from fewshot.models.files import resolve
from fewshot.perception import open_perception
from fewshot.pictures import read_picture
from fewshot.types import Frame


class Counting:
    """Gives a face where it was told to, by the size of the frame it is asked about."""

    name, note = "counting", None

    def __init__(self, answers: dict[tuple[int, int], list[tuple[tuple[float, ...], float]]]) -> None:
        self.answers, self.asked = answers, []

    def detect(self, frame: Frame) -> Detections:
        self.asked.append(frame.shape[:2])
        faces = self.answers.get(frame.shape[:2], [])
        points = [np.tile([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2], (5, 1)) for box, _ in faces]
        return Detections.of([box for box, _ in faces], [score for _, score in faces], np.array(points), frame)


FRAME = np.zeros((100, 200, 3), np.uint8)
ONCE, WITH_MARGIN = (100, 200), (200, 400)


@pytest.mark.parametrize(
    ("first", "second", "passes", "boxes"),
    [
        ([], [], 3, []),
        ([], [((120, 60, 200, 140), 0.8)], 2, [(20, 10, 100, 90)]),
        ([((0, 0, 20, 20), 0.3), ((50, 50, 70, 70), 0.9)], [], 1, [(50, 50, 70, 70), (0, 0, 20, 20)]),
        ([((20, 10, 100, 90), 0.9)], [], 1, [(20, 10, 100, 90)]),
        ([((20, 10, 100, 90), 0.5)], [((122, 62, 200, 140), 0.8)], 2, [(20, 10, 100, 90)]),
    ],
)  # fmt: skip
def test_the_second_pass(first: list, second: list, passes: int, boxes: list) -> None:
    inner = Counting({ONCE: first, WITH_MARGIN: second})
    found = AnySizeDetector(inner).detect(FRAME)
    assert (len(inner.asked), [tuple(box) for box in found.boxes.tolist()]) == (passes, boxes)


def test_it_is_put_around_a_detector_once() -> None:
    once = any_size(Counting({}))
    assert any_size(once) is once
    following = FollowingDetector(once, 3)
    assert any_size(following) is following


def test_the_one_chain_finds_a_face_that_fills_a_frame_of_a_video() -> None:
    """Enrollment did, reading did not: 0 of 979 tightly cropped pictures had a face in ``fewshot analyze``."""
    face = cv2.resize(sample_picture()[250:430, 455:580], None, fx=4, fy=4)
    perception = open_perception("cascade", download=False, recogniser="own")
    assert len(perception.find(face)) == len(perception.following().find(face)) == 1


@pytest.fixture
def scrfd(shared: Path) -> Detector:
    return any_size(ScrfdDetector(shared / "models/insightface/models/buffalo_sc/det_500m.onnx"))


def test_crops_of_laboratories_and_a_close_camera(scrfd: Detector, shared: Path) -> None:
    for picture in sorted((shared / "cases/crops").glob("*.png")):
        assert len(scrfd.detect(cv2.imread(str(picture)))) == 1, picture.name
    video = cv2.VideoCapture(str(shared / "cases/video/close43.mp4"))
    found, frames = 0, 0
    while (answer := video.read())[0]:
        frames += 1
        found += len(scrfd.detect(answer[1])) == 1
    assert found == frames == 100


def test_nobody_is_seen_where_nobody_is(scrfd: Detector, shared: Path) -> None:
    video = cv2.VideoCapture(str(shared / "data/scenes/pyfeat_no_face.mp4"))
    while (answer := video.read())[0]:
        assert len(scrfd.detect(answer[1])) == 0


def test_the_sample_picture_is_seen_as_before() -> None:
    assert resolve("landmarks").is_file()
    detector = open_perception("cascade", download=False).detector
    np.testing.assert_array_equal(
        detector.detect(sample_picture()).boxes, detector.inner.detect(sample_picture()).boxes
    )


class Upright:
    """Sees one face, with one score in the frame and one in the turned frame; its landmarks are always upright."""

    name, note = "upright", None

    def __init__(self, upright: float, turned: float) -> None:
        self.scores = (upright, turned)

    def detect(self, frame: Frame) -> Detections:
        turned = frame[-1, -1, 0] == 255  # the first pixel of the frame is white
        score = self.scores[int(turned)]
        box = (99, 39, 179, 89) if turned else (20, 10, 100, 60)
        eyes = np.array([[40, 25], [80, 25], [60, 35], [45, 50], [75, 50]], np.float32)
        points = eyes + (np.array([79, 29]) if turned else 0)
        found = Detections.of([box], [score], points[None], frame)
        return found[found.scores >= 0.5]


@pytest.mark.parametrize(
    ("upright", "turned", "upside_down"),
    [
        (0.55, 0.85, True),
        (0.0, 0.85, True),
        (0.0, 0.6, False),
        (0.85, 0.55, False),
        (0.6, 0.65, False),
        (0.75, 0.95, False),
    ],
)
def test_a_face_that_is_upside_down_is_noticed(upright: float, turned: float, upside_down: bool) -> None:
    frame = np.zeros((100, 200, 3), np.uint8)
    frame[0, 0] = 255
    found = AnySizeDetector(Upright(upright, turned)).detect(frame)
    assert len(found) == bool(upside_down or upright)
    if len(found):
        assert bool(abs(head_pose(found.landmarks)[0, 2]) > 170) == upside_down


def test_upside_down_in_pictures_and_videos(shared: Path) -> None:
    detector = any_size(ScrfdDetector(shared / "models/insightface/models/buffalo_sc/det_500m.onnx"))
    for picture in sorted((shared / "cases/class4").glob("*/*/*.jpg")):
        frame = read_picture(picture)
        for turned, expected in [(frame, False), (np.ascontiguousarray(frame[::-1, ::-1]), True)]:
            found = detector.detect(turned)
            assert len(found) == 1, (picture, expected)
            assert bool(abs(head_pose(found.landmarks)[0, 2]) > 135) == expected, picture


def test_a_video_is_not_searched_in_every_frame_unless_somebody_is_upside_down() -> None:
    doubtful = [((50, 50, 90, 90), 0.5)]
    inner = Counting({ONCE: doubtful})
    video = AnySizeDetector(inner).for_video()
    for _ in range(VIDEO_REST + 2):
        assert len(video.detect(FRAME)) == 1
    assert len(inner.asked) == VIDEO_REST + 2 + 2  # only the first and the last were searched

    class Turned(Counting):
        def detect(self, frame: Frame) -> Detections:
            found = super().detect(frame)
            # The second pass of each search sees the turned frame.
            score = 0.9 if len(self.asked) % 2 == 0 else 0.5
            box = (110, 10, 150, 50) if score > 0.5 else (50, 50, 90, 90)
            return Detections.of([box], [score], found.landmarks, frame)

    inner = Turned({ONCE: doubtful})
    video = AnySizeDetector(inner).for_video()
    assert [round(float(video.detect(FRAME).scores[0]), 1) for _ in range(5)] == [0.9] * 5
    assert len(inner.asked) == 10


class Film(Counting):
    """Gives one face per frame, as it is told: a box and a score."""

    def __init__(self, faces: list[tuple[tuple[float, ...], float]]) -> None:
        super().__init__({})
        self.faces = faces

    def detect(self, frame: Frame) -> Detections:
        self.answers = {ONCE: [self.faces[int(frame[0, 0, 0])]]}
        return super().detect(frame)


HERE, THERE = (50, 50, 90, 90), (120, 10, 160, 50)


@pytest.mark.parametrize(
    ("first", "then", "searched"),
    [
        ((HERE, 0.85), (HERE, 0.6), True),  # a phone is turned over in the middle of a lesson
        ((HERE, 0.85), (THERE, 0.6), True),
        ((HERE, 0.6), (THERE, 0.6), True),
        ((HERE, 0.85), (HERE, 0.75), False),
        ((HERE, 0.75), (HERE, 0.7), False),  # always doubtful
        ((HERE, 0.85), (THERE, 0.85), False),
        ((HERE, 0.85), ((50, 50, 70, 70), 0.6), False),  # too small to be read
    ],
)
def test_a_video_is_searched_at_once_where_a_face_is_suddenly_doubtful(
    first: tuple, then: tuple, searched: bool
) -> None:
    inner = Film([first, first, then])
    video = AnySizeDetector(inner).for_video()
    frames = [np.full((100, 200, 3), number, np.uint8) for number in range(3)]
    for frame in frames[:2]:
        video.detect(frame)
    before = len(inner.asked)
    video.detect(frames[2])
    assert len(inner.asked) - before == 1 + searched
