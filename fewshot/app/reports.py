"""A lesson's report for the page: worked out once, until something of it changes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from threading import Lock

from fewshot.session.lesson import Lesson, LessonInfo
from fewshot.session.lessons import LessonStore
from fewshot.session.report import Contents, gather

MOST = 6
"""Reports that are remembered; each holds a lesson's seconds."""
PAST = 12
"""Earlier lessons that count as a student's usual."""

Key = tuple[object, ...]


class Reports:
    """Remembers the latest reports of this process."""

    def __init__(self, work_out: Callable[[Lesson, Sequence[Lesson], bool], Contents] = gather) -> None:
        self._work_out = work_out
        self._lock = Lock()
        self._known: OrderedDict[Key, tuple[Lesson, Contents]] = OrderedDict()

    def of(self, store: LessonStore, lesson: int, aggregate: bool) -> tuple[Lesson, Contents]:
        """The lesson and its report; worked out anew when the lesson has grown, or was marked or corrected."""
        loaded = store.load(lesson)
        earlier = earlier_ones(store.lessons(loaded.info.classroom), loaded.info)
        undone = sum(correction.undone for correction in loaded.corrections)
        key = (
            store.database.url if hasattr(store.database, "url") else id(store.database),
            lesson,
            aggregate,
            loaded.info.state,
            round(loaded.info.seconds),
            loaded.info.title,
            len(loaded.markers),
            len(loaded.corrections),
            undone,
            tuple(info.id for info in earlier),
        )
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        contents = self._work_out(loaded, [store.load(info.id) for info in earlier], aggregate)
        with self._lock:
            self._known[key] = (loaded, contents)
            while len(self._known) > MOST:
                self._known.popitem(last=False)
        return loaded, contents


def earlier_ones(lessons: Sequence[LessonInfo], info: LessonInfo) -> list[LessonInfo]:
    """Lessons of the same class before this one, the latest ``PAST`` of them, newest first."""
    if not info.classroom:
        return []
    before = [other for other in lessons if other.started < info.started and other.id != info.id]
    return sorted(before, key=lambda other: other.started, reverse=True)[:PAST]


REPORTS = Reports()
"""Of this process."""
