"""All lessons of this process: a second tab or a second teacher joins the lesson that is running."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable

from fewshot.app.lesson import RunningLesson
from fewshot.app.lesson_parts import LessonPlan, Setup


class LessonRoom:
    """At most one running lesson per class; an ended lesson is kept until the next one of the class."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lessons: dict[str, RunningLesson] = {}

    def start(self, plan: LessonPlan, prepare: Callable[[], Setup]) -> RunningLesson:
        """Start a lesson, or join the one that is already running in its class."""
        with self._lock:
            lesson = self._lessons.get(plan.classroom)
            if lesson is None or not lesson.alive:
                lesson = self._lessons[plan.classroom] = RunningLesson(plan, prepare)
                lesson.start()
            return lesson

    def of(self, classroom: str) -> RunningLesson | None:
        """The lesson of a class: running, or the last one that ended in this process."""
        with self._lock:
            return self._lessons.get(classroom)

    def alive(self) -> list[RunningLesson]:
        """The lessons that are running."""
        with self._lock:
            return [lesson for lesson in self._lessons.values() if lesson.alive]

    def forget(self, classroom: str) -> None:
        """Forget the ended lesson of a class."""
        with self._lock:
            lesson = self._lessons.get(classroom)
            if lesson is not None and not lesson.alive:
                del self._lessons[classroom]

    def close(self) -> None:
        """End all lessons; everything up to this moment is stored."""
        for lesson in self.alive():
            lesson.stop()


ROOM = LessonRoom()
"""The one room of this process. Streamlit runs pages again and again, but imports this module once."""
atexit.register(ROOM.close)
