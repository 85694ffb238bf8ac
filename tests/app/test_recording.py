"""A recording and its replay."""

from __future__ import annotations

import threading
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from fewshot.app.recording import (
    AWAY,
    EARLIER,
    NOT_READABLE,
    SAMPLE,
    UNSURE,
    Recording,
    RecordingWriter,
    earlier_recordings,
    sample_recording,
)
from fewshot.app.replay import Replay
from fewshot.errors import StoreError
from fewshot.types import EMOTIONS, Frame, FrameResult, Reading


def reading(student: str | None, emotion: str | None, confidence: float = 0.6, readable: bool = True) -> Reading:
    rest = (1 - confidence) / 6
    shares = {word: confidence if word == (emotion or "happy") else rest for word in EMOTIONS} if readable else {}
    return Reading(3, (10.2, 20, 30, 40), 0.9, student, 0.7, emotion, confidence if readable else None, shares)


def made(steps: int = 6) -> Recording:
    writer = RecordingWriter(["Asha", "Ben"], EMOTIONS)
    for step in range(steps):
        ben = [reading("Ben", None)] if step % 2 else [reading("Ben", None, readable=False)] if step == 2 else []
        asha = [reading("Asha", "sad", 0.5), reading("Asha", "happy", 0.4)]
        writer.add(FrameResult("x", step, step / 2, 640, 480, (*asha, *ben, reading(None, "happy"))))
    return writer.finish({"title": "t", "source": "s", "width": 640, "height": 480, "markers": [[1, "here"]]})


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    one = made()
    one.save(tmp_path / "r.npz")
    two = Recording.load(tmp_path / "r.npz")
    for name in ("times", "states", "shares", "boxes"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
    assert (two.students, two.labels, two.about) == (one.students, one.labels, one.about)
    assert two.markers == [(1.0, "here")] and two.seconds == pytest.approx(3.0)


def test_results_are_what_the_loop_said() -> None:
    first, second, third, *_ = made().results()
    assert [r.student for r in first.readings] == ["Asha"]
    asha = first.readings[0]
    assert asha.emotion == "sad" and asha.confidence == pytest.approx(0.5, abs=0.01)
    assert sum(asha.probabilities.values()) == pytest.approx(1.0)
    assert [(r.student, r.emotion) for r in second.readings] == [("Asha", "sad"), ("Ben", None)]
    assert third.readings[1].probabilities == {} and third.readings[1].confidence is None
    assert second.time == 0.5 and (second.width, second.height) == (640, 480)


def test_states_are_told_apart() -> None:
    assert made().states.tolist()[:3] == [[4, AWAY], [4, UNSURE], [4, NOT_READABLE]]


@pytest.mark.parametrize("content", [b"", b"not a recording"])
def test_a_damaged_file_is_said_to_be_so(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "r.npz").write_bytes(content)
    with pytest.raises(StoreError, match="cannot be read"):
        Recording.load(tmp_path / "r.npz")


@pytest.mark.parametrize(
    ("name", "minutes", "weeks"), [(SAMPLE, 11, 0), *zip(EARLIER, [5.5] * 3, [3, 2, 1], strict=True)]
)
def test_the_sample_lessons_ship_and_say_where_they_are_from(name: str, minutes: float, weeks: int) -> None:
    sample, played = sample_recording(name), sample_recording()
    assert sample.students == played.students and len(sample.students) == 49
    assert sample.seconds == pytest.approx(60 * minutes) and sample.about["weeks_before"] == weeks
    assert "CFEE" in sample.about["source"] and sample.about["network"] == played.about["network"]
    assert sample.markers and all(0 <= second < sample.seconds for second, _ in sample.markers)
    shown = {EMOTIONS[state] for state in np.unique(sample.states) if state >= 0}
    assert {"neutral", "happy", "surprise", "sad"} <= shown and (sample.states == UNSURE).any()


def test_the_sample_lessons_are_small() -> None:
    folder = files("fewshot.app")
    assert sum(len((folder / name).read_bytes()) for name in (SAMPLE, *EARLIER)) <= 500_000
    assert [recording.about["weeks_before"] for recording in earlier_recordings()] == [3, 2, 1]


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.on_sleep: list[object] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        if self.on_sleep:
            self.on_sleep.pop(0)()  # type: ignore[operator]


class Seen:
    def __init__(self) -> None:
        self.times: list[float] = []

    def write(self, result: FrameResult, frame: Frame) -> None:
        self.times.append(result.time)

    def close(self) -> None: ...


def test_a_replay_tells_everything_in_order_at_its_own_pace() -> None:
    clock, seen = Clock(), Seen()
    replay = Replay(made(), [seen], clock=clock, sleep=clock.sleep)
    replay.start()
    replay._thread.join(5)
    assert seen.times == [0.0, 0.5, 1.0, 1.5, 2.0, 2.5]
    assert clock.now == pytest.approx(2.6, abs=0.11) and not replay.running and replay.error is None


class Unstarted:
    """A thread that runs when the test says so."""

    def __init__(self, thread: threading.Thread) -> None:
        self.run = thread.run

    def start(self) -> None: ...


def test_what_is_ahead_is_told_at_once_and_a_pause_holds() -> None:
    clock, seen = Clock(), Seen()
    plays: list[int] = []
    replay = Replay(
        made(), [seen], ahead=1.0, told=lambda: plays.append(len(seen.times)), clock=clock, sleep=clock.sleep
    )
    told: list[int] = []
    clock.on_sleep = [
        lambda: (told.append(len(seen.times)), replay.pause()),
        *[lambda: None] * 30,
        lambda: (told.append(len(seen.times)), replay.resume(), replay.skip(10)),
    ]
    replay._thread = Unstarted(replay._thread)  # type: ignore[assignment]
    replay.start()
    assert plays == [3], "nobody sees the page jump: what is ahead is told before the lesson plays"
    replay._thread.run()
    assert told[0] == told[1] == 3 and len(seen.times) == 6 and plays == [3]


def test_a_sink_that_fails_ends_the_replay_and_is_named() -> None:
    class Broken(Seen):
        def write(self, result: FrameResult, frame: Frame) -> None:
            super().write(result, frame)
            if result.time >= 0.5:
                raise StoreError("full")

    clock = Clock()
    replay = Replay(made(), [Broken()], clock=clock, sleep=clock.sleep)
    replay.start()
    replay._thread.join(5)
    assert isinstance(replay.error, StoreError) and not replay.running
    with pytest.raises(StoreError):
        Replay(made(), [Broken()], ahead=1.0, clock=clock, sleep=clock.sleep).start()
