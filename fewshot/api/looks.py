"""Lines of the audit log for callers who look again and again: one per caller, class and lesson in an hour."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from fewshot.api.callers import Caller
from fewshot.classroom.erased import note_looked

EVERY = 3600.0
"""Seconds for which one line stands."""
_MOST = 10_000


class Looks:
    """Who has looked at what.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._noted: dict[tuple[str, str, int | None], float] = {}

    def note(self, caller: Caller, classroom: str, lesson: int | None = None, live: bool = False) -> None:
        """Append a line, unless there is one of this caller already.

        Args:
            caller: who looks.
            classroom: name of the class; "" for a lesson without one.
            lesson: its number; None if no lesson is looked at.
            live: while it runs.
        """
        key, at = (caller.key, classroom, lesson), self._clock()
        with self._lock:
            if at - self._noted.get(key, -EVERY) < EVERY:
                return
            if len(self._noted) >= _MOST:
                self._noted.clear()
            self._noted[key] = at
        note_looked(caller.classes.database, caller.owner, classroom, lesson, live)
