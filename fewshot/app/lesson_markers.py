"""The markers of one lesson: those of the teacher, of hints, and of a recording."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from fewshot.app.lesson_parts import Setup
from fewshot.classroom.blotting import Blotter


class LessonMarkers:
    """Every marker is stored before it is shown. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._all: tuple[tuple[float, str], ...] = ()
        self._planned = 0

    @property
    def all(self) -> tuple[tuple[float, str], ...]:
        """(second, text) of each, in the order in which they were set."""
        return self._all

    def add(self, setup: Setup, second: float, text: str) -> None:
        """Set one.

        Raises:
            StoreError: it could not be stored.
        """
        setup.memory.mark(setup.notebook.lesson, second, text)
        with self._lock:
            self._all = (*self._all, (second, text))

    def add_planned(self, setup: Setup, now: float) -> None:
        """Set the markers of a recording up to second ``now``."""
        while self._planned < len(setup.markers) and setup.markers[self._planned][0] <= now:
            self._planned += 1
            self.add(setup, *setup.markers[self._planned - 1])

    def blot(self, students: Iterable[str]) -> None:
        """Take the names of students who are gone out of the texts."""
        with self._lock:
            for blot in map(Blotter, students):
                self._all = tuple((second, blot(text)) for second, text in self._all)
