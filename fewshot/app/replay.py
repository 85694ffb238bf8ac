"""A recorded lesson played at normal speed, through the same interfaces as a live one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from fewshot.app.recording import Recording
from fewshot.live.loop import Step
from fewshot.live.sinks.base import Sink
from fewshot.types import Frame

TICK = 0.1
NO_PICTURE: Frame = np.zeros((1, 1, 3), np.uint8)
"""A recording has no pictures, so it is of no use to sinks that need them."""


@dataclass(slots=True)
class ReplayState:
    """The position of a replay; its thread writes it, other threads read it."""

    step: int = 0
    paused: bool = False
    running: bool = True


class Replay:
    """Plays a recording in a thread; has the shape of ``fewshot.live.pipeline.Pipeline``.

    Args:
        recording: what to play.
        recorders: sinks that get every result in order.
        ahead: seconds of the lesson that are written at once, so that the page has content from the first moment.
        told: called once, when these seconds are written and the lesson plays.
        clock, sleep: in seconds; for tests.
    """

    def __init__(
        self,
        recording: Recording,
        recorders: Sequence[Sink],
        ahead: float = 0.0,
        told: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.error: BaseException | None = None
        self.notes: list[str] = []
        self._recording, self._recorders, self._told = recording, recorders, told
        self._clock, self._sleep = clock, sleep
        self._state = ReplayState()
        self._wanted = threading.Lock()
        self._position = ahead  # seconds of the lesson that may be written now
        self._thread = threading.Thread(target=self._play, name="fewshot replay", daemon=True)

    @property
    def running(self) -> bool:
        """Whether it has neither ended nor been stopped."""
        return self._state.running

    def start(self) -> None:
        """Write the seconds ahead and play from there; raises what a recorder raises meanwhile."""
        self._tell()
        self._thread.start()
        self._told()

    def pause(self) -> None:
        """Halt; the lesson's clock stands still."""
        self._state.paused = True

    def resume(self) -> None:
        """Go on after ``pause``."""
        self._state.paused = False

    def skip(self, seconds: float) -> None:
        """Write the next ``seconds`` of the lesson at once."""
        with self._wanted:
            self._position += seconds

    def stop(self) -> None:
        """End the replay; returns when the recorders have received their last result."""
        self._state.running = False
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join()

    def latest(self) -> Step | None:
        """None: a recording has no pictures."""
        return None

    def _play(self) -> None:
        try:
            before = self._clock()
            while self._state.running and self._state.step < len(self._recording):
                now = self._clock()
                with self._wanted:
                    self._position += 0.0 if self._state.paused else now - before
                before = now
                self._tell()
                self._sleep(TICK)
        except BaseException as error:  # the lesson reports it
            self.error = error
        finally:
            self._state.running = False

    def _tell(self) -> None:
        """Write everything up to the present position."""
        while self._state.running and self._state.step < len(self._recording):
            if self._recording.times[self._state.step] > self._position:
                return
            result = self._recording.result(self._state.step)
            for recorder in self._recorders:
                recorder.write(result, NO_PICTURE)
            self._state.step += 1
