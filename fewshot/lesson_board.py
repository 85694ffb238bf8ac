"""The state of a lesson now, read from the store: any process can show a lesson that runs in another one."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from fewshot.session.lesson import NOBODY, UNREADABLE, UNSURE, LessonInfo
from fewshot.session.lessons import LessonStore

BACK = 5
"""Seconds for which a tile keeps the latest reading of a student who is not in view."""
FEWEST = 5
"""Counts of fewer people are not shown."""


@dataclass(frozen=True, slots=True)
class StoredTile:
    """The latest reading of one student.

    Attributes:
        student: name.
        second: of the lesson.
        state: an emotion or a state of the student's own, "unsure" or "not readable".
        confidence: mean over that second; None if nothing could be read.
    """

    student: str
    second: int
    state: str
    confidence: float | None


@dataclass(frozen=True, slots=True)
class StoredBoard:
    """A lesson at one moment, at most two seconds late.

    Attributes:
        second: of the lesson.
        tiles: of the students who were in view lately, by name; () if only counts are kept.
        counts: people per state, if only counts are kept and at least ``FEWEST`` were counted; else None.
    """

    second: int
    tiles: tuple[StoredTile, ...] = ()
    counts: dict[str, int] | None = field(default=None)


def stored_board(store: LessonStore, info: LessonInfo) -> StoredBoard:
    """The board of a lesson of ``store``.

    Raises:
        UsageError: it was deleted meanwhile.
        StoreError: it is damaged.
    """
    if info.aggregate:
        return _counts(store, info)
    opened = store.opened(info.id, max(0, int(info.seconds) - BACK))
    rows, names = opened.readings, opened.students
    tiles: dict[str, StoredTile] = {}
    for row in np.flatnonzero(rows.student != NOBODY):  # by second, so a later one replaces an earlier one
        name, emotion, confidence = names[int(rows.student[row])], int(rows.emotion[row]), float(rows.confidence[row])
        state = {UNSURE: "unsure", UNREADABLE: "not readable"}.get(emotion) or opened.labels[emotion]
        sure = round(confidence, 4) if np.isfinite(confidence) else None
        tiles[name] = StoredTile(name, int(rows.second[row]), state, sure)
    second = int(rows.second[-1]) if len(rows) else int(info.seconds)
    return StoredBoard(second, tuple(tiles[name] for name in sorted(tiles)))


def _counts(store: LessonStore, info: LessonInfo) -> StoredBoard:
    lesson = store.load(info.id)
    counts = lesson.counts()
    if not len(counts):
        return StoredBoard(0)
    words = [*lesson.labels, "unsure", "not readable"]
    last = {word: int(count) for word, count in zip(words, counts[-1], strict=True) if count}
    return StoredBoard(len(counts) - 1, counts=last if sum(last.values()) >= FEWEST else None)
