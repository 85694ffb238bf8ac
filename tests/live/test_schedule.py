"""The rules of the schedule: what is dropped and what not, in which order, how a run ends. No camera, no sleeping."""

from __future__ import annotations

import _thread
import signal
import threading
from collections.abc import Iterator
from contextlib import closing
from itertools import islice

import pytest
from live_fakes import FakeStudents
from schedule_fakes import PATIENCE, HandEyes, HandSource, Keeper, Script, captured, loop_of, our_threads

from fewshot.errors import FewshotError, SourceError, UsageError
from fewshot.live.pipeline import Pipeline, Schedule
from fewshot.live.play import play
from fewshot.live.sinks.base import OutputError, Stop

CREWS = pytest.mark.parametrize("workers", [1, 2, 3])


@pytest.fixture(autouse=True)
def no_thread_is_left():
    yield
    assert our_threads() == []


def indices(steps) -> list[int]:
    return [step.result.index for step in steps]


@CREWS
@pytest.mark.parametrize("frames", [0, 1, 2, 40])
def test_a_file_loses_no_frame_and_keeps_the_order(workers: int, frames: int) -> None:
    source, keeper = Script([captured(k) for k in range(frames)]), Keeper()
    pipeline = Pipeline(loop_of(HandEyes()), source, [keeper], Schedule(workers))
    assert indices(pipeline.run()) == keeper.seen == list(range(frames))
    snap = pipeline.metrics.snapshot()
    assert (snap.captured, snap.processed, snap.recorded, snap.state) == (frames, frames, frames, "ended")
    assert sum(snap.dropped.values()) == 0 and source.closed == 1 and not pipeline.running


def test_results_keep_the_order_although_frames_are_done_out_of_order() -> None:
    second_is_done = threading.Event()

    def before(value: int) -> None:
        if value == 0:
            assert second_is_done.wait(PATIENCE)
        if value == 1:
            second_is_done.set()

    eyes = HandEyes(before)
    steps = list(Pipeline(loop_of(eyes), Script([captured(k) for k in range(6)]), schedule=Schedule(2)).run())
    assert indices(steps) == list(range(6))
    assert {step.result.readings[0].track for step in steps} == {0}


@CREWS
def test_side_by_side_gives_what_one_after_the_other_gives(workers: int) -> None:
    taken = [captured(k) for k in range(30)]
    alone = loop_of(HandEyes(count=3), students=FakeStudents())
    together = loop_of(HandEyes(count=3), students=FakeStudents())
    expected = [step.result for step in alone.run(Script(taken))]
    assert [step.result for step in Pipeline(together, Script(taken), schedule=Schedule(workers)).run()] == expected


@CREWS
def test_a_slow_reader_of_a_file_stops_the_decoder(workers: int) -> None:
    source = Script([captured(k) for k in range(1000)])
    with closing(Pipeline(loop_of(HandEyes()), source, schedule=Schedule(workers)).run()) as steps:
        assert indices(islice(steps, 3)) == [0, 1, 2]
        # Nobody fetches more: the run fills its queues, and no more than these are ever held.
        assert source.read <= 3 + 1 + workers + 2 + 2


def test_live_the_latest_frame_wins_and_drops_are_counted() -> None:
    looking, go = threading.Event(), threading.Event()

    def before(value: int) -> None:
        looking.set()
        assert go.wait(PATIENCE)

    source, eyes, keeper = HandSource(), HandEyes(before), Keeper()
    with Pipeline(loop_of(eyes), source, [keeper], Schedule(1)) as pipeline:
        source.give(captured(0))
        assert looking.wait(PATIENCE)
        source.give(*(captured(k) for k in range(1, 6)))  # while the eyes are on 0: the camera is never made to wait
        go.set()
        source.give(None)
        while pipeline.running:
            threading.Event().wait(0.001)
    assert eyes.looked == keeper.seen == [0, 5]
    snap = pipeline.metrics.snapshot()
    assert (snap.captured, snap.processed, snap.dropped["find"]) == (6, 2, 4)
    assert pipeline.latest().result.index == 5


def test_a_slow_viewer_of_a_live_source_sees_the_newest_and_recorders_get_all() -> None:
    written = threading.Semaphore(0)
    source, keeper = HandSource(), Keeper(lambda index: written.release())
    pipeline = Pipeline(loop_of(HandEyes()), source, [keeper], Schedule(1))
    with closing(pipeline.run()) as steps:
        seen = []
        for index in range(6):
            if index == 0:
                feeder = threading.Thread(target=source.give, args=(captured(0),))
                feeder.start()
                seen += indices([next(steps)])
                feeder.join()
            else:
                source.give(captured(index))
            assert written.acquire(timeout=PATIENCE)
        while len(seen) < 2:
            seen += indices([next(steps)])
    assert seen[0] == 0 and keeper.seen == list(range(6))
    assert seen[1] >= 4 and pipeline.metrics.snapshot().dropped["show"] >= 3


