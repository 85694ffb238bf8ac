"""What a running lesson remembers, and what it asks of the store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import TYPE_CHECKING

import numpy as np

from fewshot.classroom.corrections import Learned
from fewshot.errors import UsageError
from fewshot.session.analysis.pace import Hint, pace_hint
from fewshot.session.lesson import Readings
from fewshot.session.lesson_rows import OpenedReadings
from fewshot.session.lessons import LessonStore
from fewshot.session.recorder import LessonRecorder
from fewshot.types import Vectors

if TYPE_CHECKING:
    from fewshot.room import Classroom


class Remembered:
    """``Memory`` over the usual store: markers are the lesson's, corrections the class's."""

    def __init__(self, lessons: LessonStore, room: Classroom | None) -> None:
        self._lessons, self._room = lessons, room

    def mark(self, lesson: int, second: float, text: str) -> int:
        """Mark a moment, in seconds since the start of the lesson. Returns the number of the marker."""
        return self._lessons.mark(lesson, second, text)

    def correct(
        self, lesson: int, student: str, second: float, actually: str, vector: Vectors, said: str | None = None
    ) -> int:
        """Tell what a student really showed; see ``Classroom.correct``.

        Args:
            vector: ``Face.expression`` at that moment, shape (d,).

        Returns:
            Number of the correction.

        Raises:
            UsageError: the lesson has no class, or ``Classroom.correct`` refused.
        """
        if self._room is None:
            raise UsageError("Nothing can be learned without a class. Start the lesson with one.")
        return self._room.correct(lesson, student, second, actually, vector, said=said)

    def undo(self, correction: int) -> None:
        """Take a correction back; without a class nothing happens."""
        if self._room is not None:
            self._room.undo(correction)

    def corrections(self) -> Sequence[Learned]:
        """Corrections that the class still learns from, newest first; none without a class."""
        return () if self._room is None else self._room.corrections()


def hint_on(notebook: LessonRecorder) -> Callable[[float], Hint | None]:
    """Looks for a hint on pace in what is kept of the lesson so far."""
    kept = SoFar(LessonStore(), notebook.lesson)

    def look(now: float) -> Hint | None:
        opened = kept.read()
        return pace_hint(opened.readings, now, opened.labels)

    return look


class SoFar:
    """The readings of a lesson that runs: each second is fetched once, however often somebody looks."""

    def __init__(self, lessons: LessonStore, lesson: int) -> None:
        self._lessons, self._lesson = lessons, lesson
        self._known: OpenedReadings | None = None

    def read(self) -> OpenedReadings:
        """All that is kept by now.

        Raises:
            UsageError: the lesson was deleted.
        """
        known = self._known
        if known is None or len(known.readings) == 0:
            self._known = self._lessons.opened(self._lesson)
            return self._known
        since = int(known.readings.second[-1])  # seconds come in order, but the last one is written again when it ends
        new = self._lessons.opened(self._lesson, since)
        if (new.students, new.labels) == (known.students, known.labels):
            self._known = replace(new, readings=_joined(known.readings, new.readings, since))
        else:  # somebody was removed, or showed a state of their own for the first time: indices count differently now
            self._known = self._lessons.opened(self._lesson)
        return self._known


def _joined(old: Readings, new: Readings, since: int) -> Readings:
    """``old`` up to second ``since``, then ``new``."""
    cut = int(np.searchsorted(old.second, since))
    parts = {f.name: np.concatenate([getattr(old, f.name)[:cut], getattr(new, f.name)]) for f in fields(Readings)}
    return Readings(**parts)
