"""Run sources through the loop into sinks, and end cleanly whatever happens."""

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


@dataclass(slots=True)
class Outcome:
    """How a run went.

    Attributes:
        frames: that were read, and written to all recording sinks.
        seconds: that it took.
        dropped: frames of live sources that nobody had time for.
        stopped: the user ended it (Ctrl-C, q, the window's cross).
        notes: sentences a user should see: a source that was lost, pictures that could not be read.
    """

    frames: int = 0
    seconds: float = 0.0
    dropped: int = 0
    stopped: bool = False
    notes: list[str] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Frames a second."""
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
    """Read every source to its end. Ctrl-C ends the run like the end of the last source does.

    Args:
        sources: opened one after the other, as they are needed, if this is a generator.
        sinks: all are closed at the end, also when one of them fails. Those with ``display`` are written to in this
            thread and of a live source get the newest results; the others get every result, in a thread of theirs.
        on_step: called in this thread for every frame of a file, and the newest of a live source (a progress bar).
        schedule: how the work is shared out.
        on_begin: is given each source's pipeline before it starts (for its metrics).
        on_note: called, in any thread, with a sentence for the user at the moment something happens; ``Outcome.notes``
            has them all.

    Raises:
        FewshotError: a source or sink failed. Everything is closed, and what was written before can be read.
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
                    pipeline.stop()  # done already, unless Ctrl-C came before it began
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

    # The generator is closed by hand: an exception here leaves it suspended, and its threads running, until collected.
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
            raise FewshotError(f"The run on {source.name} failed: {error}.") from error


def _add(outcome: Outcome, pipeline: Pipeline, source: Source) -> None:
    outcome.frames += pipeline.metrics.recorded()
    outcome.dropped += pipeline.metrics.dropped()
    outcome.notes += [*pipeline.notes, *source.notes, *([source.lost] if source.lost else [])]
