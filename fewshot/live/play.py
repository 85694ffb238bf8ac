"""Run sources through the loop into sinks, and end cleanly whatever happens."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from time import perf_counter

from fewshot.errors import FewshotError
from fewshot.live.loop import Loop, Step
from fewshot.live.sinks.base import Sink, Stop
from fewshot.live.sources.base import Source


@dataclass(slots=True)
class Outcome:
    """How a run went.

    Attributes:
        frames: that were read.
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
) -> Outcome:
    """Read every source to its end. Ctrl-C ends the run like the end of the last source does.

    Args:
        sources: opened one after the other, as they are needed, if this is a generator.
        sinks: all are closed at the end, also when one of them fails.
        on_step: called for every frame, after the sinks (a progress bar).

    Raises:
        FewshotError: a source or sink failed. Everything is closed, and what was written before can be read.
    """
    outcome = Outcome()
    start = perf_counter()
    with ExitStack() as stack:
        for sink in sinks:
            stack.callback(sink.close)
        try:
            for source in sources:
                _play_one(loop, source, sinks, on_step, outcome)
        except (KeyboardInterrupt, Stop):
            outcome.stopped = True
        outcome.seconds = perf_counter() - start
    return outcome


def _play_one(
    loop: Loop,
    source: Source,
    sinks: Sequence[Sink],
    on_step: Callable[[Source, Step], None] | None,
    outcome: Outcome,
) -> None:
    # The generator is closed by hand: an exception here leaves it suspended, and its source open, until collected.
    with closing(loop.run(source)) as steps:  # type: ignore[type-var]  # an Iterator by type, a generator in fact
        try:
            for step in steps:
                for sink in sinks:
                    sink.write(step.result, step.frame)
                outcome.frames += 1
                if on_step is not None:
                    on_step(source, step)
        except OSError as error:
            raise FewshotError(f"The run on {source.name} failed: {error}.") from error
        finally:
            outcome.dropped += source.dropped
            outcome.notes += [*source.notes, *([source.lost] if source.lost else [])]
