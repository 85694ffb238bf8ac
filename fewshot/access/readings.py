"""One student's part of a lesson as plain data."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from fewshot.access.others import hidden_in_label
from fewshot.session.lesson import UNREADABLE, UNSURE, Lesson
from fewshot.types import EMOTIONS


def lesson_data(
    lesson: Lesson, student: str, hide: Callable[[str], str], named: Callable[[str], bool]
) -> dict[str, Any]:
    """A lesson, and what was read of one student in it.

    Args:
        lesson: everything that is stored of it.
        student: name of a student of the class.
        hide: takes the names of others out of a text.
        named: whether a text names the student.

    Returns:
        Title, times, the teacher's markers that name the student, and one entry for every second in which the student
        was in view. Own states of other students are left out.
    """
    info = lesson.info
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
        "readings": _readings(lesson, student, hide),
    }


def _readings(lesson: Lesson, student: str, hide: Callable[[str], str]) -> list[dict[str, Any]]:
    if student not in lesson.students:
        return []
    rows, found, labels = lesson.readings, [], _labels(lesson, hide)
    for place in (rows.student == lesson.students.index(student)).nonzero()[0].tolist():
        shares = rows.probabilities[place].tolist()
        confidence = float(rows.confidence[place])
        found.append(
            {
                "second": int(rows.second[place]),
                "shown": _shown(labels, int(rows.emotion[place])),
                "confidence": None if math.isnan(confidence) else round(confidence, 4),
                "frames": int(rows.frames[place]),
                "readable": int(rows.readable[place]),
                "faces": int(rows.faces[place]),
                "probabilities": {
                    label: round(share, 4)
                    for label, share in zip(labels, shares, strict=True)
                    if share > 0 or (label in EMOTIONS and rows.readable[place] > 0)
                },
            }
        )
    return found


def _labels(lesson: Lesson, hide: Callable[[str], str]) -> list[str]:
    """The labels without the names of others. Two that are equal then keep different ones."""
    result: list[str] = []
    for label in lesson.labels:
        plain = hidden = str(hidden_in_label(label, hide))
        number = 2
        while hidden != label and hidden in result:
            hidden, number = f"{plain} {number}", number + 1
        result.append(hidden)
    return result


def _shown(labels: Sequence[str], emotion: int) -> str:
    return {UNSURE: "unsure", UNREADABLE: "not readable"}.get(emotion) or labels[emotion]
