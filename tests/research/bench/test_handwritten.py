"""The loop written by hand does what its docstring says: otherwise the comparison means nothing."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from fewshot.research.bench.handwritten import EMOTIONS, frames_of, read


class TwoFaces:
    """As ``FaceAnalysis``: one face half outside of the frame, one in the middle."""

    class Face:
        def __init__(self, bbox: list[float]) -> None:
            self.bbox = np.array(bbox)
            self.normed_embedding = np.ones(512, np.float32)

    def get(self, frame: np.ndarray) -> list[Face]:
        return [self.Face([-20, -20, 20, 20]), self.Face([30.4, 10.2, 60.9, 50.1])]


class Brightest:
    """As the emotion network: "happy" for white crops, else "sad"."""

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []

    def run(self, _: None, feed: dict[str, np.ndarray]) -> list[np.ndarray]:
        crop = feed["gray_pm1"]
        self.shapes.append(crop.shape)
        assert crop.dtype == np.float32
        assert -1 <= crop.min() <= crop.max() <= 1
        return [np.eye(7, dtype=np.float32)[None, EMOTIONS.index("happy" if crop.mean() > 0.9 else "sad")]]


def test_every_face_is_read_by_a_call_of_its_own() -> None:
    frame = np.zeros((80, 100, 3), np.uint8)
    frame[10:60, 30:70] = 255
    network = Brightest()
    found = read(frame, TwoFaces(), network)  # type: ignore[arg-type]
    assert [emotion for _, emotion in found] == ["sad", "happy"]
    assert network.shapes == [(1, 1, 64, 64)] * 2
    assert found[0][0].shape == (512,)


def test_frames_are_those_asked_for(tmp_path: Path) -> None:
    path = str(tmp_path / "a.mp4")
    writer = cv2.VideoWriter(path, cv2.VideoWriter.fourcc(*"mp4v"), 10, (64, 48))
    for level in range(0, 200, 20):
        writer.write(np.full((48, 64, 3), level, np.uint8))
    writer.release()
    assert frames_of(path, 0, 0) == []
    assert [round(float(frame.mean()) / 20) for frame in frames_of(path, 4, 3)] == [4, 5, 6]
    assert len(frames_of(path, 8, 5)) == 2
