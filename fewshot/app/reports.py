"""A lesson's report for the page: calculated once, and again when the lesson changes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from threading import Lock

from fewshot.database.owner import Owner
from fewshot.session.analysis.words import TIME_ZONE
from fewshot.session.check_in_answers import answers_of
from fewshot.session.lesson import Lesson
from fewshot.session.lessons import LessonStore
from fewshot.session.report import Contents, gather
from fewshot.session.report.contents import with_answers
from fewshot.translation import LANGUAGE

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
        """The lesson and its report; calculated again if the lesson has changed, or a student of its class has.

        Raises:
            UsageError: there is no such lesson.
        """
        stamp = store.stamp(lesson)
        earlier = store.earlier(store.info(lesson))
        where = store.database.url if hasattr(store.database, "url") else id(store.database)
        # Stores in memory have one address and the same numbers. Dates and sentences are those of the reader.
        key = (store.owner.id, where, lesson, aggregate, stamp, tuple(earlier), str(TIME_ZONE.get()), LANGUAGE.get())
        loaded, contents = self._report(key, store, lesson, aggregate)
        # Check-ins are closed and opened with a click: nothing is calculated anew for them.
        answers = answers_of(store, [lesson, *(info.id for info, _ in contents.recent)])
        return loaded, with_answers(contents, answers)

    def _report(self, key: Key, store: LessonStore, lesson: int, aggregate: bool) -> tuple[Lesson, Contents]:
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        loaded = store.load(lesson)
        made = loaded, self._work_out(loaded, store.load_earlier(loaded.info), aggregate)
        with self._lock:
            self._known[key] = made
            while len(self._known) > MOST:
                self._known.popitem(last=False)
        return made

    def forget(self, owner: Owner) -> None:
        """Forget the reports of an owner."""
        with self._lock:
            for key in [key for key in self._known if key[0] == owner.id]:
                del self._known[key]


REPORTS = Reports()
"""The reports of this process."""
