"""What a running lesson remembers, and what it asks of the store."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from fewshot.errors import UsageError
from fewshot.session.analysis.pace import Hint, pace_hint
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
        return self._lessons.mark(lesson, second, text)

    def correct(
        self, lesson: int, student: str, second: float, actually: str, vector: Vectors, said: str | None = None
    ) -> int:
        if self._room is None:
            raise UsageError("Nothing can be learned without a class. Start the lesson with one.")
        return self._room.correct(lesson, student, second, actually, vector, said=said)

    def undo(self, correction: int) -> None:
        if self._room is not None:
            self._room.undo(correction)


def hint_on(notebook: LessonRecorder) -> Callable[[float], Hint | None]:
    """Looks for a hint on pace in what is kept of the lesson so far."""

    def look(now: float) -> Hint | None:
        lesson = LessonStore().load(notebook.lesson)
        return pace_hint(lesson.readings, now, lesson.labels)

    return look
