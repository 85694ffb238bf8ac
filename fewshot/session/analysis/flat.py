"""A hint that a lesson may be too slow: for minutes, faces are still and turned away more often than usual."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fewshot.session.analysis.grid import Floats
from fewshot.session.analysis.pace import FALSE_ALARMS, LEAST_CHANGE, LEAST_STUDENTS, WINDOW, Rise, chance_of, compare
from fewshot.session.lesson import UNREADABLE, Readings
from fewshot.translation import tr

LEAST_PART = 0.03
"""Least rise of each of the two parts: only neutral faces may be concentrated, only turned heads may be writing."""
_LOOKS = 20
"""As for the states, but chosen for this test: fewer of its chance rises stay below ``LEAST_CHANGE``."""
_STEP = 5
"""Seconds: two readings of a student that are further apart do not show movement."""


@dataclass(frozen=True, slots=True)
class Flat(Rise):
    """More still and turned-away faces than usual; see ``Rise``. Shares are those of seconds that were still or away.

    Attributes:
        still, away: the rise of each part, 0..1.
    """

    since: int
    until: int
    share: float
    usual: float
    still: float
    away: float
    students: int
    chance: float

    @property
    def text(self) -> str:
        """See ``Rise``."""
        return tr(
            "More still or turned-away faces than usual in the last {minutes}: {share} of {students} students, before "
            "that {usual}",
            **self._numbers,
        )


def flat_hint(readings: Readings, now: float, labels: Sequence[str], window: int = WINDOW) -> Flat | None:
    """Whether the class was still and looked away more than before; students are compared with themselves.

    A second of a student is still if it is neutral and the reading moved no more since the second before than half of
    the student's earlier neutral seconds did. It is away if the face could not be read or was not in view while others
    were. Both must rise. The test is that of ``pace_hint``.

    Args:
        readings: of the lesson so far.
        now: seconds since the lesson started.
        labels: of the readings.
        window: seconds.

    Returns:
        The hint, or None: nothing unusual, too early, or too few students.
    """
    compared = compare(readings, now, len(labels), window)
    if compared is None or len(compared.who) < LEAST_STUDENTS or "neutral" not in labels:
        return None
    since, until = int(now) - window, int(now)
    rows, row_of = _rows_of(readings, compared.who, until)
    student, second = row_of[readings.student[rows]].astype(np.intp), readings.second[rows]
    cell, cells = (second >= since) * len(compared.who) + student, 2 * len(compared.who)
    watched = _watched(student, second, len(compared.who), since, until)
    unread = readings.emotion[rows] == UNREADABLE
    blind, present = (np.bincount(cell[part], minlength=cells).reshape(2, -1) for part in (unread, slice(None)))
    away = (blind + np.maximum(0, watched - present)) / watched
    if (away[1] - away[0]).mean() < LEAST_PART:  # most of the time: what follows takes longer
        return None
    quiet = _still(
        readings.probabilities[rows], readings.emotion[rows], student, second, since, labels.index("neutral")
    )
    still = np.bincount(cell[quiet], minlength=cells).reshape(2, -1) / watched
    change = still[1] - still[0] + away[1] - away[0]
    stiller, further = (float((part[1] - part[0]).mean()) for part in (still, away))
    chance = chance_of(change, 1, window, _LOOKS)
    if chance > FALSE_ALARMS or change.mean() < LEAST_CHANGE or min(stiller, further) < LEAST_PART:
        return None
    usual, share = (float((still[i] + away[i]).mean()) for i in (0, 1))
    return Flat(since, until, share, usual, stiller, further, len(compared.who), chance)


def _rows_of(readings: Readings, who: NDArray[np.intp], until: int) -> tuple[NDArray[np.intp], NDArray[np.int16]]:
    """Rows of the students ``who`` before ``until``, and the place of each student in ``who`` (-1 for others)."""
    rows = np.flatnonzero((readings.student >= 0) & (readings.second < until))
    row_of = np.full(int(readings.student.max()) + 1, -1, np.int16)
    row_of[who] = np.arange(len(who))
    return rows[row_of[readings.student[rows]] >= 0], row_of


def _watched(
    student: NDArray[np.intp], second: NDArray[np.int32], students: int, since: int, until: int
) -> NDArray[np.intp]:
    """Seconds with a reading of anybody, from each student's first, before the window and in it, (2, students)."""
    first = np.zeros(students, np.intp)
    first[student[::-1]] = second[::-1]
    total = np.concatenate([[0], np.cumsum(np.bincount(second, minlength=until) > 0)])
    seen = np.stack([total[since] - total[first], np.full(students, total[until] - total[since])])
    watched: NDArray[np.intp] = np.maximum(1, seen)
    return watched


def _still(
    probabilities: NDArray[np.float32],
    emotion: NDArray[np.int32],
    student: NDArray[np.intp],
    second: NDArray[np.int32],
    since: int,
    neutral: int,
) -> NDArray[np.bool_]:
    """Rows that are neutral and move no more than half of the student's neutral rows before ``since``, shape (n,)."""
    order = np.argsort(student, kind="stable")  # rows are in the order of time already
    moved = np.empty(len(student))
    moved[order] = _movement(probabilities[order], student[order], second[order], emotion[order] == UNREADABLE)
    calm = (emotion == neutral) & ~np.isnan(moved)
    earlier = order[(calm & (second < since))[order]]
    limit = np.full(int(student.max()) + 1, -1.0)
    for part in np.split(earlier, np.flatnonzero(np.diff(student[earlier])) + 1):
        if len(part):
            limit[student[part[0]]] = np.median(moved[part])
    return np.asarray(calm & (np.nan_to_num(moved, nan=np.inf) <= limit[student]))


def _movement(
    probabilities: NDArray[np.float32], student: NDArray[np.int_], second: NDArray[np.int32], unread: NDArray[np.bool_]
) -> Floats:
    """Total variation between each reading and the student's one before, 0..1; NaN if there is none, shape (n,)."""
    moved = np.full(len(student), np.nan)
    if len(student) > 1:
        change = np.abs(np.diff(probabilities, axis=0)).sum(axis=1) / 2
        near = (np.diff(student) == 0) & (np.diff(second) <= _STEP) & ~unread[1:] & ~unread[:-1]
        moved[1:] = np.where(near, change, np.nan)
    return moved
