"""The markers of one lesson: those of the teacher, of hints, and of a recording."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from fewshot.app.lesson_parts import Setup
from fewshot.classroom.blotting import Blotter
from fewshot.session.analysis.glance import MARK
from fewshot.session.stored_words import marker_word


class LessonMarkers:
    """Every marker is stored before it is shown. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._all: tuple[tuple[float, str], ...] = ()
        self._numbers: list[int] = []
        self._planned = 0

    @property
    def all(self) -> tuple[tuple[float, str], ...]:
        """(second, text) of each, in the order in which they were set."""
        return self._all

    @property
    def of_people(self) -> tuple[tuple[float, str], ...]:
        """Those that are not of hints, as a reader sees them."""
        return tuple((second, marker_word(text)) for second, text in self._all if not text.startswith(MARK))

    @property
    def latest(self) -> int | None:
        """The number of the latest marker; None if there is none."""
        with self._lock:
            return self._numbers[-1] if self._numbers else None

    def add(self, setup: Setup, second: float, text: str) -> None:
        """Set one.

        Raises:
            StoreError: it could not be stored.
        """
        number = setup.memory.mark(setup.notebook.lesson, second, text)
        with self._lock:
            self._all = (*self._all, (second, text))
            self._numbers.append(number)

    def undo(self, setup: Setup, number: int) -> str:
        """Take back the latest marker, if it still has this number. Returns its text; "" if another one came after it.

        Raises:
            StoreError: it could not be deleted, or its bytes are still in the file.
        """
        with self._lock:
            if not self._numbers or self._numbers[-1] != number:
                return ""
            *rest, (_, text) = self._all
            self._all, self._numbers = tuple(rest), self._numbers[:-1]
        setup.memory.unmark(setup.notebook.lesson, number)
        return text

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
