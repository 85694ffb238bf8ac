"""Runs the loop in threads: capture, perception and recording work in parallel."""

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
from fewshot.live.spare_core import SpareCore


@dataclass(frozen=True, slots=True)
class Schedule:
    """How the work is divided among threads.

    Attributes:
        workers: number of frames processed at the same time, each by one thread from start to end. None: one per core,
            at most two, because more gave no better latency in any measurement (docs/explanation/schedule.md).
        fps: largest number of frames per second processed of a live source. None: as many as there is time for.
        ahead: number of frames of a file that are decoded ahead.
        gives_way: process fewer frames than ``fps`` while other programs need the machine.

    Raises:
        UsageError: ``workers`` is below 1, or ``fps`` is not above 0.
    """

    workers: int | None = None
    fps: float | None = None
    ahead: int = 2
    gives_way: bool = False

    def __post_init__(self) -> None:
        if self.workers is not None and self.workers < 1:
            raise UsageError(f"The number of workers cannot be {self.workers}. Give 1 or more.")
        if self.fps is not None and not self.fps > 0:
            raise UsageError(f"The frame rate cannot be {self.fps:g} per second. Give a number above 0.")

    def crew(self) -> int:
        """The number of workers on this machine."""
        return self.workers or min(2, os.cpu_count() or 1)

    def threads(self) -> int:
        """The number of threads for each network, so that the workers do not compete for the cores."""
        return min(4, max(1, (os.cpu_count() or 1) // self.crew()))


class Pipeline:
    """One run of a loop over one source, in threads; the results are those of ``Loop.run``.

    Live: the newest frame is processed next; older frames are dropped and counted. File: every frame is processed in
    order; a slow thread makes the others wait. Results come in the order of frames. An error in any thread ends the
    run: the results before it are still given out, then everything is closed, including the source, and the error is
    raised where the run was started.

    Args:
        loop: must not be used elsewhere during the run.
        source: closed at the end, also after an error.
        recorders: sinks that get every result, in their own thread. The caller closes them.
        schedule: how the work is divided among threads.
        on_note: called, in any thread, with a note for the user when something happens.

    Attributes:
        metrics: metrics of the run.
        error: the error that ended the run, if any.
        stopped: whether a recorder ended the run.
        notes: notes for the user so far.

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
        self._intake = Intake(source, self.metrics, schedule.fps, schedule.ahead, self._tell, schedule.gives_way)
        self._recording = Recording(recorders, self.metrics, self._fail)
        self._results: Channel[Step] | None = None
        self._latest: Step | None = None
        self._taking, self._taken = threading.Lock(), 0
        self._find, self._follow, self._conclude = Turnstile(), Turnstile(), Turnstile()
        self._opencv_threads: int | None = None
        self._spare = SpareCore(schedule.crew() if source.live else 1)
        self._ending = threading.Event()
        self._stopping = threading.Lock()
        self._workers = [
            threading.Thread(target=self._work, name=f"fewshot worker {number}", daemon=True)
            for number in range(schedule.crew())
        ]

    def run(self, idle: Callable[[], None] | None = None) -> Iterator[Step]:
        """Start, give out the results, and stop. File: every result. Live: the newest result; others may be skipped.

        Args:
            idle: called regularly while there is no result (a window needs this to stay responsive).

        Raises:
            FewshotError: the source, the loop or a recorder failed.
        """
        self._results = Channel(1, newest=self._source.live)
        self.metrics.gauge("show", self._results.__len__)
        try:
            self.start()  # inside the try block, because Ctrl-C may come while the threads are being started
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
        self._loop.spare = self._spare
        self.metrics.become("running")
        if len(self._workers) > 1:
            # OpenCV's own threads would compete with the workers for the cores (docs/explanation/schedule.md).
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
        """Whether the run has not ended and was not stopped."""
        return not self._ending.is_set()

    def pause(self) -> None:
        """Pause: a live source is still read, but its frames are dropped; a file waits. Tracks expire as usual."""
        self._intake.pause()
        self.metrics.become("paused")

    def resume(self) -> None:
        """Continue after ``pause``."""
        self._intake.resume()
        self.metrics.become("running")

    def stop(self) -> None:
        """End the run. Returns when everything is closed and the recorders have written all processed frames."""
        self._end()
        with self._stopping, ExitStack() as steps:
            # They run in reverse order; each one runs even if Ctrl-C interrupts the one before.
            steps.callback(self._settle)
            steps.callback(self._recording.finish)
            steps.callback(self._wait_for_workers)
            steps.callback(self._intake.stop)

    def _wait_for_workers(self) -> None:
        for worker in self._workers:
            while worker.is_alive():
                worker.join(TICK)

    def _settle(self) -> None:
        self._loop.spare = None
        self._spare.close()
        if self._opencv_threads is not None:
            cv2.setNumThreads(self._opencv_threads)
            self._opencv_threads = None
        self.error = self.error or self._intake.error
        self.metrics.become("failed" if self.error else "ended")

    def __enter__(self) -> Pipeline:
        try:
            self.start()
        except BaseException:  # in this case Python does not call __exit__
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
                with self._spare.frame():
                    self._see(*taken)
        except Closed:
            pass
        except BaseException as error:  # every error ends the run, in the thread that waits for results
            self._fail(error)

    def _take(self) -> tuple[int, Arrival] | None:
        """The next frame and its ticket; None when there are no more."""
        with self._taking:  # no other thread may come between taking a frame and numbering it
            try:
                while not self._ending.is_set():
                    arrival = self._intake.take()
                    if arrival is not None:
                        self._taken += 1
                        return self._taken - 1, arrival
                return None
            except Closed:
                ticket, self._taken = self._taken, self._taken + 1
        with self._conclude.turn(ticket):  # after the frames that other workers still process
            self._fail(self._intake.error) if self._intake.error else self._end()
        return None

    def _see(self, ticket: int, arrival: Arrival) -> None:
        try:
            # Live: waiting time counts as latency. File: it does not, because frames are decoded ahead.
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
        """Release all waiting threads. Processed frames are still given out and written."""
        self._ending.set()
        for gate in (self._find, self._follow, self._conclude):
            gate.close()
        if self._results is not None:
            self._results.finish()
