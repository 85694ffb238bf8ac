"""A perception, a reader and students that need no picture: faces are told to them in the frame's pixels."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from fewshot.prototypes.classifier import Verdict
from fewshot.types import EMOTIONS, Face, Frame, FrameResult, Quality, Reading, Vectors

GOOD = Quality(size=40, sharpness=1, yaw=0, pitch=0, roll=0, brightness=128)
BAD = Quality(size=8, sharpness=0.1, yaw=0, pitch=0, roll=0, brightness=128, reasons=("too small",))


def blank(width: int = 64, height: int = 48, value: int = 0) -> Frame:
    return np.full((height, width, 3), value, np.uint8)


def one_hot(emotion: str) -> np.ndarray:
    return np.eye(len(EMOTIONS), dtype=np.float32)[EMOTIONS.index(emotion)]


def face(
    x: float = 10, y: float = 10, size: float = 20, emotion: str | None = "happy", quality: Quality = GOOD
) -> Face:
    """A face whose "expression vector" is the one-hot vector of an emotion; None: it was not embedded."""
    vector = one_hot(emotion) if emotion and quality.ok else None
    box = np.array([x, y, x + size, y + size], np.float32)
    return Face(box, np.zeros((5, 2), np.float32), 0.9, blank(112, 112), quality, expression=vector)


def verdict(emotion: str, confidence: float = 0.9, level: str = "personal", sure: bool = True) -> Verdict:
    rest = (1 - confidence) / (len(EMOTIONS) - 1)
    probabilities = {name: confidence if name == emotion else rest for name in EMOTIONS}
    distances = {name: 0.1 if name == emotion else 1.0 for name in EMOTIONS}
    limits = dict.fromkeys(EMOTIONS, 0.9 if sure else -1.0)
    return Verdict(emotion if sure else None, confidence, probabilities, level, distances, limits, 0.1)


class FakePerception:
    """Gives the faces of a script, one list a frame; then none."""

    def __init__(self, *frames: list[Face]) -> None:
        self._frames = list(frames)
        self.times: dict[str, float] = {}
        self.identified: list[int] = []

    def find(self, frame: Frame) -> list[Face]:
        self.times = {"detect": 0.002}
        return self._frames.pop(0) if self._frames else []

    def embed(self, faces: Sequence[Face]) -> None:
        """The script has done it, by its faces' emotions."""

    def identify(self, frame: Frame, faces: Sequence[Face]) -> None:
        self.identified.append(len(faces))
        for one in faces:
            one.identity = np.ones(4, np.float32)


class FakeReader:
    """Reads one-hot vectors; strangers by the population's prototypes."""

    def read(self, vectors: Vectors, students: Sequence[str | None]) -> list[Verdict]:
        assert len(vectors) == len(students)
        return [
            verdict(EMOTIONS[int(vector.argmax())], level="personal" if student else "population")
            for vector, student in zip(vectors, students, strict=True)
        ]


class FakeStudents:
    """Names whoever has an identity vector; wants one the first time it sees a track, and of every picture."""

    def __init__(self, name: str = "asha") -> None:
        self.name, self.known, self.alive = name, set[int](), []

    def wanted(self, tracks: Sequence[int], faces: Sequence[Face], time: float) -> list[int]:
        return [index for index, track in enumerate(tracks) if track < 0 or track not in self.known]

    def assign(self, faces: Sequence[Face], time: float) -> list[tuple[str | None, float | None]]:
        self.known |= {one.track for one in faces if one.identity is not None and one.track >= 0}
        found = [one.identity is not None or one.track in self.known for one in faces]
        return [(self.name, 0.7) if there else (None, None) for there in found]

    def forget(self, alive: Collection[int]) -> None:
        self.known &= set(alive)
        self.alive.append(set(alive))


def reading(track: int = 0, emotion: str | None = "happy", student: str | None = "asha", **more: object) -> Reading:
    values: dict[str, object] = {
        "box": (10.0, 12.0, 30.0, 36.0),
        "score": 0.9,
        "identity_score": 0.7 if student else None,
        "confidence": 0.8,
        "probabilities": {name: 0.8 if name == (emotion or "happy") else 0.2 / 6 for name in EMOTIONS},
    }
    return Reading(track=track, student=student, emotion=emotion, **{**values, **more})


def result(*readings: Reading, index: int = 0, time: float = 0.0, source: str = "a.mp4") -> FrameResult:
    return FrameResult(source, index, time, 64, 48, readings)


def write_video(path: object, frames: int = 10, fps: float = 10.0, size: tuple[int, int] = (64, 48)) -> None:
    """A video whose frame k is grey of level 5 + 8 k."""
    codec = "MJPG" if str(path).endswith(".avi") else "mp4v"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), fps, size)
    assert writer.isOpened()
    for index in range(frames):
        writer.write(blank(*size, value=5 + 8 * (index % 30)))
    writer.release()


def write_timed_video(path: Path, times: Sequence[float], shape: str = "1:1", size: tuple[int, int] = (64, 48)) -> None:
    """A video whose frame k begins at ``times[k]`` seconds and is grey of level 5 + 3 k.

    Args:
        shape: width : height of a pixel.
    """
    av = pytest.importorskip("av", reason="PyAV, an extra, writes the video of this test")
    with av.open(str(path), "w") as file:
        stream = file.add_stream("mpeg4", rate=1000)
        stream.width, stream.height = size
        stream.pix_fmt, stream.bit_rate = "yuv420p", 50_000_000
        stream.codec_context.sample_aspect_ratio = Fraction(shape.replace(":", "/"))
        for index, time in enumerate(times):
            picture = av.VideoFrame.from_ndarray(blank(*size, value=5 + 3 * (index % 80)), format="bgr24")
            picture.pts, picture.time_base = round(1000 * time), Fraction(1, 1000)
            file.mux(stream.encode(picture))
        file.mux(stream.encode(None))
