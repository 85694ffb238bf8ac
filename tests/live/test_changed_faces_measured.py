"""Changed faces beside every face: how labels are compared, and how processor time is taken in turns."""

from __future__ import annotations

from dataclasses import replace

import pytest
from live_fakes import FakeReader, blank, face, one_hot

from fewshot.live.loop import Loop
from fewshot.live.sources import CapturedFrame
from fewshot.research.bench import paired
from fewshot.research.bench.changed_faces import _late
from fewshot.types import Face, Frame

SAD, HAPPY = "sad", "happy"


@pytest.mark.parametrize(
    ("other", "late", "lost"),
    [
        ({}, [], 1),
        ({0: [SAD] * 26}, [], 1),
        ({0: [SAD] * 6 + [HAPPY] * 20}, [0], 0),
        ({0: [SAD] * 9 + [HAPPY] * 17}, [3], 0),
        ({0: [SAD] * 18 + [HAPPY] * 8}, [], 1),
    ],
    ids=["no track", "never", "in the same frame", "three frames later", "after more than a second"],
)
def test_how_much_later_a_label_changes(other: dict[int, list[str | None]], late: list[int], lost: int) -> None:
    usual: dict[int, list[str | None]] = {0: [SAD] * 6 + [HAPPY] * 20}
    assert _late(usual, other, fps=10) == (late, lost)


@pytest.mark.parametrize(
    "labels", [[], [SAD] * 9, [SAD] * 6 + [HAPPY] + [SAD] * 9, [SAD] * 6 + [None] * 9 + [SAD] * 6], ids=len
)
def test_a_label_that_does_not_stay_is_no_change(labels: list[str | None]) -> None:
    assert _late({0: labels}, {0: labels}, fps=10) == ([], 0)


class Still:
    """One face that never changes."""

    def __init__(self) -> None:
        self.times, self.batches = dict[str, float](), list[int]()

    def find(self, _frame: Frame) -> list[Face]:
        return [replace(face(emotion=None))]

    def look(self, frame: Frame) -> list[Face]:
        raise NotImplementedError

    def identify(self, frame: Frame, faces: list[Face]) -> None:
        raise NotImplementedError

    def embed(self, faces: list[Face]) -> None:
        self.batches.append(len(faces))
        for one in faces:
            one.expression = one_hot(HAPPY)


def test_both_ways_see_the_same_frames_in_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(paired, "thread_time", lambda: now[0])
    order: list[str] = []

    class Costly(Still):
        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

        def find(self, frame: Frame) -> list[Face]:
            order.append(self.name)
            now[0] += 0.010
            return super().find(frame)

        def embed(self, faces: list[Face]) -> None:
            super().embed(faces)
            now[0] += 0.030

    eyes = Costly("whole"), Costly("changed")
    frames = [CapturedFrame("film", k, k / 100, blank()) for k in range(20)]
    told = paired.measure([Loop(one, FakeReader()) for one in eyes], frames, warm=5).summary()
    assert order == (["whole"] * 5 + ["changed"] * 5) * 4
    assert (len(eyes[0].batches), len(eyes[1].batches)) == (20, 1)
    assert told["core_ms_whole"] == pytest.approx(40) and told["core_ms_changed"] == pytest.approx(10)
    assert told["lesson_s_changed"] == pytest.approx(240) and told["ratio"] == pytest.approx(0.25)
    assert (told["embedded"], told["faces"]) == (0.0, 1.0)
