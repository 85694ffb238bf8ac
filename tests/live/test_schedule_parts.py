"""What the schedule is made of: queues, turnstile, budget, steady time."""

from __future__ import annotations

import math
import threading

import numpy as np
import pytest
from live_fakes import FakeStudents
from schedule_fakes import PATIENCE, HandEyes, Script, captured, loop_of

from fewshot.errors import UsageError
from fewshot.live.budget import HEAD_START, Cost, Rota
from fewshot.live.channel import Channel, Closed, Turnstile
from fewshot.live.steady_clock import SteadyClock


@pytest.mark.parametrize(
    ("size", "put", "left", "dropped"), [(1, 0, [], 0), (1, 1, [0], 0), (1, 5, [4], 4), (3, 5, [2, 3, 4], 2)]
)
def test_a_live_channel_keeps_the_newest(size: int, put: int, left: list[int], dropped: int) -> None:
    channel: Channel[int] = Channel(size, newest=True)
    for item in range(put):
        channel.put(item)
    channel.finish()
    assert len(channel) == len(left) and channel.dropped == dropped
    assert [channel.get() for _ in left] == left
    with pytest.raises(Closed):
        channel.get()


def test_a_files_channel_waits_for_room() -> None:
    channel: Channel[int] = Channel(2)
    feeder = threading.Thread(target=lambda: [channel.put(item) for item in range(50)])
    feeder.start()
    taken = [channel.get() for _ in range(50)]
    feeder.join(PATIENCE)
    assert taken == list(range(50)) and channel.dropped == 0
    assert channel.get(patience=0) is None


@pytest.mark.parametrize("end", ["finish", "close"])
def test_whoever_waits_at_a_channel_is_let_go(end: str) -> None:
    full, empty = Channel[int](1), Channel[int](1)
    full.put(1)
    ended = []

    def wait(what) -> None:
        with pytest.raises(Closed):
            what()
        ended.append(True)

    threads = [threading.Thread(target=wait, args=(call,)) for call in (lambda: full.put(2), empty.get)]
    for thread in threads:
        thread.start()
    for channel in (full, empty):
        getattr(channel, end)()
    for thread in threads:
        thread.join(PATIENCE)
    assert ended == [True, True]
    assert len(full) == (1 if end == "finish" else 0)


