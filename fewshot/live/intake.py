"""The thread that reads a source, so that the camera or the decoder never waits for other work."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

from fewshot.live.channel import TICK, Channel, Closed
from fewshot.live.metrics import Metrics
from fewshot.live.sources.base import CapturedFrame, Source, interrupt, leave_out
from fewshot.live.sparing import BackOff

_PATIENCE = 5.0
"""Seconds to wait for a source to notice that it was closed."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A frame and the time of its arrival (``perf_counter``)."""

    captured: CapturedFrame
    at: float


class Intake:
    """Reads a source to its end. Live: only the newest frame waits. File: ``ahead`` frames wait, and none is dropped.

    A camera is read as fast as it delivers frames, even if the other threads are slow.

    Args:
        source: closed by this thread at the end, also after an error.
        metrics: counts captured and dropped frames.
        fps: largest number of frames per second that are passed on from a live source, in the source's own time.
        ahead: number of frames of a file that are decoded ahead.
        tell: called with notes for the user.
        gives_way: pass on fewer frames than ``fps`` while the whole machine is busy.

    Attributes:
        error: the error that ended the thread, if any; check it when ``take`` raises ``Closed``.
    """

    def __init__(
        self,
        source: Source,
        metrics: Metrics,
        fps: float | None,
        ahead: int,
        tell: Callable[[str], None],
        gives_way: bool = False,
    ) -> None:
        self.error: BaseException | None = None
        self._source, self._metrics, self._tell = source, metrics, tell
        self._step = 1 / fps if fps and source.live else 0.0
        self._back_off = BackOff() if self._step and gives_way else None
        self._due, self._skipped, self._unread = float("-inf"), 0, 0
        self._over = threading.Event()
        self._size: tuple[int, int] | None = None
        self._told = False
        self._waiting: Channel[Arrival] = Channel(1 if source.live else ahead, newest=source.live)
        metrics.gauge("find", self._waiting.__len__)
        self._going = threading.Event()
        self._going.set()
        self._ending = self._closed = False
        self._closing = threading.Lock()
        # A daemon, because a driver that hangs while reading must not prevent the program from ending.
        self._thread = threading.Thread(target=self._read_all, name=f"fewshot intake {source.name}", daemon=True)

    def start(self) -> None:
        """Start reading the source in a thread. Call it only once."""
        self._thread.start()

    def take(self) -> Arrival | None:
        """The next frame; None after a while without one.

        Raises:
            Closed: there are no more.
        """
        if self._going.wait(TICK):
            return self._waiting.get(TICK)
        return None

    def pause(self) -> None:
        """Pass nothing on. A live source is still read, but its frames are dropped; a file waits."""
        self._going.clear()

    def resume(self) -> None:
        """Continue after ``pause``; frames that a live source gave in between are dropped."""
        if self._source.live:
            self._waiting.clear()
        self._going.set()

    def stop(self) -> None:
        """End the thread, which closes the source. Waits for it, but only some seconds if the source hangs."""
        self._ending = True
        self._over.set()
        self._waiting.close()
        self._going.set()
        interrupt(self._source)
        deadline = perf_counter() + _PATIENCE
        while self._thread.is_alive() and perf_counter() < deadline:
            self._thread.join(TICK)
        if self._thread.is_alive():
            self._tell(f"{self._source.name} does not answer and could not be closed.")
        else:
            self._close()  # in case Ctrl-C came before the thread began

    def _read_all(self) -> None:
        try:
            self._pass_on()
        except Closed:
            pass
        except BaseException as error:  # every error ends the run, in the thread that waits for frames
            self.error = error
        finally:
            self._close()
            self._waiting.finish()

    def _close(self) -> None:
        with self._closing:
            if self._closed:
                return
            self._closed = True
        try:
            self._source.close()
        except Exception as error:
            self.error = self.error or error
        self._metrics.drop("capture", self._source.dropped - self._unread)

    def _pass_on(self) -> None:
        if self._ending:
            return
        stage = "capture" if self._source.live else "decode"
        start = perf_counter()
        for captured in self._source:
            now = perf_counter()
            self._metrics.times.add(stage, now - start)
            if self._ending:
                return
            self._arrived(Arrival(captured, now))
            start = perf_counter()

    def _arrived(self, arrival: Arrival) -> None:
        metrics, captured = self._metrics, arrival.captured
        metrics.count("captured")
        if self._source.live and not self._going.is_set():
            return
        if self._step and self._too_early(captured.time):
            self._skipped += 1
            metrics.drop("fps", self._skipped + self._unread)
            return
        self._watch_size(captured)
        self._waiting.put(arrival)
        metrics.drop("find", self._waiting.dropped)
        metrics.drop("capture", self._source.dropped - self._unread)
        self._rest(arrival)

    def _rest(self, arrival: Arrival) -> None:
        """Ask a source that has a newest frame at any time only when the next frame is nearly due.

        So the frames in between are never captured or converted. They count as left out on request.
        """
        whole = 0.9 * self._pause()
        pause = whole - (perf_counter() - arrival.at)
        if pause > 0 and getattr(self._source, "gives_newest", False):
            before = self._source.dropped
            # After a frame that came late the next one is due sooner. A tenth of a step is tolerated, as always.
            leave_out(self._source, min(whole, self._due - arrival.captured.time - whole / 9))
            self._over.wait(pause)
            self._unread += self._source.dropped - before
            self._metrics.drop("fps", self._skipped + self._unread)

    def _pause(self) -> float:
        """Seconds from one frame to the next; 0: as they come."""
        return self._step * (self._back_off.update() if self._back_off else 1.0)

    def _too_early(self, time: float) -> bool:
        """Whether the frame exceeds the requested rate. A tenth of a step is tolerated, as cameras are not exact."""
        step, due = self._pause(), self._due
        if 0.1 * step < due - time < 10 * step:
            return True
        # The next frame is due one step after this one was due, which keeps the mean rate. After a gap or a jump of the
        # clock it is due one step from now.
        self._due = (due if abs(time - due) < step else time) + step
        return False

    def _watch_size(self, captured: CapturedFrame) -> None:
        size = (captured.frame.shape[1], captured.frame.shape[0])
        if self._size is None:
            self._size = size
        elif size != self._size and not captured.independent and not self._told:
            self._told = True
            self._tell(
                f"{self._source.name} changed its picture size from {self._size[0]}x{self._size[1]} to "
                f"{size[0]}x{size[1]} after {captured.time:.1f} s. A saved video keeps the first size."
            )
