"""Sinks that keep everything, in a thread of their own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from time import perf_counter

from fewshot.live.channel import TICK, Channel, Closed
from fewshot.live.interfaces import Step
from fewshot.live.metrics import Metrics
from fewshot.live.sinks.base import Sink

WAITING = 4
"""Results that may wait for the recorders. Each holds its frame (6 MB at 1080p), so not many."""


class Recording:
    """Writes every result to every sink, in order, while the next frames are worked on.

    A recording is complete: when it cannot follow, ``put`` waits, so that fewer frames are worked on. The camera does
    not wait: what nobody has time for is dropped, and counted, before work on it began.

    Args:
        sinks: written to in this order; not closed here.
        metrics: told how long it takes.
        failed: called in the thread with what a sink raised; nothing is written after it.
    """

    def __init__(self, sinks: Sequence[Sink], metrics: Metrics, failed: Callable[[BaseException], None]) -> None:
        self._sinks, self._metrics, self._failed = sinks, metrics, failed
        self._waiting: Channel[Step] = Channel(WAITING)
        metrics.gauge("record", self._waiting.__len__)
        self._thread = threading.Thread(target=self._write_all, name="fewshot recording", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def put(self, step: Step) -> None:
        """Have a result written; waits while too many wait.

        Raises:
            Closed: a sink has failed.
        """
        self._waiting.put(step)

    def finish(self) -> None:
        """Wait until everything that was put is written."""
        self._waiting.finish()
        while self._thread.is_alive():
            self._thread.join(TICK)

    def _write_all(self) -> None:
        try:
            while (step := self._waiting.get()) is not None:
                start = perf_counter()
                for sink in self._sinks:
                    sink.write(step.result, step.frame)
                if self._sinks:
                    self._metrics.times.add("record", perf_counter() - start)
                self._metrics.count("recorded")
        except Closed:
            return
        except BaseException as error:  # whatever it is, it ends the run, in the thread that waits for it
            self._waiting.close()
            self._failed(error)
