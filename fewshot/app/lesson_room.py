"""All lessons of this process: who opens a second tab, or comes second, joins the lesson that runs."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable

from fewshot.app.lesson import RunningLesson
from fewshot.app.lesson_parts import LessonPlan, Setup


class LessonRoom:
    """One lesson a class at a time; ended ones are remembered until the next one of the class."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lessons: dict[str, RunningLesson] = {}

    def start(self, plan: LessonPlan, prepare: Callable[[], Setup]) -> RunningLesson:
        """Start a lesson, or join the one that its class is having."""
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
        """Those that run."""
        with self._lock:
            return [lesson for lesson in self._lessons.values() if lesson.alive]

    def forget(self, classroom: str) -> None:
        """Forget the ended lesson of a class."""
        with self._lock:
            lesson = self._lessons.get(classroom)
            if lesson is not None and not lesson.alive:
                del self._lessons[classroom]

    def close(self) -> None:
        """End all lessons; what they saw is written."""
        for lesson in self.alive():
            lesson.stop()


ROOM = LessonRoom()
"""Of this process. Streamlit runs pages again and again, but imports this module once."""
atexit.register(ROOM.close)
