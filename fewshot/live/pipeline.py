"""The loop side by side: reading, seeing and recording each go on while the others work."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from time import perf_counter
from types import TracebackType

import cv2

from fewshot.errors import UsageError
from fewshot.live.channel import TICK, Channel, Closed, Turnstile
from fewshot.live.intake import Arrival, Intake
from fewshot.live.loop import Loop, Step
from fewshot.live.metrics import Metrics
from fewshot.live.recording import Recording
from fewshot.live.sinks.base import Sink, Stop
from fewshot.live.sources.base import Source


@dataclass(frozen=True, slots=True)
class Schedule:
    """How the work is shared out.

    Attributes:
        workers: frames that are worked on at once, each by one thread from first to last. None: one a core, at most
            two: more gave no better latency in any measurement (docs/explanation/schedule.md).
        fps: frames a second of a live source that are looked at, at most. None: as many as there is time for.
        ahead: frames of a file that are decoded ahead.
    """

    workers: int | None = None
    fps: float | None = None
    ahead: int = 2

    def __post_init__(self) -> None:
        if self.workers is not None and self.workers < 1:
            raise UsageError(f"{self.workers} workers can do nothing. Give 1 or more.")
        if self.fps is not None and not self.fps > 0:
            raise UsageError(f"{self.fps:g} frames a second is impossible. Give a number above 0.")

    def crew(self) -> int:
        """How many workers that makes on this machine."""
        return self.workers or min(2, os.cpu_count() or 1)

    def threads(self) -> int:
        """How many threads each network should have, so that the workers do not fight over the cores."""
        return min(4, max(1, (os.cpu_count() or 1) // self.crew()))


class Pipeline:
    """One run of a loop over one source, in threads; the results are those of ``Loop.run``.

    Live: the newest frame is worked on next, older ones are dropped and counted. File: every frame, in order; whoever
    is too slow makes the others wait. Results come in the order of frames. What any thread raises ends the run, after
    the results before it; then everything is stopped and closed, the source too, and the error is raised where the run
    was started.

    Args:
        loop: not to be used by anybody else meanwhile.
        source: closed at the end, whatever happens.
        recorders: sinks that get every result, in a thread of their own; whoever opened them closes them.
        schedule: how the work is shared out.
        on_note: called, in any thread, with a sentence for the user at the moment something happens.

    Attributes:
        metrics: how the run is doing.
        error: what ended it, if it was not the source's end or ``stop``.
        stopped: a recorder asked for the end.
        notes: sentences for the user so far.

    Examples:
        >>> for result, frame, faces in Pipeline(loop, open_source("lesson.mp4")).run():  # doctest: +SKIP
        ...     print(result.index, len(faces))
        >>> with Pipeline(loop, open_source(0)) as pipeline:  # doctest: +SKIP
        ...     print(pipeline.latest(), pipeline.metrics.snapshot().processed_rate)
    """

    def __init__(
        self,
        loop: Loop,
        source: Source,
        recorders: Sequence[Sink] = (),
        schedule: Schedule | None = None,
        on_note: Callable[[str], None] | None = None,
    ) -> None:
        self.error: BaseException | None = None
        self.stopped = False
        self.notes: list[str] = []
        self._loop, self._source, self._on_note = loop, source, on_note
        schedule = schedule or Schedule()
        self.metrics = Metrics(source.name, source.live, loop.times, lambda: getattr(source, "away", None))
        self._intake = Intake(source, self.metrics, schedule.fps, schedule.ahead, self._tell)
        self._recording = Recording(recorders, self.metrics, self._fail)
        self._results: Channel[Step] | None = None
        self._latest: Step | None = None
        self._taking, self._taken = threading.Lock(), 0
        self._find, self._follow, self._conclude = Turnstile(), Turnstile(), Turnstile()
        self._opencv_threads: int | None = None
        self._ending = threading.Event()
        self._stopping = threading.Lock()
        self._workers = [
            threading.Thread(target=self._work, name=f"fewshot worker {number}", daemon=True)
            for number in range(schedule.crew())
        ]

    def run(self, idle: Callable[[], None] | None = None) -> Iterator[Step]:
        """Start, give the results, stop. File: every one. Live: the newest; those that nobody fetched are skipped.

        Args:
            idle: called now and then while there is no result (a window that wants to be kept alive).

        Raises:
            FewshotError: source, loop or a recorder failed.
        """
        self._results = Channel(1, newest=self._source.live)
        self.metrics.gauge("show", self._results.__len__)
        try:
            self.start()  # in here: Ctrl-C may come while the threads are being started
            while True:
                step = self._results.get(TICK)
                if step is not None:
                    yield step
                elif idle is not None:
                    idle()
        except Closed:
            pass
        finally:
            self.stop()
        if self.error is not None:
            raise self.error

    def start(self) -> None:
        """Start the threads. A pipeline runs once."""
        self._loop.begin()
        self.metrics.become("running")
        if len(self._workers) > 1:
            # OpenCV's own threads would fight with the workers over the cores (docs/explanation/schedule.md).
            self._opencv_threads = cv2.getNumThreads()
            cv2.setNumThreads(1)
        self._recording.start()
        self._intake.start()
        for worker in self._workers:
            worker.start()

    def latest(self) -> Step | None:
        """The newest result; None before the first one. Never waits."""
        return self._latest

    @property
    def running(self) -> bool:
        return not self._ending.is_set()

    def pause(self) -> None:
        """Halt: a live source is read on and its frames are thrown away, a file waits. Tracks are forgotten by time."""
        self._intake.pause()
        self.metrics.become("paused")

    def resume(self) -> None:
        self._intake.resume()
        self.metrics.become("running")

    def stop(self) -> None:
        """End the run; returns when everything is closed and the recorders have written what was processed."""
        self._end()
        with self._stopping, ExitStack() as steps:
            # The last one first; each is done even if Ctrl-C interrupts the one before.
            steps.callback(self._settle)
            steps.callback(self._recording.finish)
            steps.callback(self._wait_for_workers)
            steps.callback(self._intake.stop)

    def _wait_for_workers(self) -> None:
        for worker in self._workers:
            while worker.is_alive():
                worker.join(TICK)

    def _settle(self) -> None:
        if self._opencv_threads is not None:
            cv2.setNumThreads(self._opencv_threads)
            self._opencv_threads = None
        self.error = self.error or self._intake.error
        self.metrics.become("failed" if self.error else "ended")

    def __enter__(self) -> Pipeline:
        try:
            self.start()
        except BaseException:  # Python calls no __exit__ then
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
        if self.error is not None and error is None:
            raise self.error

    def _work(self) -> None:
        try:
            while (taken := self._take()) is not None:
                self._see(*taken)
        except Closed:
            pass
        except BaseException as error:  # whatever it is, it ends the run, in the thread that waits for it
            self._fail(error)

    def _take(self) -> tuple[int, Arrival] | None:
        """The next frame and its ticket; None when there are no more."""
        with self._taking:  # taking a frame and numbering it is one act
            try:
                while not self._ending.is_set():
                    arrival = self._intake.take()
                    if arrival is not None:
                        self._taken += 1
                        return self._taken - 1, arrival
                return None
            except Closed:
                ticket, self._taken = self._taken, self._taken + 1
        with self._conclude.turn(ticket):  # after the frames that others still work on
            self._fail(self._intake.error) if self._intake.error else self._end()
        return None

    def _see(self, ticket: int, arrival: Arrival) -> None:
        try:
            # A frame of a file was decoded ahead and waited for its turn; that of a camera grew old.
            begin = arrival.at if self._source.live else perf_counter()
            with self._find.turn(ticket) if self._loop.in_order else nullcontext():
                seen = self._loop.find(arrival.captured)
            with self._follow.turn(ticket):
                self._loop.follow(seen)
            self._loop.embed(seen)
        except Closed:
            raise
        except BaseException as error:
            with self._conclude.turn(ticket):  # results before this frame are given out first
                self._fail(error)
            return
        with self._conclude.turn(ticket):
            step = self._loop.conclude(seen)
            self.metrics.times.add("latency", perf_counter() - begin)
            self._publish(step)

    def _publish(self, step: Step) -> None:
        self._latest = step
        self.metrics.saw(step)
        self._recording.put(step)
        if self._results is not None:
            self._results.put(step)
            self.metrics.drop("show", self._results.dropped)

    def _tell(self, note: str) -> None:
        self.notes.append(note)
        if self._on_note is not None:
            self._on_note(note)

    def _fail(self, error: BaseException) -> None:
        if isinstance(error, Stop):
            self.stopped = True
        elif self.error is None:
            self.error = error
        self._end()

    def _end(self) -> None:
        """Let nobody wait any more. What was processed is still given out and written."""
        self._ending.set()
        for gate in (self._find, self._follow, self._conclude):
            gate.close()
        if self._results is not None:
            self._results.finish()
