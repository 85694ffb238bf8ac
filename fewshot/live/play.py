"""Runs sources through the loop into sinks, and closes everything at the end, also after errors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from time import perf_counter

from fewshot.errors import FewshotError
from fewshot.live.loop import Loop, Step
from fewshot.live.pipeline import Pipeline, Schedule
from fewshot.live.sinks.base import Sink, Stop
from fewshot.live.sources.base import Source
from fewshot.translation import later


@dataclass(slots=True)
class Outcome:
    """The result of a run.

    Attributes:
        frames: number of frames that were processed and written to all recording sinks.
        seconds: duration of the run.
        dropped: number of frames of live sources that were dropped because there was no time for them.
        stopped: whether the user ended the run (Ctrl-C, q, or the close button of the window).
        notes: notes for the user: a lost source, pictures that could not be read.
    """

    frames: int = 0
    seconds: float = 0.0
    dropped: int = 0
    stopped: bool = False
    notes: list[str] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Frames per second."""
        return self.frames / self.seconds if self.seconds > 0 else 0.0


def play(
    loop: Loop,
    sources: Iterable[Source],
    sinks: Sequence[Sink],
    on_step: Callable[[Source, Step], None] | None = None,
    *,
    schedule: Schedule | None = None,
    on_begin: Callable[[Pipeline], None] | None = None,
    on_note: Callable[[str], None] | None = None,
) -> Outcome:
    """Process every source to its end. Ctrl-C ends the run in the same way as the end of the last source.

    Args:
        loop: processes the frames.
        sources: if this is a generator, each source is opened when it is needed.
        sinks: all are closed at the end, also if one of them fails. Sinks with ``display`` are written to in this
            thread, and get only the newest results of a live source; the others get every result, in their own thread.
        on_step: called in this thread for every frame of a file, or the newest of a live source (a progress bar).
        schedule: how the work is divided among threads.
        on_begin: called with each source's pipeline before it starts (for its metrics).
        on_note: called, in any thread, with a note for the user when something happens; ``Outcome.notes`` has all of
            them.

    Raises:
        FewshotError: a source or sink failed. Everything is closed, and files written so far can be opened.
    """
    outcome = Outcome()
    start = perf_counter()
    with ExitStack() as stack:
        for sink in sinks:
            stack.callback(sink.close)
        displays = [sink for sink in sinks if getattr(sink, "display", False)]
        recorders = [sink for sink in sinks if sink not in displays]
        try:
            for source in sources:
                pipeline = Pipeline(loop, source, recorders, schedule, on_note)
                try:
                    if on_begin is not None:
                        on_begin(pipeline)
                    _show(pipeline, displays, on_step, source)
                finally:
                    pipeline.stop()  # has no effect, unless Ctrl-C came before the run began
                    _add(outcome, pipeline, source)
                if pipeline.stopped:
                    raise Stop
        except (KeyboardInterrupt, Stop):
            outcome.stopped = True
        outcome.seconds = perf_counter() - start
    return outcome


def _show(
    pipeline: Pipeline, displays: Sequence[Sink], on_step: Callable[[Source, Step], None] | None, source: Source
) -> None:
    def idle() -> None:
        for sink in displays:
            getattr(sink, "idle", lambda: None)()

    # Closed explicitly: after an exception here the generator would stay suspended, with its threads still running.
    with closing(pipeline.run(idle)) as steps:  # type: ignore[type-var]  # an Iterator by type, a generator in fact
        try:
            for step in steps:
                start = perf_counter()
                for sink in displays:
                    sink.write(step.result, step.frame)
                if displays:
                    pipeline.metrics.times.add("show", perf_counter() - start)
                if on_step is not None:
                    on_step(source, step)
        except OSError as error:
            raise FewshotError(
                later("Watching {name} failed: {reason}. Try again.", name=source.name, reason=error)
            ) from error


def _add(outcome: Outcome, pipeline: Pipeline, source: Source) -> None:
    outcome.frames += pipeline.metrics.recorded()
    outcome.dropped += pipeline.metrics.dropped()
    outcome.notes += [*pipeline.notes, *source.notes, *([source.lost] if source.lost else [])]