def test_a_slow_recorder_holds_up_the_work_but_never_the_camera() -> None:
    go = threading.Event()
    source, keeper = HandSource(), Keeper(lambda index: go.wait(PATIENCE))
    with Pipeline(loop_of(HandEyes()), source, [keeper], Schedule(1)) as pipeline:
        source.give(*(captured(k) for k in range(100)))  # all are taken over though nothing is written yet
        assert keeper.seen == [] and pipeline.metrics.snapshot().processed < 10
        go.set()
    assert keeper.seen == sorted(keeper.seen) and len(keeper.seen) == pipeline.metrics.recorded()
    assert pipeline.metrics.processed() == pipeline.metrics.recorded() < 10


@pytest.mark.parametrize(
    ("fps", "camera", "kept"),
    [
        (10, [], []),
        (10, [0.0], [0]),
        (10, [k / 30 for k in range(12)], [0, 3, 6, 9]),
        (20, [k / 30 for k in range(10)], [0, 2, 3, 5, 6, 8, 9]),
        (50, [k / 30 for k in range(5)], [0, 1, 2, 3, 4]),
        (1, [0, 0.5, 1.02, 1.5, 1.98, 9.7, 10.1, 10.71], [0, 2, 4, 5, 7]),
        (10, [100.0, 100.03, 3.0, 3.03, 3.11], [0, 2, 4]),  # the clock was set back
        (10, [0.0, float("nan"), 0.1, 0.2, 0.3], [0, 1, 2, 3, 4]),
    ],
)
def test_a_live_source_is_read_at_most_so_often(fps: float, camera: list[float], kept: list[int]) -> None:
    source, keeper = HandSource(), Keeper()
    done = threading.Semaphore(0)
    with Pipeline(
        loop_of(HandEyes()), source, [Keeper(lambda index: done.release()), keeper], Schedule(1, fps=fps)
    ) as run:
        for index, time in enumerate(camera):
            source.give(captured(index, time))
            if index in kept:
                assert done.acquire(timeout=PATIENCE)
    assert keeper.seen == kept
    assert run.metrics.snapshot().dropped.get("fps", 0) == len(camera) - len(kept)


def test_a_file_is_read_whole_whatever_the_rate() -> None:
    steps = Pipeline(
        loop_of(HandEyes()), Script([captured(k, k / 100) for k in range(30)]), schedule=Schedule(fps=1)
    ).run()
    assert indices(steps) == list(range(30))


@CREWS
@pytest.mark.parametrize("live", [False, True])
def test_who_stops_early_leaves_nothing_running(workers: int, live: bool) -> None:
    source = Script([captured(k) for k in range(500)], live=live)
    steps = Pipeline(loop_of(HandEyes()), source, [Keeper()], Schedule(workers)).run()
    next(steps)
    steps.close()
    assert our_threads() == [] and source.closed == 1


def test_a_pipeline_that_was_never_started_stops_too() -> None:
    source = Script([])
    assert list(Pipeline(loop_of(HandEyes()), source).run()) == [] and source.closed == 1


class Blind(HandEyes):
    """Fails at one frame, in one of its calls."""

    def __init__(self, call: str, at: int, error: BaseException) -> None:
        super().__init__()
        self._call, self._at, self._error = call, at, error

    def find(self, frame):
        self._fail("find", int(frame[0, 0, 0]))
        return super().find(frame)

    def embed(self, faces):
        self._fail("embed", len(self.embedded))
        super().embed(faces)

    def identify(self, frame, faces):
        self._fail("identify", len(self.identified))
        super().identify(frame, faces)

    def _fail(self, call: str, number: int) -> None:
        if (call, number) == (self._call, self._at):
            raise self._error


class Curious(FakeStudents):
    """Wants to know who everybody is, in every frame."""

    def wanted(self, tracks, faces, time):
        return list(range(len(faces)))


@CREWS
@pytest.mark.parametrize("call", ["find", "identify"])
@pytest.mark.parametrize("error", [RuntimeError("net"), MemoryError(), KeyboardInterrupt()])
def test_a_stage_that_fails_ends_the_run_after_the_results_before_it(
    workers: int, call: str, error: BaseException
) -> None:
    source, keeper = Script([captured(k) for k in range(200)]), Keeper()
    pipeline = Pipeline(loop_of(Blind(call, 7, error), students=Curious()), source, [keeper], Schedule(workers))
    seen = []
    with pytest.raises(type(error)) as caught:
        seen.extend(indices([step]) for step in pipeline.run())
    assert caught.value is error is pipeline.error
    assert [index for (index,) in seen] == keeper.seen == list(range(7))
    assert source.closed == 1 and pipeline.metrics.snapshot().state == "failed"


