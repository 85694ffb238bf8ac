from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fewshot.data.replay import Recorder
from fewshot.types import Face, Frame, Quality

FRAME: Frame = np.zeros((20, 20, 3), np.uint8)


class Stub:
    """Two faces a frame; counts its work."""

    network = "stub-1"

    def __init__(self) -> None:
        self.looked, self.identified = 0, 0
        self.times: dict[str, float] = {}

    def look(self, frame: Frame) -> list[Face]:
        self.looked += 1
        self.times = {"detect": 1.0}
        quality = Quality(50, 1, 0, 0, 0, 128)
        boxes = np.array([[0, 0, 5, 5], [10, 0, 15, self.looked]], np.float32)
        return [
            Face(box, np.zeros((5, 2), np.float32), 0.9, np.zeros((112, 112, 3), np.uint8), quality) for box in boxes
        ]

    def identify(self, frame: Frame, faces: Sequence[Face]) -> None:
        for face in faces:
            self.identified += 1
            face.identity = np.array([self.identified], np.float32)
        self.times["identify"] = 2.0


def test_a_second_run_repeats_the_first_for_nothing() -> None:
    stub = Stub()
    recorder = Recorder(stub)
    first = [recorder.look(FRAME), recorder.look(FRAME)]
    recorder.identify(FRAME, first[1][:1])
    assert recorder.times == {"detect": 1.0, "identify": 2.0}
    first[0][0].track = 7

    recorder.rewind()
    second = [recorder.look(FRAME), recorder.look(FRAME)]
    assert recorder.times == {}
    assert second[0][0].track == -1
    assert second[0][0].identity is None
    np.testing.assert_array_equal([face.box for face in second[1]], [face.box for face in first[1]])
    recorder.identify(FRAME, second[1])
    # The first of the two is remembered, the other one had to be computed.
    assert [float(face.identity[0]) for face in second[1] if face.identity is not None] == [1.0, 2.0]
    assert (stub.looked, stub.identified) == (2, 2)
    recorder.look(FRAME)
    assert stub.looked == 3


def test_everything_else_is_the_perceptions() -> None:
    assert Recorder(Stub()).network == "stub-1"
