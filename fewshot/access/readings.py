"""One student's part of a lesson as plain data."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from fewshot.access.others import is_named
from fewshot.session.lesson import UNREADABLE, UNSURE, Lesson
from fewshot.types import EMOTIONS


def lesson_data(lesson: Lesson, student: str, hide: Callable[[str], str]) -> dict[str, Any]:
    """A lesson, and what was read of one student in it.

    Args:
        lesson: everything that is stored of it.
        student: name of a student of the lesson.
        hide: takes the names of others out of a text.

    Returns:
        Title, times, the teacher's markers that name the student, and one entry for every second in which the student
        was in view. Own states of other students are left out.
    """
    info, named = lesson.info, is_named(student, [other for other in lesson.students if other != student])
    return {
        "number": info.id,
        "title": hide(info.title),
        "class": hide(info.classroom),
        "started": info.started.isoformat(),
        "ended": None if info.ended is None else info.ended.isoformat(),
        "seconds": info.seconds,
        "source": hide(info.source),
        "network": info.network,
        "markers": [
            {"second": marker.second, "text": hide(marker.text)} for marker in lesson.markers if named(marker.text)
        ],
        "readings": _readings(lesson, student),
    }


def _readings(lesson: Lesson, student: str) -> list[dict[str, Any]]:
    if student not in lesson.students:
        return []
    rows, found = lesson.readings, []
    for place in (rows.student == lesson.students.index(student)).nonzero()[0].tolist():
        shares = rows.probabilities[place].tolist()
        confidence = float(rows.confidence[place])
        found.append(
            {
                "second": int(rows.second[place]),
                "shown": _shown(lesson, int(rows.emotion[place])),
                "confidence": None if math.isnan(confidence) else round(confidence, 4),
                "frames": int(rows.frames[place]),
                "readable": int(rows.readable[place]),
                "probabilities": {
                    label: round(share, 4)
                    for label, share in zip(lesson.labels, shares, strict=True)
                    if share > 0 or (label in EMOTIONS and rows.readable[place] > 0)
                },
            }
        )
    return found


def _shown(lesson: Lesson, emotion: int) -> str:
    return {UNSURE: "unsure", UNREADABLE: "not readable"}.get(emotion) or lesson.labels[emotion]
