"""The detector's own code around the network gives what insightface's class gives."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import insightface
import numpy as np
import onnxruntime
import pytest
from insightface.model_zoo.scrfd import SCRFD

from fewshot.faces.detectors.scrfd import ScrfdDetector, as_input, candidates, input_size, shrunk

FRIENDS = Path(insightface.__file__).parent / "data/images/t1.jpg"


@pytest.fixture(scope="module")
def model(shared: Path) -> Path:
    return shared / "models/insightface/models/buffalo_sc/det_500m.onnx"


@pytest.fixture(scope="module")
def reference(model: Path) -> SCRFD:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    return SCRFD(str(model), session=session, static_shape_sessions=False)


@pytest.mark.parametrize(
    ("width", "height", "tolerance"),
    [
        (1280, 886, 1e-3),
        (640, 448, 1e-3),
        (300, 210, 1e-3),
        # Shrunk to sizes that are no whole numbers: insightface takes one scale for both sides, which is off by a
        # third of a percent at most.
        (1366, 946, 4.0),
        (886, 613, 4.0),
    ],
)
def test_boxes_scores_and_landmarks_equal_insightface(
    model: Path, reference: SCRFD, width: int, height: int, tolerance: float
) -> None:
    frame = cv2.resize(cv2.imread(str(FRIENDS)), (width, height))
    found = ScrfdDetector(model).detect(frame)
    boxes, points = reference.detect(frame, input_size=input_size(width, height, 640), det_thresh=0.5)
    assert len(found) == len(boxes) == 6
    np.testing.assert_allclose(found.boxes, np.clip(boxes[:, :4], 0, (width, height) * 2), atol=tolerance)
    np.testing.assert_allclose(found.scores, boxes[:, 4], atol=1e-4)
    np.testing.assert_allclose(found.landmarks, points, atol=tolerance)


@pytest.mark.parametrize("turned", [False, True])
def test_a_squeezed_frame_equals_insightface_on_the_squeezed_picture(
    model: Path, reference: SCRFD, turned: bool
) -> None:
    frame = cv2.resize(cv2.imread(str(FRIENDS))[:720], (1920, 1080))
    frame = np.ascontiguousarray(frame.transpose(1, 0, 2)) if turned else frame
    height, width = frame.shape[:2]
    size = input_size(width, height, 640)
    assert sorted(size) == [352, 640]
    found = ScrfdDetector(model).detect(frame)
    boxes, _ = reference.detect(cv2.resize(frame, size), input_size=size, det_thresh=0.5)
    scale = np.array([width, height] * 2) / (*size, *size)
    np.testing.assert_allclose(found.boxes, np.clip(boxes[:, :4] * scale, 0, (width, height) * 2), atol=1e-2)


def test_several_threads_may_detect(model: Path) -> None:
    frame = cv2.imread(str(FRIENDS))
    detector = ScrfdDetector(model)
    frames = [frame, frame[:, ::-1].copy(), np.zeros_like(frame)] * 3
    alone = [detector.detect(one) for one in frames]
    with ThreadPoolExecutor(3) as pool:
        for one, other in zip(alone, pool.map(detector.detect, frames), strict=True):
            np.testing.assert_array_equal(one.boxes, other.boxes)


def test_input_is_normalised_and_padded() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (20, 30, 3)).astype(np.uint8)
    blob = as_input(picture, (64, 32))
    assert (blob.shape, blob.dtype) == ((1, 3, 32, 64), np.float32)
    np.testing.assert_allclose(blob[0, :, :20, :30].transpose(1, 2, 0)[..., ::-1], (picture - 127.5) / 128, atol=1e-6)
    assert (blob[:, :, 20:] == -127.5 / 128).all() and (blob[:, :, :, 30:] == -127.5 / 128).all()


@pytest.mark.parametrize("size", [(1, 1), (1920, 1080), (3, 5000), (333, 777), (4000, 3000)])
def test_the_shrunk_picture_fits_into_the_input(size: tuple[int, int]) -> None:
    width, height = size
    small = shrunk(np.zeros((height, width, 3), np.uint8), 640)
    wide, high = input_size(width, height, 640)
    assert small.shape[0] <= high and small.shape[1] <= wide
    assert max(small.shape) == 640


def test_no_candidates() -> None:
    cells = [2 * 4 * 4, 2 * 2 * 2, 2]
    outputs = [np.zeros((n, width), np.float32) for width in (1, 4, 10) for n in cells]
    boxes, scores, points = candidates(outputs, 32, 0.5)
    assert (boxes.shape, scores.shape, points.shape) == ((0, 4), (0,), (0, 10))


def test_a_candidate_lies_where_its_cell_is() -> None:
    cells = [2 * 4 * 8, 2 * 2 * 4, 2 * 2]
    outputs = [np.zeros((n, width), np.float32) for width in (1, 4, 10) for n in cells]
    row = 2 * (1 * 8 + 3) + 1  # finest grid, second row, fourth column, second anchor
    outputs[0][row] = 0.9
    outputs[3][row] = 1, 2, 3, 4
    outputs[6][row] = np.arange(10)
    boxes, scores, points = candidates(outputs, 64, 0.5)
    assert boxes.tolist() == [[24 - 8, 8 - 16, 24 + 24, 8 + 32]]
    assert points.tolist() == [[24 + 8 * i if i % 2 == 0 else 8 + 8 * i for i in range(10)]]
    assert scores == pytest.approx([0.9])
