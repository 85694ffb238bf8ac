"""Sources that come back, time that is theirs, and a loop that takes whatever they give. No camera, no sleeping."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from live_fakes import FakeStudents, blank
from schedule_fakes import HandEyes, Keeper, Script, captured, loop_of, our_threads

from fewshot.errors import SourceError
from fewshot.faces.tracker import Tracker
from fewshot.live.pipeline import Pipeline
from fewshot.live.sources import CapturedFrame, FrameSource, Paced, open_lasting
from fewshot.live.sources.lasting import PAUSES, LastingSource


class Camera(Script):
    """Gives so many frames and is lost then, or not."""

    name = "camera 0"

    def __init__(self, frames: int, lost: bool = True, error: Exception | None = None) -> None:
        super().__init__([captured(k) for k in range(frames)], live=True, error=error)
        self.lost = "camera 0 gave no more pictures." if lost else None
        self.dropped = 2


class Desk:
    """Cameras one after the other, None for one that cannot be opened; and a clock that moves when somebody waits."""

    def __init__(self, *cameras: Camera | None) -> None:
        self.cameras, self.now, self.pauses, self.told = list(cameras), 100.0, [], []

    def source(self, patience: float | None = None, **options: Callable[[float], None]) -> LastingSource:
        first = self.cameras.pop(0)
        assert first is not None
        return LastingSource(first, self._reopen, patience, self.told.append, lambda: self.now, self._wait)

    def _reopen(self) -> Camera:
        camera = self.cameras.pop(0)
        if camera is None:
            raise SourceError("No camera 0 could be opened.")
        return camera

    def _wait(self, ending: threading.Event, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


@pytest.mark.parametrize(
    ("cameras", "frames", "pauses", "told"),
    [
        ([Camera(0, lost=False)], 0, [], 0),
        ([Camera(3, lost=False)], 3, [], 0),
        ([Camera(3), Camera(2, lost=False)], 5, [0.5], 2),
        ([Camera(3), None, None, None, None, None, Camera(2, lost=False)], 5, [*PAUSES, 5.0, 5.0], 2),
        ([Camera(3), Camera(0), None, Camera(2, lost=False)], 5, [0.5, 0.5, 1.0], 4),
        ([Camera(3, lost=False, error=SourceError("cable")), Camera(1, lost=False)], 4, [0.5], 2),
    ],
)
def test_a_lost_camera_is_waited_for(cameras: list, frames: int, pauses: list[float], told: int) -> None:
    desk = Desk(*cameras)
    source = desk.source()
    taken = list(source)
    assert [one.index for one in taken] == list(range(frames))
    times = [one.time for one in taken]
    assert times == sorted(set(times)) and desk.pauses == pauses and len(desk.told) == told
    assert source.lost is None and source.away is None
    assert all(camera.closed == 1 for camera in cameras[:-1] if camera)
    source.close()
    assert cameras[-1].closed == 1
    assert source.notes == desk.told and source.dropped == 2 * sum(camera is not None for camera in cameras)


def test_the_gap_is_in_the_times_and_is_said() -> None:
    desk = Desk(Camera(3), None, None, Camera(1, lost=False))
    *_, before, after = desk.source()
    assert (before.time, after.time) == (0.2, 0.5 + 1 + 2)
    assert "lost after 0 s" in desk.told[0] and "back after 4 s" in desk.told[1]


@pytest.mark.parametrize(("patience", "pauses"), [(0, []), (1.0, [0.5, 1.0]), (3.5, [0.5, 1.0, 2.0])])
def test_patience_ends(patience: float, pauses: list[float]) -> None:
    desk = Desk(Camera(3), *[None] * 10)
    source = desk.source(patience)
    assert len(list(source)) == 3 and desk.pauses == pauses
    assert source.lost and "no more pictures" in source.lost and ("did not come back" in source.lost) == bool(patience)


def test_waiting_ends_with_the_run() -> None:
    desk, waits = Desk(Camera(2), *[None] * 100), threading.Event()
    source = desk.source()
    source._wait = lambda ending, seconds: (waits.set(), ending.wait(20))
    with Pipeline(loop_of(HandEyes()), source, [Keeper()]) as pipeline:
        assert waits.wait(20)
        snap = pipeline.metrics.snapshot()
        assert snap.state == "waiting" and snap.note and "Waiting for it" in snap.note
    assert our_threads() == [] and pipeline.metrics.snapshot().state == "ended"


def test_tracks_are_forgotten_over_a_long_gap_and_kept_over_a_short_one() -> None:
    for lost_for, tracks in [(0, 1), (8, 2)]:
        desk = Desk(Camera(3), *[None] * lost_for, Camera(3, lost=False))
        source = desk.source()
        if not lost_for:
            source._wait = lambda ending, seconds: None
        results = [step.result for step in loop_of(HandEyes(), students=FakeStudents()).run(source)]
        assert len({reading.track for result in results for reading in result.readings}) == tracks


def test_only_live_sources_that_are_opened_here_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    ready = FrameSource([blank()])
    assert open_lasting(ready) is ready
    camera = Camera(1)
    monkeypatch.setattr("fewshot.live.sources.opening._open_named", lambda text: camera)
    assert isinstance(open_lasting("7"), LastingSource) and open_lasting("7", patience=0) is camera
    with pytest.raises(SourceError):
        open_lasting((["no frame"][0:0] and "x") or 97)


def test_a_recording_is_played_in_its_own_time() -> None:
    now, waits = [50.0], []

    def wait(ending: threading.Event, seconds: float) -> None:
        waits.append(round(seconds, 3))
        now[0] += seconds

    script = Script([captured(k) for k in range(4)])
    source = Paced(script, lambda: now[0], wait)
    seen = []
    for one in source:
        seen.append(one.index)
        now[0] += 0.25 if one.index == 1 else 0.0
    assert seen == [0, 1, 2, 3] and waits == [0.1] and source.live
    source.close()
    assert script.closed == 1 and list(source) == []


def sizes(*shapes: tuple[int, int]) -> list[CapturedFrame]:
    return [captured(k, size=shape) for k, shape in enumerate(shapes)]


class Growing(HandEyes):
    """One face that fills the same part of every picture."""

    def find(self, frame):
        found = super().find(frame)
        height, width = frame.shape[:2]
        for one in found:
            one.box[:] = width / 4, height / 4, width / 2, height / 2
        return found


def test_a_picture_that_changes_its_size_keeps_its_tracks_and_is_said_once() -> None:
    told: list[str] = []
    taken = sizes((64, 48), (64, 48), (1280, 960), (1280, 960), (64, 48), (32, 24))
    pipeline = Pipeline(loop_of(Growing()), Script(taken, live=False), on_note=told.append)
    results = [step.result for step in pipeline.run()]
    assert {reading.track for result in results for reading in result.readings} == {0}
    assert [result.readings[0].box[2] for result in results] == [32, 32, 640, 640, 32, 16]
    assert [(result.width, result.height) for result in results][2] == (1280, 960)
    assert len(told) == 1 and "64x48 to 1280x960" in told[0] and pipeline.notes == told


@pytest.mark.parametrize(
    "stamps",
    [
        [],
        [0, 0.1, 0.2],
        [0, 0.1, -3600, -3599.9, -3599.8],
        [0, 0.1, 3600, 3600.1],
        [0, 0.1, 1e9, 0.2, 0.3],
        [5, 5, 5, 5],
        [0, float("nan"), float("inf"), 0.2],
    ],
)
def test_a_clock_that_jumps_neither_crashes_nor_freezes(stamps: list[float]) -> None:
    students = FakeStudents()
    loop = loop_of(HandEyes(count=2), students=students, budget=10.0)
    steps = list(loop.run(Script([captured(k, time) for k, time in enumerate(stamps)])))
    assert len(steps) == len(stamps)
    for step in steps:
        assert len(step.result.readings) == 2
        assert all(reading.emotion == "happy" and reading.age == 0 for reading in step.result.readings)


def test_whoever_left_before_the_clock_was_set_back_is_forgotten() -> None:
    class Leaving(HandEyes):
        def find(self, frame):
            return super().find(frame) if frame[0, 0, 0] < 5 else []

    tracker = Tracker(memory=1.0)
    times = [k / 10 for k in range(10)] + [-3600 + k / 10 for k in range(30)]
    list(loop_of(Leaving(), tracker=tracker).run(Script([captured(k, time) for k, time in enumerate(times)])))
    assert tracker.alive() == set()


def test_minutes_without_a_face_and_then_a_hundred_and_twenty() -> None:
    class Crowd(HandEyes):
        def find(self, frame):
            self._count = 120 if frame[0, 0, 0] == 250 else 0
            return super().find(frame)

    eyes = Crowd()
    taken = [CapturedFrame("film", k, k / 10, blank(8000, 48, 0)[:1]) for k in range(100)]
    taken += [CapturedFrame("film", 100 + k, 10 + k / 10, blank(8000, 48, 250)) for k in range(2)]
    steps = list(Pipeline(loop_of(eyes), Script(taken)).run())
    assert [len(step.result.readings) for step in steps[-3:]] == [0, 120, 120]
    assert eyes.embedded[-1] and len({reading.track for reading in steps[-1].result.readings}) == 120