def test_a_failing_embedding_ends_the_run() -> None:
    source = Script([captured(k) for k in range(200)])
    with pytest.raises(RuntimeError, match="net"):
        list(Pipeline(loop_of(Blind("embed", 5, RuntimeError("net"))), source, schedule=Schedule(2)).run())
    assert source.closed == 1


@CREWS
def test_a_source_that_fails_is_read_to_that_point(workers: int) -> None:
    source, keeper = Script([captured(k) for k in range(5)], error=SourceError("gone")), Keeper()
    with pytest.raises(SourceError, match="gone"):
        list(Pipeline(loop_of(HandEyes()), source, [keeper], Schedule(workers)).run())
    assert keeper.seen == list(range(5)) and source.closed == 1


def test_a_source_that_cannot_be_closed_is_an_error() -> None:
    class Stuck(Script):
        def close(self) -> None:
            raise SourceError("stuck")

    with pytest.raises(SourceError, match="stuck"):
        list(Pipeline(loop_of(HandEyes()), Stuck([captured(0)])).run())


@CREWS
def test_a_recorder_that_fails_ends_the_run(workers: int) -> None:
    def full(index: int) -> None:
        if index == 3:
            raise OutputError("the disk is full")

    first, second = Keeper(), Keeper(full)
    source = Script([captured(k) for k in range(200)])
    with pytest.raises(OutputError, match="full"):
        list(Pipeline(loop_of(HandEyes()), source, [first, second], Schedule(workers)).run())
    assert (first.seen, second.seen) == ([0, 1, 2, 3], [0, 1, 2]) and source.closed == 1


def test_polling_raises_the_error_on_leaving() -> None:
    with (
        pytest.raises(RuntimeError, match="net"),
        Pipeline(loop_of(Blind("find", 0, RuntimeError("net"))), Script([captured(0)])) as run,
    ):
        while run.running:
            threading.Event().wait(0.001)
        assert isinstance(run.error, RuntimeError) and run.latest() is None


def test_an_error_of_ones_own_comes_through() -> None:
    source = HandSource()
    with pytest.raises(ZeroDivisionError), Pipeline(loop_of(HandEyes()), source):
        raise ZeroDivisionError
    assert source.closed == 1


def test_stop_from_another_thread_ends_the_iteration() -> None:
    source = HandSource()
    pipeline = Pipeline(loop_of(HandEyes()), source)
    stopper = threading.Thread(target=lambda: (source.ask(), pipeline.stop()))
    stopper.start()
    assert list(pipeline.run()) == []
    stopper.join(PATIENCE)
    pipeline.stop()
    assert source.closed == 1 and pipeline.metrics.snapshot().state == "ended"


def test_pause_throws_away_what_a_camera_sees() -> None:
    done = threading.Semaphore(0)
    source, keeper = HandSource(), Keeper(lambda index: done.release())
    with Pipeline(loop_of(HandEyes()), source, [keeper], Schedule(1)) as pipeline:
        source.give(captured(0))
        assert done.acquire(timeout=PATIENCE)
        pipeline.pause()
        assert pipeline.metrics.snapshot().state == "paused"
        source.give(captured(1), captured(2))
        pipeline.resume()
        source.give(captured(3))
        assert done.acquire(timeout=PATIENCE)
        assert pipeline.metrics.snapshot().state == "running"
    assert keeper.seen == [0, 3]


def test_a_paused_file_waits_and_can_be_stopped() -> None:
    source, keeper = Script([captured(k) for k in range(20)]), Keeper()
    pipeline = Pipeline(loop_of(HandEyes()), source, [keeper])
    pipeline.pause()
    pipeline.start()
    assert keeper.seen == []
    pipeline.resume()
    while pipeline.running:
        threading.Event().wait(0.001)
    pipeline.stop()
    assert keeper.seen == list(range(20))
    halted = Pipeline(loop_of(HandEyes()), Script([captured(k) for k in range(20)]))
    halted.pause()
    halted.start()
    halted.stop()


class Watcher(Keeper):
    """A sink that somebody looks at."""

    display = True

    def __init__(self, close_at: int | None = None, idle_stop: bool = False) -> None:
        super().__init__()
        self._close_at, self._idle_stop, self.idled = close_at, idle_stop, 0

    def write(self, result, frame) -> None:
        super().write(result, frame)
        if result.index == self._close_at:
            raise Stop

    def idle(self) -> None:
        self.idled += 1
        if self._idle_stop:
            raise Stop


def test_windows_live_in_the_main_thread_and_recorders_in_theirs() -> None:
    window, keeper = Watcher(), Keeper()
    outcome = play(loop_of(HandEyes()), [Script([captured(k) for k in range(9)])], [window, keeper])
    assert window.threads == {threading.current_thread().name} and keeper.threads == {"fewshot recording"}
    assert window.seen == keeper.seen == list(range(9)) and (window.closed, keeper.closed) == (1, 1)
    assert outcome.frames == 9 and not outcome.stopped


