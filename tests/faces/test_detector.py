"""What every detector gives, whichever it is; SCRFD and YuNet against the data folder."""

from __future__ import annotations

from pathlib import Path

import cv2
import insightface
import numpy as np
import pytest

from fewshot.errors import ModelMissing, ModelUnavailable, UsageError
from fewshot.faces import open_detector as module
from fewshot.faces.any_size import any_size
from fewshot.faces.detections import Detections, Detector
from fewshot.faces.detectors.cascade import CascadeDetector, boxes_around, open_cascade, views_around
from fewshot.faces.detectors.scrfd import ScrfdDetector, input_size
from fewshot.faces.detectors.yunet import YunetDetector
from fewshot.faces.open_detector import open_detector
from fewshot.models import files as models

FRIENDS = Path(insightface.__file__).parent / "data/images/t1.jpg"


@pytest.fixture(scope="session")
def six_faces() -> np.ndarray:
    return cv2.imread(str(FRIENDS))


@pytest.fixture(params=["scrfd", "yunet", "cascade"])
def detector(request: pytest.FixtureRequest) -> Detector:
    if request.param == "cascade":
        return CascadeDetector(models.resolve("landmarks", download=False))
    shared: Path = request.getfixturevalue("shared")
    if request.param == "yunet":
        return YunetDetector(shared / "models/detectors/face_detection_yunet_2023mar.onnx")
    return ScrfdDetector(shared / "models/insightface/models/buffalo_sc/det_500m.onnx")


@pytest.mark.parametrize(
    ("boxes", "scores", "kept"),
    [
        ([], [], []),
        ([[1, 2, 30, 40]], [0.9], [[1, 2, 30, 40]]),
        ([[-5, -5, 30, 40], [50, 50, 400, 400]], [0.5, 0.9], [[50, 50, 100, 80], [0, 0, 30, 40]]),
        ([[120, 10, 150, 40]], [0.9], []),
    ],
)
def test_detections_are_clipped_and_sorted(boxes: list[list[float]], scores: list[float], kept: object) -> None:
    found = Detections.of(boxes, scores, np.zeros((len(boxes), 5, 2)), np.zeros((80, 100, 3), np.uint8))
    np.testing.assert_array_equal(found.boxes, np.array(kept, np.float32).reshape(-1, 4))
    assert (found.boxes.dtype, found.scores.dtype, found.landmarks.dtype) == (np.float32,) * 3
    assert len(found[np.zeros(len(found), bool)]) == 0


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        ((1, 1), (640, 640)),
        ((1920, 1080), (640, 352)),
        ((1080, 1920), (352, 640)),
        ((640, 480), (640, 480)),
        ((1280, 886), (640, 448)),
        ((5000, 20), (640, 32)),
    ],
)
def test_input_size_follows_the_frame(frame: tuple[int, int], expected: tuple[int, int]) -> None:
    assert input_size(*frame, 640) == expected


@pytest.mark.parametrize("shape", [(1, 1, 3), (37, 500, 3), (480, 640, 3)])
def test_nothing_in_an_empty_picture(detector: Detector, shape: tuple[int, int, int]) -> None:
    found = detector.detect(np.full(shape, 90, np.uint8))
    assert (len(found), found.boxes.shape, found.landmarks.shape) == (0, (0, 4), (0, 5, 2))


def test_the_six_faces_of_the_sample_picture(detector: Detector, six_faces: np.ndarray) -> None:
    found = detector.detect(six_faces)
    assert len(found) >= (4 if detector.name == "cascade" else 6)
    # The cascades also take an arm and a dress for faces; SCRFD does not.
    assert len(found) <= (8 if detector.name == "cascade" else 6)
    eyes, nose, mouth = found.landmarks[:, :2], found.landmarks[:, 2], found.landmarks[:, 3:]
    assert (eyes[:, 0, 0] < eyes[:, 1, 0]).all()
    assert (eyes[:, :, 1].mean(axis=1) < nose[:, 1]).all()
    assert (nose[:, 1] < mouth[:, :, 1].mean(axis=1)).all()
    assert ((found.landmarks >= found.boxes[:, None, :2]) & (found.landmarks <= found.boxes[:, None, 2:])).mean() > 0.9


def test_scale_and_shape_do_not_matter(detector: Detector, six_faces: np.ndarray) -> None:
    usual = len(detector.detect(six_faces))
    large = cv2.resize(six_faces, None, fx=3, fy=3)
    upright = cv2.copyMakeBorder(six_faces, 900, 900, 0, 0, cv2.BORDER_CONSTANT)
    for picture in (large, upright):
        assert len(detector.detect(picture)) >= usual - 1


def test_a_face_that_fills_the_photo_is_found(detector: Detector, six_faces: np.ndarray) -> None:
    photo = cv2.resize(six_faces[250:430, 455:580], None, fx=4, fy=4)
    found = any_size(detector).detect(photo)
    assert len(found) == 1
    assert found.boxes[0, 2] - found.boxes[0, 0] > 250


def test_a_picture_without_a_face_stays_without_one(detector: Detector) -> None:
    assert len(any_size(detector).detect(np.full((200, 300, 3), 128, np.uint8))) == 0


def test_auto_falls_back_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(name: str, path: object = None, download: bool = True) -> Path:
        if name == "scrfd_500m":
            raise ModelMissing("not here")
        return models.WEIGHTS / "landmarks.onnx"

    monkeypatch.setattr(module, "resolve", resolve)
    chosen = open_detector("auto", download=False)
    assert chosen.name == "cascade"
    assert chosen.note is not None and "fewer faces" in chosen.note.text and "\n" not in str(chosen.note)
    assert chosen.note.hint.endswith("fewshot models pull")
    assert open_detector("cascade").note is None
    with pytest.raises(ModelUnavailable):
        open_detector("scrfd")
    with pytest.raises(UsageError, match="auto, scrfd, yunet or cascade"):
        open_detector("haar")  # type: ignore[arg-type]


def test_cascade_parts() -> None:
    assert not open_cascade().empty()
    assert views_around(np.zeros((0, 5, 2), np.float32)).shape == (0, 4)
    assert boxes_around(np.zeros((0, 5, 2), np.float32)).shape == (0, 4)


def test_views_turn_with_the_face() -> None:
    upright = np.array([[[-10, -10], [10, -10], [0, 0], [-8, 10], [8, 10]]], np.float32)
    angle = np.radians(30)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]], np.float32)
    straight, tilted = views_around(upright)[0], views_around(upright @ turn.T)[0]
    assert straight[3] == pytest.approx(0)
    assert tilted[3] == pytest.approx(angle)
    np.testing.assert_allclose(tilted[:2], turn @ straight[:2], atol=1e-4)
