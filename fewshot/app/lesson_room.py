"""All lessons of this process: a second tab of the same teacher joins the lesson that is running."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable

from fewshot.app.lesson import RunningLesson
from fewshot.app.lesson_parts import LessonPlan, Setup
from fewshot.database.owner import LOCAL_TEACHER, Owner


class LessonRoom:
    """At most one running lesson per class; an ended lesson is kept until the next one of the class.

    Classes of two owners may have the same name: they are two classes, and neither owner sees the other's lesson.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lessons: dict[tuple[str, str], RunningLesson] = {}

    def start(self, plan: LessonPlan, prepare: Callable[[], Setup]) -> RunningLesson:
        """Start a lesson, or join the one that is already running in its class."""
        key = (plan.owner.id, plan.classroom)
        with self._lock:
            lesson = self._lessons.get(key)
            if lesson is None or not lesson.alive:
                if lesson is not None:
                    lesson.guests.vanish()
                lesson = self._lessons[key] = RunningLesson(plan, prepare)
                lesson.start()
            return lesson

    def of(self, classroom: str, owner: Owner = LOCAL_TEACHER) -> RunningLesson | None:
        """The lesson of an owner's class: running, or the last one that ended in this process."""
        with self._lock:
            return self._lessons.get((owner.id, classroom))

    def alive(self, owner: Owner = LOCAL_TEACHER) -> list[RunningLesson]:
        """The owner's lessons that are running."""
        return [lesson for lesson in self._running() if lesson.plan.owner.id == owner.id]

    def forget(self, classroom: str, owner: Owner = LOCAL_TEACHER) -> None:
        """Forget the ended lesson of an owner's class."""
        with self._lock:
            lesson = self._lessons.get((owner.id, classroom))
            if lesson is not None and not lesson.alive:
                lesson.guests.vanish()
                del self._lessons[owner.id, classroom]

    def leave(self, owner: Owner) -> None:
        """End the lessons of an owner, and forget them."""
        for lesson in self.alive(owner):
            lesson.stop()
        with self._lock:
            for key in [key for key in self._lessons if key[0] == owner.id]:
                self._lessons.pop(key).guests.vanish()

    def analysing(self) -> int:
        """How many lessons of all owners analyse pictures now, which costs much; to play a recording costs little."""
        return sum(not lesson.plan.recorded for lesson in self._running())

    def close(self) -> None:
        """End the lessons of all owners; everything up to this moment is stored."""
        for lesson in self._running():
            lesson.stop()
        with self._lock:
            for lesson in self._lessons.values():
                lesson.guests.vanish()

    def _running(self) -> list[RunningLesson]:
        with self._lock:
            return [lesson for lesson in self._lessons.values() if lesson.alive]


ROOM = LessonRoom()
"""The one room of this process. Streamlit runs pages again and again, but imports this module once."""
atexit.register(ROOM.close)
