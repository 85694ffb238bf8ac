"""The state of a lesson now, read from the store: any process can show a lesson that runs in another one."""

from __future__ import annotations

import numpy as np

from fewshot.api.shapes import BoardShape, TileShape
from fewshot.session.lesson import NOBODY, UNREADABLE, UNSURE, LessonInfo
from fewshot.session.lessons import LessonStore

BACK = 5
"""Seconds for which a tile keeps the latest reading of a student who is not in view."""
FEWEST = 5
"""Counts of fewer people are not shown."""


def board_of(store: LessonStore, info: LessonInfo) -> BoardShape:
    """Tiles of the students who were in view lately; counts only, if the lesson keeps nothing else.

    Args:
        store: the store of the lesson.
        info: the lesson.

    Raises:
        UsageError: it was deleted meanwhile.
        StoreError: it is damaged.
    """
    if info.aggregate:
        return _counts(store, info)
    since = max(0, int(info.seconds) - BACK)
    opened = store.opened(info.id, since)
    rows, names = opened.readings, opened.students
    tiles: dict[str, TileShape] = {}
    for row in np.flatnonzero(rows.student != NOBODY):  # by second, so a later one replaces an earlier one
        name, emotion = names[int(rows.student[row])], int(rows.emotion[row])
        state = {UNSURE: "unsure", UNREADABLE: "not readable"}.get(emotion) or opened.labels[emotion]
        confidence = float(rows.confidence[row])
        tiles[name] = TileShape(
            student=name, second=int(rows.second[row]), state=state,
            confidence=round(confidence, 4) if np.isfinite(confidence) else None,
        )  # fmt: skip
    second = int(rows.second[-1]) if len(rows) else int(info.seconds)
    return BoardShape(
        lesson=info.id, state=info.state, second=second, tiles=[tiles[name] for name in sorted(tiles)], counts=None
    )


def _counts(store: LessonStore, info: LessonInfo) -> BoardShape:
    lesson = store.load(info.id)
    counts, second = lesson.counts(), 0
    shown = None
    if len(counts):
        second = len(counts) - 1
        words = [*lesson.labels, "unsure", "not readable"]
        last = {word: int(count) for word, count in zip(words, counts[second], strict=True) if count}
        shown = last if sum(last.values()) >= FEWEST else None
    return BoardShape(lesson=info.id, state=info.state, second=second, tiles=[], counts=shown)
