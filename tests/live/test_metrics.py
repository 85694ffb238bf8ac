"""What a run says about itself."""

from __future__ import annotations

import json
import threading

import pytest
from live_fakes import blank, reading, result
from schedule_fakes import HandEyes, Keeper, Script, captured, loop_of

from fewshot.live.interfaces import Step
from fewshot.live.metrics import Metrics, Rate
from fewshot.live.pipeline import Pipeline
from fewshot.live.times import StageTimes


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_run_that_has_not_begun() -> None:
    snap = Metrics("camera 0", True).snapshot()
    assert (snap.state, snap.seconds, snap.captured, snap.processed, snap.faces) == ("starting", 0, 0, 0, 0)
    assert (snap.capture_rate, snap.age_p50, snap.stages, snap.dropped) == (0, 0, {}, {}) and snap.memory_mb > 10
    assert json.loads(json.dumps(snap.as_json(), allow_nan=False))["source"] == "camera 0"


@pytest.mark.parametrize(
    ("times", "then", "rate"),
    [
        ([], 0.0, 0.0),
        ([0.0], 0.0, 0.0),
        ([k / 10 for k in range(20)], 0.0, 10.0),
        ([k / 10 for k in range(200)], 0.05, 10.0),
        ([k / 10 for k in range(11)], 9.0, 1.0),  # it stopped nine seconds ago
        ([0.0, 3.0, 6.0, 9.0], 0.0, 1 / 3),
    ],
)
def test_rates(times: list[float], then: float, rate: float) -> None:
    clock = Clock()
    counter = Rate(clock)
    for number, time in enumerate(times, start=1):
        clock.now = 1000 + time
        counter.add(number)
    clock.now += then
    assert counter.value() == pytest.approx(rate)


def test_ages_and_faces_are_those_of_the_latest_frame() -> None:
    metrics = Metrics()
    metrics.saw(Step(result(*[reading(track=k) for k in range(9)]), blank(), []))
    metrics.saw(
        Step(result(reading(age=0.0), reading(age=0.3), reading(age=0.1), reading(probabilities={})), blank(), [])
    )
    snap = metrics.snapshot()
    assert (snap.processed, snap.faces, snap.embedded, snap.age_p50, snap.age_max) == (2, 4, 1, 0.1, 0.3)


def test_the_clock_stops_when_the_run_ends() -> None:
    clock = Clock()
    metrics = Metrics(clock=clock)
    metrics.become("running")
    clock.now += 5
    metrics.become("paused")
    metrics.become("ended")
    clock.now += 50
    metrics.become("running")
    assert (metrics.snapshot().seconds, metrics.snapshot().state) == (5, "ended")


@pytest.mark.parametrize(
    ("seconds", "last", "expected"),
    [([], None, (0, 0, 0, 0)), ([0.01], None, (10, 10, 10, 1)), ([1.0, 0.01, 0.02, 0.03], 3, (20, 29, 30, 3))],
)
def test_stages_in_milliseconds(seconds: list[float], last: int | None, expected: tuple[float, ...]) -> None:
    times = StageTimes()
    for value in seconds:
        times.add("detect", value)
    row = times.summary("detect", last)
    assert (row.p50_ms, row.p95_ms, row.max_ms, row.frames) == pytest.approx(expected)
    assert times.seconds("detect", 2) == tuple(seconds[-2:])


def test_stages_stand_in_the_order_of_a_frame() -> None:
    times = StageTimes(remember=2)
    for stage in ("total", "embed", "own", "decode", "detect", "detect", "detect"):
        times.add(stage, 0.001)
    assert times.stages[:3] == ("decode", "detect", "embed") and set(times.stages[3:]) == {"total", "own"}
    assert times.summary("detect").frames == 2


def test_anybody_may_look_while_it_runs() -> None:
    pipeline = Pipeline(
        loop_of(HandEyes(count=3)), Script([captured(k, size=(300, 48)) for k in range(100)]), [Keeper()]
    )
    over, faults, looks = threading.Event(), [], []

    def poll() -> None:
        try:
            while not over.wait(0.001):
                looks.append(pipeline.metrics.snapshot())
        except Exception as error:
            faults.append(error)

    poller = threading.Thread(target=poll)
    poller.start()
    list(pipeline.run())
    over.set()
    poller.join(20)
    assert faults == [] and [look.processed for look in looks] == sorted(look.processed for look in looks)
    snap = pipeline.metrics.snapshot()
    assert (snap.processed, snap.recorded, snap.faces, snap.queues) == (
        100,
        100,
        3,
        {"find": 0, "record": 0, "show": 0},
    )
    assert {"decode", "track", "embed", "identify", "classify", "latency", "record"} <= set(snap.stages)
    assert all(row.max_ms >= row.p95_ms >= row.p50_ms >= 0 for row in snap.stages.values())
