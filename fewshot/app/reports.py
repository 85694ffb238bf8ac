"""A lesson's report for the page: calculated once, and again when the lesson changes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from threading import Lock

from fewshot.database.owner import Owner
from fewshot.session.lesson import Lesson
from fewshot.session.lessons import LessonStore
from fewshot.session.report import Contents, gather

MOST = 6
"""How many reports are remembered; each holds all seconds of a lesson."""

Key = tuple[object, ...]


class Reports:
    """Remembers the latest reports of this process."""

    def __init__(self, work_out: Callable[[Lesson, Sequence[Lesson], bool], Contents] = gather) -> None:
        self._work_out = work_out
        self._lock = Lock()
        self._known: OrderedDict[Key, tuple[Lesson, Contents]] = OrderedDict()

    def of(self, store: LessonStore, lesson: int, aggregate: bool) -> tuple[Lesson, Contents]:
        """The lesson and its report; calculated again if the lesson has grown, or was marked or corrected."""
        loaded = store.load(lesson)
        earlier = store.earlier(loaded.info)
        undone = sum(correction.undone for correction in loaded.corrections)
        key = (
            store.owner.id,  # stores in memory have one address and the same numbers
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

    def forget(self, owner: Owner) -> None:
        """Forget the reports of an owner."""
        with self._lock:
            for key in [key for key in self._known if key[0] == owner.id]:
                del self._known[key]


REPORTS = Reports()
"""The reports of this process."""