def test_the_turnstile_keeps_the_order_of_tickets() -> None:
    gate, order = Turnstile(), []

    def pass_through(ticket: int) -> None:
        with gate.turn(ticket):
            order.append(ticket)

    threads = [threading.Thread(target=pass_through, args=(ticket,)) for ticket in reversed(range(8))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert order == list(range(8))


def test_nobody_comes_after_a_turn_that_failed() -> None:
    gate = Turnstile()
    with pytest.raises(ZeroDivisionError), gate.turn(0):
        raise ZeroDivisionError
    gate.close()
    with pytest.raises(Closed), gate.turn(1):
        pytest.fail("passed")


@pytest.mark.parametrize(
    ("faces", "places"), [(0, 3), (1, 1), (5, 5), (7, 3), (49, 10), (49, 1), (120, 48), (10, 9), (3, 100)]
)
def test_every_face_has_its_turn_in_time(faces: int, places: int) -> None:
    rota, keys = Rota(), list(range(faces))
    turns = math.ceil(faces / places)
    history = [rota.choose(keys, places) for _ in range(4 * turns + 1)]
    assert all(len(chosen) == min(faces, places) for chosen in history)
    for start in range(len(history) - turns + 1):
        assert {key for chosen in history[start : start + turns] for key in chosen} == set(keys)


def test_new_faces_come_first() -> None:
    rota = Rota()
    for _ in range(5):
        rota.choose([1, 2, 3, 4], 2)
    assert rota.choose([1, 2, 3, 4, 9], 2)[-1] == 4  # index of track 9
    rota.hurry(1)
    assert 0 in rota.choose([1, 2, 3, 4, 9], 1)


def test_new_faces_in_every_frame_do_not_starve_the_others() -> None:
    rota, last = Rota(), {1: 0, 2: 0, 3: 0}
    for turn in range(1, 500):
        keys = [1, 2, 3, 1000 + turn]
        for index in rota.choose(keys, 1):
            if keys[index] in last:
                last[keys[index]] = turn
        rota.forget(keys)
        assert all(turn - seen <= HEAD_START + 4 for seen in last.values())


@pytest.mark.parametrize(
    ("measured", "budget", "faces", "places"),
    [
        ([], 0.01, 0, 0),
        ([], 0.01, 49, 49),
        ([(10, 0.010)], None, 49, 49),
        ([(10, 0.010)], 0.02, 49, 20),
        ([(10, 0.010)], 0.02, 5, 5),
        ([(10, 0.010)], 0.0001, 5, 1),
        ([(0, 0.5), (10, 0.010), (0, 1.0)], 0.02, 49, 20),
        ([(1, 0.100)] + [(10, 0.010)] * 60, 0.0201, 49, 20),
    ],
)
def test_how_many_faces_fit_into_the_budget(measured: list, budget: float | None, faces: int, places: int) -> None:
    cost = Cost()
    for count, seconds in measured:
        cost.learn(count, seconds)
    assert cost.affordable(budget, faces) == places


class SlowEyes(HandEyes):
    """A face costs a millisecond by the clock that the loop is given."""

    def __init__(self, count: int, now: list[float]) -> None:
        super().__init__(count=count)
        self._now = now

    def embed(self, faces) -> None:
        super().embed(faces)
        self._now[0] += 0.001 * len(faces)

    def identify(self, frame, faces) -> None:
        super().identify(frame, faces)
        self._now[0] += 0.010 * len(faces)


class Curious(FakeStudents):
    """Wants to know who everybody is, in every frame."""

    def wanted(self, tracks, faces, time):
        return list(range(len(faces)))


@pytest.mark.parametrize(
    ("faces", "milliseconds", "places"), [(3, 9.0, 3), (12, 5.05, 5), (49, 10.05, 10), (4, 0.1, 1)]
)
def test_the_loop_keeps_to_its_budget_and_is_fair(
    monkeypatch: pytest.MonkeyPatch, faces: int, milliseconds: float, places: int
) -> None:
    now = [0.0]
    monkeypatch.setattr("fewshot.live.loop.perf_counter", lambda: now[0])
    eyes = SlowEyes(faces, now)
    loop = loop_of(eyes, students=Curious(), budget=milliseconds / 1000)
    turns = math.ceil(faces / places)
    steps = list(loop.run(Script([captured(k, size=(3100, 48)) for k in range(3 * turns + 2)])))
    assert len(eyes.embedded[0]) == faces  # what a face costs is not known yet
    assert {len(chosen) for chosen in eyes.embedded[1:]} == {min(places, faces)}
    for start in range(1, len(eyes.embedded) - turns + 1):
        assert len({x for chosen in eyes.embedded[start : start + turns] for x in chosen}) == faces
    ages = np.array([[reading.age for reading in step.result.readings] for step in steps])
    assert ages.max() <= 0.1 * (turns + 1) + 1e-6 and (ages[1:] == 0).sum(axis=1).tolist() == [min(places, faces)] * (
        len(steps) - 1
    )
    assert all(reading.emotion == "happy" for step in steps for reading in step.result.readings)
    assert eyes.identified[0] == faces and set(eyes.identified[1:]) == {max(1, min(faces, int(milliseconds / 10)))}


def test_without_a_budget_everything_is_embedded() -> None:
    eyes = HandEyes(count=49)
    list(loop_of(eyes).run(Script([captured(k) for k in range(3)])))
    assert [len(chosen) for chosen in eyes.embedded] == [49] * 3


@pytest.mark.parametrize("budget", [0, -0.01, float("nan")])
def test_impossible_budgets(budget: float) -> None:
    with pytest.raises(UsageError):
        loop_of(HandEyes(), budget=budget)


@pytest.mark.parametrize(
    ("stamps", "times"),
    [
        ([], []),
        ([3.5], [3.5]),
        ([0, 0.1, 0.2], [0, 0.1, 0.2]),
        ([5, 5, 5], [5, 5.04, 5.08]),
        ([10, 10.04, 2, 2.04], [10, 10.04, 10.08, 10.12]),
        ([0, 0.04, 3600, 3600.04], [0, 0.04, 3600, 3600.04]),
        ([0, 0.04, 3600, 0.08, 0.12], [0, 0.04, 3600, 3600.04, 3600.08]),
        ([0, float("nan"), 0.08], [0, 0.04, 0.08]),
        ([float("inf"), 0.04], [0, 0.04]),
    ],
)
def test_time_never_runs_backwards(stamps: list[float], times: list[float]) -> None:
    clock = SteadyClock()
    assert [clock.tell(stamp) for stamp in stamps] == pytest.approx(times)
