"""Writes results to recording sinks, in a separate thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from time import perf_counter

from fewshot.live.channel import TICK, Channel, Closed
from fewshot.live.interfaces import Step
from fewshot.live.metrics import Metrics
from fewshot.live.sinks.base import Sink

WAITING = 4
"""Most results that may wait for the recorders. Each holds its frame (6 MB at 1080p), so the number is small."""


class Recording:
    """Writes every result to every sink, in order, while the next frames are processed.

    A recording is complete: if the sinks are too slow, ``put`` waits, so that fewer frames are processed. The camera
    does not wait: frames without time for them are dropped and counted before they are processed.

    Args:
        sinks: written to in this order; not closed here.
        metrics: gets the writing times.
        failed: called in the thread with the error of a sink; nothing is written after that.
    """

    def __init__(self, sinks: Sequence[Sink], metrics: Metrics, failed: Callable[[BaseException], None]) -> None:
        self._sinks, self._metrics, self._failed = sinks, metrics, failed
        self._waiting: Channel[Step] = Channel(WAITING)
        metrics.gauge("record", self._waiting.__len__)
        self._thread = threading.Thread(target=self._write_all, name="fewshot recording", daemon=True)

    def start(self) -> None:
        """Start writing in a thread. Call it only once."""
        self._thread.start()

    def put(self, step: Step) -> None:
        """Hand over a result to be written; waits while too many results are waiting.

        Raises:
            Closed: a sink has failed.
        """
        self._waiting.put(step)

    def finish(self) -> None:
        """Wait until all results are written."""
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
        except BaseException as error:  # every error ends the run, in the thread that waits for results
            self._waiting.close()
            self._failed(error)
