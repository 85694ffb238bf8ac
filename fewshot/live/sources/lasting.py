"""A live source that waits for a lost device: if a camera is unplugged, it continues when the camera is back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from fewshot.errors import SourceError
from fewshot.live.sources.base import CapturedFrame, Source, interrupt, leave_out
from fewshot.translation import later, together

PAUSES = (0.5, 1.0, 2.0, 5.0)
"""Seconds between attempts to open the device again; the last value is repeated."""


class LastingSource:
    """Opens its source again when it was lost. Frame numbers continue; times continue after the gap.

    Args:
        first: the open source.
        reopen: opens it again; raises ``SourceError`` while it is not available.
        patience: seconds to wait for a lost source; None: no limit.
        on_note: called with a note when the source is lost and when it is back.
        clock: monotonic clock, seconds.
        wait: waits for the given number of seconds, or until the event is set; for tests.

    Attributes:
        away: a sentence while the source is lost and waited for, else None.
        lost: why the source ended, if it did not come back in time.
    """

    live = True
    frames: int | None = None

    def __init__(
        self,
        first: Source,
        reopen: Callable[[], Source],
        patience: float | None = None,
        on_note: Callable[[str], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[threading.Event, float], object] = threading.Event.wait,
    ) -> None:
        self.name, self.fps = first.name, first.fps
        self.lost: str | None = None
        self.away: str | None = None
        self._told: list[str] = []
        self._source, self._reopen, self._patience = first, reopen, patience
        self._on_note, self._clock, self._wait = on_note, clock, wait
        self._dropped_before = 0
        self._ending = threading.Event()

    @property
    def dropped(self) -> int:
        """Number of frames dropped so far, including those before the source was lost."""
        return self._dropped_before + self._source.dropped

    @property
    def gives_newest(self) -> bool:
        """Whether the source that is open now gives its newest frame whenever it is asked."""
        return bool(getattr(self._source, "gives_newest", False))

    @property
    def notes(self) -> list[str]:
        """Notes for the user so far."""
        return [*self._told, *self._source.notes]

    def __iter__(self) -> Iterator[CapturedFrame]:
        index, start, last = 0, 0.0, 0.0
        began: float | None = None
        while True:
            why = None
            try:
                for captured in self._source:
                    began = self._clock() - captured.time if began is None else began
                    last = start + captured.time
                    yield replace(captured, index=index, time=last)
                    index += 1
            except SourceError as error:
                why = error.text
            why = why or self._source.lost
            if why is None or self._ending.is_set() or not self._come_back(why, last):
                return
            # The gap is added to the times, so that tracks expire in it. Times never run backwards.
            now = self._clock()
            start = max(now - (now if began is None else began), last + 1e-3)

    def interrupt(self) -> None:
        """End the iteration, from any thread."""
        self._ending.set()
        interrupt(self._source)

    def leave_out(self, seconds: float) -> None:
        """Frames less than so many seconds after the latest one are not needed."""
        leave_out(self._source, seconds)

    def close(self) -> None:
        """Stop waiting, and close the source."""
        self._ending.set()
        self._source.close()

    def _come_back(self, why: str, last: float) -> bool:
        """Wait until the source is back; False if it did not come back in time."""
        self._source.close()
        if self._patience == 0:
            self.lost = why
            return False
        gone, tries = self._clock(), 0
        self.away = later(
            "{name} was lost after {seconds:.0f} s. Waiting for it to come back.", name=self.name, seconds=last
        )
        self._tell(self.away)
        while not self._ending.is_set():
            if self._patience is not None and self._clock() - gone >= self._patience:
                late = later("It did not come back within {seconds:g} s.", seconds=self._patience)
                self.lost = together(why, late)
                break
            self._wait(self._ending, PAUSES[min(tries, len(PAUSES) - 1)])
            tries += 1
            if not self._ending.is_set() and self._opened():
                self.away = None
                self._tell(later("{name} is back after {seconds:.0f} s.", name=self.name, seconds=self._clock() - gone))
                return True
        self.away = None
        return False

    def _opened(self) -> bool:
        try:
            source = self._reopen()
        except SourceError:  # not there yet
            return False
        self._dropped_before += self._source.dropped
        self._source = source
        if self._ending.is_set():  # this object was closed in the meantime
            source.close()
            return False
        return True

    def _tell(self, note: str) -> None:
        self._told.append(note)
        if self._on_note is not None:
            self._on_note(note)
