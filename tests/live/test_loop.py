"""The loop with a fake perception: who is asked what, and what comes out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from live_fakes import BAD, FakePerception, FakeReader, FakeStudents, blank, face

from fewshot.live.loop import Loop
from fewshot.live.sources import CapturedFrame, FrameSource
from fewshot.types import Frame


def run(perception: FakePerception, frames: int, students: FakeStudents | None = None, fps: float = 10):
    loop = Loop(perception, FakeReader(), students)
    return list(loop.run(FrameSource([blank()] * frames, fps)))


def test_every_frame_has_a_result_also_an_empty_one() -> None:
    steps = run(FakePerception([], [face()], []), 3)
    assert [len(step.result.readings) for step in steps] == [0, 1, 0]
    assert [step.result.index for step in steps] == [0, 1, 2]
    assert (steps[0].result.width, steps[0].result.height) == (64, 48)


def test_a_reading_says_who_and_what() -> None:
    students = FakeStudents()
    perception = FakePerception([face()], [face()], [face()])
    steps = run(perception, 3, students)
    reading = steps[-1].result.readings[0]
    assert (reading.student, reading.identity_score, reading.emotion) == ("asha", 0.7, "happy")
    assert reading.box == (10, 10, 30, 30) and reading.prototypes == "personal" and reading.age == 0
    assert reading.confidence == pytest.approx(0.9) and sum(reading.probabilities.values()) == pytest.approx(1)
    assert len({step.result.readings[0].track for step in steps}) == 1
    assert perception.identified == [1]  # only where it was wanted
    assert steps[0].faces[0].track == reading.track


def test_without_students_identity_is_not_looked_at() -> None:
    perception = FakePerception([face()])
    reading = run(perception, 1)[0].result.readings[0]
    assert (reading.student, reading.identity_score, reading.prototypes) == (None, None, "population")
    assert perception.identified == []


def test_a_face_that_cannot_be_read() -> None:
    steps = run(FakePerception([face()], [face(quality=BAD), face(x=40, y=20)]), 2)
    bad, good = steps[1].result.readings
    assert (bad.emotion, bad.confidence, bad.probabilities, bad.age) == (None, None, {}, 0.0)
    assert good.emotion == "happy"


def test_a_readable_face_without_vector_keeps_its_last_reading_and_ages() -> None:
    steps = run(FakePerception([face()], [face(emotion=None)], [face(emotion=None)]), 3)
    assert [step.result.readings[0].emotion for step in steps] == ["happy"] * 3
    assert [step.result.readings[0].age for step in steps] == pytest.approx([0, 0.1, 0.2])
    assert run(FakePerception([face(emotion=None)]), 1)[0].result.readings[0].probabilities == {}


def test_labels_are_smoothed_per_track() -> None:
    script = [[face(emotion="neutral")]] * 8 + [[face(emotion="angry")]] + [[face(emotion="neutral")]]
    steps = run(FakePerception(*[[face(emotion="angry" if i == 8 else "neutral")] for i in range(len(script))]), 10)
    assert {step.result.readings[0].emotion for step in steps} == {"neutral"}


def test_boxes_are_inside_the_picture() -> None:
    steps = run(FakePerception([face(x=-5, y=40, size=30), face(x=63.9, y=47.9, size=0.05)]), 1)
    for reading in steps[0].result.readings:
        x0, y0, x1, y1 = reading.box
        assert 0 <= x0 < x1 <= 64 and 0 <= y0 < y1 <= 48


def pictures(count: int) -> Iterator[CapturedFrame]:
    for number in range(count):
        yield CapturedFrame(f"{number}.jpg", 0, 0.0, blank(), independent=True, size=(640, 480))


class Pictures(FrameSource):
    def __iter__(self) -> Iterator[CapturedFrame]:
        return pictures(3)


def test_pictures_stand_alone() -> None:
    students = FakeStudents()
    perception = FakePerception([face(emotion="neutral")], [face(emotion="angry")], [face(emotion="happy"), face(x=40)])
    steps = list(Loop(perception, FakeReader(), students).run(Pictures([])))
    readings = [reading for step in steps for reading in step.result.readings]
    assert [reading.emotion for reading in readings] == ["neutral", "angry", "happy", "happy"]
    assert all(reading.confidence == pytest.approx(0.9) and reading.student == "asha" for reading in readings)
    assert len({reading.track for reading in readings}) == 4 and all(reading.track >= 0 for reading in readings)
    assert perception.identified == [1, 1, 2]
    assert (steps[0].result.width, steps[0].result.height) == (640, 480)
    assert readings[0].box == (100, 100, 300, 300)  # in pixels of the source, not of the reduced picture


def test_tracks_are_new_in_every_source_of_a_run() -> None:
    students = FakeStudents()
    loop = Loop(FakePerception([face()], [face()]), FakeReader(), students)
    tracks = [
        step.result.readings[0].track for _ in range(2) for step in loop.run(FrameSource([blank()], name="same place"))
    ]
    assert len(set(tracks)) == 2
    assert set() in students.alive


def test_stages_are_timed() -> None:
    loop = Loop(FakePerception([face()], [face()]), FakeReader())
    list(loop.run(FrameSource([blank()] * 2)))
    table = loop.times.table()
    assert list(table)[:5] == ["detect", "track", "embed", "identify", "classify"]
    assert table["detect"]["p50_ms"] == pytest.approx(2) and table["total"]["frames"] == 2
    assert loop.times.percentile("nothing", 50) == 0


def test_the_source_is_closed_whatever_happens() -> None:
    closed = []

    class Watched(FrameSource):
        def close(self) -> None:
            closed.append(self.name)

    class Broken(FakePerception):
        def find(self, frame: Frame) -> list:
            raise RuntimeError

    with pytest.raises(RuntimeError):
        list(Loop(Broken(), FakeReader()).run(Watched([blank()], name="failed")))
    steps = Loop(FakePerception(), FakeReader()).run(Watched([blank()] * 5, name="left early"))
    next(steps)
    steps.close()
    assert closed == ["failed", "left early"]
