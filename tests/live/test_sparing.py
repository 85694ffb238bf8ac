"""Sparing the computer: how often a source is looked at, resting in between, backing off, and priority."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from live_fakes import blank
from schedule_fakes import HandEyes, Script, captured, loop_of

from fewshot.commands.run_options import Pace
from fewshot.commands.speed import Speed
from fewshot.errors import UsageError
from fewshot.live.intake import Intake
from fewshot.live.metrics import Metrics
from fewshot.live.pipeline import Pipeline, Schedule
from fewshot.live.sources import CapturedFrame
from fewshot.live.sources.lasting import LastingSource
from fewshot.live.sparing import BackOff, lower_priority, usual_rate


@pytest.mark.parametrize(
    ("name", "live", "rate"),
    [("screen", True, 8.0), ("screen:0,0,64,48", True, 8.0), ("camera 0", True, 15.0), ("screen.mp4", False, None)],
)
def test_the_usual_rate(name: str, live: bool, rate: float | None) -> None:
    assert usual_rate(SimpleNamespace(name=name, live=live)) == rate


def test_another_rate_can_be_set_for_screens_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEWSHOT_FPS", " 2.5 ")
    assert usual_rate(SimpleNamespace(name="screen", live=True)) == 2.5
    assert usual_rate(SimpleNamespace(name="camera 0", live=True)) == 15.0


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "often"])
def test_an_impossible_rate_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEWSHOT_FPS", text)
    with pytest.raises(UsageError, match="FEWSHOT_FPS"):
        usual_rate(SimpleNamespace(name="screen", live=True))


def test_a_rate_that_was_named_is_kept_on_a_busy_machine() -> None:
    screen = SimpleNamespace(name="screen", live=True)
    assert Pace(fps=3).schedule_for(screen) == Schedule(fps=3)
    assert Pace().schedule_for(screen) == Schedule(fps=8, gives_way=True)


@pytest.mark.parametrize(
    ("option", "environment", "changed"),
    [
        (None, "", False),
        (None, "all", False),
        (None, "changed", True),
        ("all", "changed", False),
        ("changed", "", True),
    ],
)
def test_every_face_is_embedded_unless_asked_otherwise(
    option: str | None, environment: str, changed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FEWSHOT_EMBED", environment)
    assert Pace(embed=option).only_changed() is changed


def test_an_unknown_choice_of_faces_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEWSHOT_EMBED", "some")
    with pytest.raises(UsageError, match="FEWSHOT_EMBED"):
        Pace().only_changed()


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_busy_machine_makes_the_pause_longer_and_an_idle_one_shorter_again() -> None:
    clock, use = Clock(), [0.0]
    back_off = BackOff(lambda: use[0], clock)
    use[0] = 100.0
    assert back_off.update() == 1.0  # it has not measured for long enough
    factors = []
    for second in range(2, 22, 2):
        clock.now = second
        factors.append(back_off.update())
    assert factors[0] == pytest.approx(1.4) and factors[-1] == 4.0 and factors == sorted(factors)
    use[0] = 80.0  # neither busy nor idle
    clock.now = 30
    assert back_off.update() == 4.0
    use[0] = 10.0
    for second in range(40, 60, 2):
        clock.now = second
        back_off.update()
    assert back_off.factor == 1.0


@pytest.mark.parametrize("text", ["-1", "20", "low", "1.5"])
def test_an_impossible_priority_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEWSHOT_NICE", text)
    with pytest.raises(UsageError, match="FEWSHOT_NICE"):
        lower_priority()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no nice values")
def test_the_priority_is_lowered_once() -> None:
    code = (
        "import os; from fewshot.live.sparing import lower_priority as low; before = os.nice(0);"
        "print(low(), os.nice(0) - before, low(), os.nice(0) - before, before)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=_clean())
    first, once, second, twice, before = done.stdout.split()
    assert (first, second) == ("True", "True") and once == twice == str(max(0, 5 - int(before)))


def _clean() -> dict[str, str]:
    import os

    return {name: value for name, value in os.environ.items() if name != "FEWSHOT_NICE"}


class Screen(Script):
    """Has a newest frame whenever it is asked; what nobody asked for in between is dropped."""

    gives_newest = True

    def __init__(self, clock: Clock, frames: int, rested: list[float]) -> None:
        super().__init__([], live=True)
        self._clock, self._count, self._rested = clock, frames, rested
        self.left_out: list[float] = []

    def leave_out(self, seconds: float) -> None:
        self.left_out.append(seconds)

    def __iter__(self) -> Iterator[CapturedFrame]:
        for index in range(self._count):
            yield CapturedFrame("film", index, self._clock.now, blank())


def test_a_source_with_a_newest_frame_is_left_alone_between_two_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, rested = Clock(), []
    monkeypatch.setattr("fewshot.live.intake.perf_counter", clock)
    screen, metrics = Screen(clock, 5, rested), Metrics("film", True)
    intake = Intake(screen, metrics, 8.0, 2, lambda note: None)

    def rest(seconds: float) -> None:
        rested.append(seconds)
        clock.now += 0.125
        screen.dropped += 3

    monkeypatch.setattr(intake._over, "wait", rest)
    intake._read_all()
    assert rested == pytest.approx([0.9 / 8] * 5)
    dropped = metrics.snapshot().dropped
    assert dropped["fps"] == 15 and dropped["capture"] == 0  # left out on request, not for lack of time


def test_a_source_hears_which_frames_would_come_too_early(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr("fewshot.live.intake.perf_counter", clock)
    screen = Screen(clock, 3, [])
    intake = Intake(LastingSource(screen, lambda: screen), Metrics("film", True), 10.0, 2, lambda note: None)
    late = iter((0.15, 0.1, 0.1))

    def rest(seconds: float) -> None:
        clock.now += next(late)

    monkeypatch.setattr(intake._over, "wait", rest)
    begin = clock.now
    intake._read_all()
    assert clock.now == pytest.approx(begin + 0.35)
    # The second frame came 0.05 s late: the third was due 0.05 s after it, and a hundredth earlier is early enough.
    assert screen.left_out == pytest.approx([0.09, 0.04, 0.04])


def test_a_source_that_must_be_read_without_a_pause_is_not_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    intake = Intake(Script([captured(0), captured(9)], live=True), Metrics("film", True), 8.0, 2, lambda note: None)
    monkeypatch.setattr(intake._over, "wait", lambda seconds: pytest.fail("it rested"))
    intake._read_all()


def test_a_pause_does_not_hold_up_the_end() -> None:
    screen = Screen(Clock(), 3, [])
    with Pipeline(loop_of(HandEyes()), screen, schedule=Schedule(1, fps=0.01)) as run:
        while run.latest() is None:
            pass
    assert screen.closed == 1


@pytest.mark.parametrize("newest", [True, False])
def test_a_lasting_source_is_as_the_source_that_is_open(newest: bool) -> None:
    inner = SimpleNamespace(name="screen", fps=20.0, gives_newest=newest)
    assert LastingSource(inner, lambda: inner).gives_newest is newest


@pytest.mark.parametrize(("cores", "advice"), [(2, "FEWSHOT_FPS=3"), (16, "")])
def test_the_doctor_says_what_this_machine_can_do(cores: int, advice: str) -> None:
    speed = Speed(find=150.0, embed=150.0, cores=cores)
    assert f"on one of {cores} cores" in str(speed) and f"{8 * 0.3 / cores:.0%}" in str(speed)
    assert advice in speed.advice and bool(speed.advice) == bool(advice)
