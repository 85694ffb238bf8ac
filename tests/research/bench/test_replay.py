from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fewshot.research.bench.replay import Recorder
from fewshot.types import Face, Frame, Quality

FRAME: Frame = np.zeros((20, 20, 3), np.uint8)


class Stub:
    """Two faces a frame; counts its work. Readable is the first face only."""

    network = "stub-1"

    def __init__(self) -> None:
        self.found, self.embedded, self.identified = 0, 0, 0
        self.times: dict[str, float] = {}

    def find(self, frame: Frame) -> list[Face]:
        self.found += 1
        self.times = {"detect": 1.0}
        quality = Quality(50, 1, 0, 0, 0, 128)
        boxes = np.array([[0, 0, 5, 5], [10, 0, 15, self.found]], np.float32)
        return [
            Face(box, np.zeros((5, 2), np.float32), 0.9, np.zeros((112, 112, 3), np.uint8), quality) for box in boxes
        ]

    def embed(self, faces: Sequence[Face]) -> None:
        for face in faces:
            self.embedded += 1
            face.expression = np.array([self.embedded], np.float32)
        self.times = {"embed": 3.0}

    def identify(self, frame: Frame, faces: Sequence[Face]) -> None:
        for face in faces:
            self.identified += 1
            face.identity = np.array([self.identified], np.float32)
        self.times = {"identify": 2.0}


def test_a_second_run_repeats_the_first_for_nothing() -> None:
    stub = Stub()
    recorder = Recorder(stub)
    first = []
    for _ in range(2):
        first.append(recorder.find(FRAME))
        assert recorder.times == {"detect": 1.0}
        recorder.embed(first[-1][:1])
    recorder.identify(FRAME, first[1][:1])
    assert recorder.times == {"identify": 2.0}
    first[0][0].track = 7

    recorder.rewind()
    again = recorder.find(FRAME)
    recorder.embed(again[:1])
    assert recorder.times == {}
    assert (again[0].track, again[0].identity) == (-1, None)
    assert [face.expression for face in again] == [np.array([1.0]), None]

    again = recorder.find(FRAME)
    np.testing.assert_array_equal([face.box for face in again], [face.box for face in first[1]])
    recorder.embed([])
    recorder.identify(FRAME, again)
    # Whoever tells people apart by their crops needs them in any run.
    assert [face.crop.shape for face in again] == [(112, 112, 3)] * 2
    # The first of the two is remembered, the other one had to be computed.
    assert [float(face.identity[0]) for face in again if face.identity is not None] == [1.0, 2.0]
    assert (stub.found, stub.embedded, stub.identified) == (2, 2, 2)

    recorder.find(FRAME)
    assert stub.found == 3


def test_everything_else_is_the_perceptions() -> None:
    assert Recorder(Stub()).network == "stub-1"