def test_closing_the_window_ends_the_run() -> None:
    window, keeper = Watcher(close_at=4), Keeper()
    outcome = play(loop_of(HandEyes()), [Script([captured(k) for k in range(500)])] * 2, [keeper, window])
    assert outcome.stopped and keeper.seen[:5] == list(range(5)) and outcome.frames == len(keeper.seen) < 20


def test_a_window_can_be_closed_while_no_frame_comes() -> None:
    window, source = Watcher(idle_stop=True), HandSource()
    assert play(loop_of(HandEyes()), [source], [window]).stopped
    assert window.idled == 1 and source.closed == 1


def test_a_window_that_fails_ends_the_run() -> None:
    class Broken(Watcher):
        def write(self, result, frame) -> None:
            raise OSError(5, "no display any more")

    keeper = Keeper()
    with pytest.raises(FewshotError, match="no display any more"):
        play(loop_of(HandEyes()), [Script([captured(k) for k in range(50)])], [Broken(), keeper])
    assert keeper.closed == 1


@pytest.fixture
def sigint() -> Iterator[None]:
    """Python's own handler: a library that an earlier test used may have left another."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("sigint")
def test_ctrl_c_while_no_frame_comes_ends_the_run() -> None:
    done = threading.Event()
    source, keeper = HandSource(), Keeper(lambda index: done.set())

    def press() -> None:
        source.give(captured(0))
        assert done.wait(PATIENCE)
        _thread.interrupt_main()

    finger = threading.Thread(target=press)
    finger.start()
    outcome = play(loop_of(HandEyes()), [source], [keeper])
    finger.join(PATIENCE)
    assert outcome.stopped and outcome.frames == 1 and keeper.closed == source.closed == 1


class Interrupted(threading.Thread):
    """Ctrl-C comes while this thread is being started, or just after."""

    late = False

    def start(self) -> None:
        if self.late:
            super().start()
        raise KeyboardInterrupt


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("part", ["intake", "recording", "worker 0", "worker 1"])
@pytest.mark.parametrize("way", ["run", "with", "play"])
def test_ctrl_c_while_it_starts_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch, way: str, part: str, late: bool
) -> None:
    source, keeper = Script([captured(k) for k in range(50)]), Keeper()
    monkeypatch.setattr(Interrupted, "late", late)

    def make(*args, name: str, **options):
        kind = Interrupted if part in name else threading.Thread
        return kind(*args, name=name, **options)

    for module in ("intake", "recording", "pipeline"):
        fake = type("threading", (), {**vars(threading), "Thread": staticmethod(make)})
        monkeypatch.setattr(f"fewshot.live.{module}.threading", fake)
    if way == "play":
        assert play(loop_of(HandEyes()), [source], [keeper], schedule=Schedule(2)).stopped and keeper.closed == 1
    else:
        pipeline = Pipeline(loop_of(HandEyes()), source, [keeper], Schedule(2))
        with pytest.raises(KeyboardInterrupt):
            if way == "run":
                list(pipeline.run())
            with pipeline:
                pytest.fail("started")
    assert source.closed == 1 and our_threads() == []


@pytest.mark.parametrize("step", ["_intake.stop", "_wait_for_workers", "_recording.finish"])
def test_ctrl_c_while_it_stops_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    source, keeper = Script([captured(k) for k in range(500)]), Keeper()
    pipeline = Pipeline(loop_of(HandEyes()), source, [keeper], Schedule(2))
    part, _, name = step.rpartition(".")
    owner = getattr(pipeline, part) if part else pipeline
    real = getattr(owner, name)

    def interrupted() -> None:
        real()
        raise KeyboardInterrupt

    monkeypatch.setattr(owner, name, interrupted)
    steps = pipeline.run()
    next(steps)
    with pytest.raises(KeyboardInterrupt):
        steps.close()
    assert source.closed == 1 and our_threads() == [] and pipeline.metrics.state == "ended"


def test_ctrl_c_before_it_begins_closes_the_source() -> None:
    def interrupt(pipeline: Pipeline) -> None:
        raise KeyboardInterrupt

    source, keeper = Script([captured(0)]), Keeper()
    assert play(loop_of(HandEyes()), [source], [keeper], on_begin=interrupt).stopped
    assert source.closed == keeper.closed == 1


@pytest.mark.parametrize("plan", [{"workers": 0}, {"workers": -1}, {"fps": 0}, {"fps": -3}, {"fps": float("nan")}])
def test_impossible_plans(plan: dict) -> None:
    with pytest.raises(UsageError):
        Schedule(**plan)
