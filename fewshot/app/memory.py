"""How a running lesson stores markers and corrections, and reads its own past."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import TYPE_CHECKING

import numpy as np

from fewshot.classroom.corrections import Learned
from fewshot.database.owner import LOCAL_TEACHER, Owner
from fewshot.errors import UsageError
from fewshot.session.analysis.findings import Findings, look
from fewshot.session.lesson import Readings
from fewshot.session.lesson_rows import OpenedReadings
from fewshot.session.lessons import LessonStore
from fewshot.session.recorder import LessonRecorder
from fewshot.translation import tr
from fewshot.types import Vectors

if TYPE_CHECKING:
    from fewshot.room import Classroom


class Remembered:
    """``Memory`` in the usual store: markers belong to the lesson, corrections to the class."""

    def __init__(self, lessons: LessonStore, room: Classroom | None) -> None:
        self._lessons, self._room = lessons, room

    def mark(self, lesson: int, second: float, text: str) -> int:
        """Mark a moment, in seconds since the start of the lesson. Returns the number of the marker."""
        return self._lessons.mark(lesson, second, text)

    def unmark(self, lesson: int, marker: int) -> None:
        """Take a marker back."""
        self._lessons.unmark(lesson, marker)

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
            raise UsageError(tr("Without a class, fewshot cannot learn from corrections. Start a lesson with a class."))
        return self._room.correct(lesson, student, second, actually, vector, said=said)

    def undo(self, correction: int) -> None:
        """Take a correction back; without a class nothing happens."""
        if self._room is not None:
            self._room.undo(correction)

    def corrections(self) -> Sequence[Learned]:
        """Corrections that the class still learns from, newest first; none without a class."""
        return () if self._room is None else self._room.corrections()


class PaceSoFar:
    """Looks for what is unusual in the lesson so far: hints on pace, and students unlike their own usual.

    Args:
        notebook: records the lesson.
        watch: the states that a hint may name; None: see ``pace_hint``.
        owner: to whom the lesson belongs.
        neutral: whether "neutral" can be relied on.
    """

    def __init__(
        self,
        notebook: LessonRecorder,
        watch: Sequence[str] | None = None,
        owner: Owner = LOCAL_TEACHER,
        neutral: bool = True,
    ) -> None:
        self._kept = SoFar(LessonStore(owner=owner), notebook.lesson)
        self._watch, self._neutral = watch, neutral

    def __call__(self, now: float) -> Findings:
        """What stands out at this second of the lesson."""
        opened = self._kept.read()
        return look(opened.readings, now, opened.labels, opened.students, self._watch, self._neutral)


class SoFar:
    """The readings of a running lesson: each second is fetched once, no matter how many pages are open."""

    def __init__(self, lessons: LessonStore, lesson: int) -> None:
        self._lessons, self._lesson = lessons, lesson
        self._known: OpenedReadings | None = None

    def read(self) -> OpenedReadings:
        """All readings so far.

        Raises:
            UsageError: the lesson was deleted.
        """
        known = self._known
        if known is None or len(known.readings) == 0:
            self._known = self._lessons.opened(self._lesson)
            return self._known
        since = int(known.readings.second[-1])  # seconds come in order, but the last one is written again at its end
        new = self._lessons.opened(self._lesson, since)
        if (new.students, new.labels) == (known.students, known.labels):
            self._known = replace(new, readings=_joined(known.readings, new.readings, since))
        else:  # a student was removed, or a new state appeared: the indices have changed
            self._known = self._lessons.opened(self._lesson)
        return self._known


def _joined(old: Readings, new: Readings, since: int) -> Readings:
    """``old`` up to second ``since``, then ``new``."""
    cut = int(np.searchsorted(old.second, since))
    parts = {f.name: np.concatenate([getattr(old, f.name)[:cut], getattr(new, f.name)]) for f in fields(Readings)}
    return Readings(**parts)
