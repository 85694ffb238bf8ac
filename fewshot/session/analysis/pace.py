"""A hint on pace while the lesson runs: "more confused faces than usual for 3 minutes"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from fewshot.session.analysis.grid import Floats
from fewshot.session.analysis.words import how_sure, minutes, percent
from fewshot.session.lesson import Readings

WINDOW = 180
"""Seconds that are compared with the lesson before them."""
WARM_UP = 300
"""Seconds of lesson before the window, below which nothing is usual yet."""
LEAST_STUDENTS = 8
"""Readable students below which no hint is given: with fewer the test has no power, and points at single people."""
LEAST_CHANGE = 0.1
FALSE_ALARMS = 0.05
"""Lessons of an hour out of one without common change that may show a hint; for the limit see ``pace_hint``."""
_LOOKS = 40
"""Independent looks an hour is worth: 20 windows of 3 minutes, and as many again for looking all the time."""
NOT_A_PACE = ("neutral", "happy")
"""States that ask for no slower pace."""


@dataclass(frozen=True, slots=True)
class Hint:
    """More of a state than usual.

    Attributes:
        state: of which there is more.
        since, until: seconds; the window.
        share, usual: of the students, now and before, 0..1.
        students: who were compared with themselves.
        chance: probability of such a hint in an hour without common change.
    """

    state: str
    since: int
    until: int
    share: float
    usual: float
    students: int
    chance: float

    @property
    def text(self) -> str:
        """What the teacher reads, with the evidence."""
        length = minutes(self.until - self.since)
        return (
            f"More {self.state} faces than usual for {length}: {percent(self.share)} of {self.students} students "
            f"against {percent(self.usual)} before"
        )

    @property
    def sure(self) -> str:
        """In words."""
        return how_sure(self.chance)


def pace_hint(
    readings: Readings, now: float, labels: Sequence[str], window: int = WINDOW, watch: Sequence[str] | None = None
) -> Hint | None:
    """Whether there is more of a state in the last minutes than before, over students compared with themselves.

    Every student's share of the window is set against the same student's share of the lesson before it; Student's t of
    these differences, one-sided, with a limit that is divided by the states and by the looks of an hour (Bonferroni).
    A few milliseconds for an hour of 49 students: it may be asked every few seconds.

    How sure: see ``Hint.chance``. It says that faces changed together, not that anybody did not understand.

    Args:
        readings: of the lesson so far.
        now: seconds since the lesson started.
        labels: of the readings.
        window: seconds.
        watch: states to look at; all but "neutral" and "happy" without it.

    Returns:
        The most certain rise, or None: nothing unusual, too early, or too few students.
    """
    until = int(now)
    since = until - window
    if since < WARM_UP or len(readings) == 0:
        return None
    rows = (readings.student >= 0) & (readings.emotion != -2) & (readings.second < until)
    late = readings.second >= since
    recent, before = (_seconds(readings, rows & part, len(labels)) for part in (late, ~late))
    enough = np.zeros(max(len(recent), len(before)), bool)
    both = min(len(recent), len(before))
    enough[:both] = (recent[:both].sum(1) >= window / 4) & (before[:both].sum(1) >= WARM_UP / 4)
    who = np.flatnonzero(enough)
    if len(who) < LEAST_STUDENTS:
        return None
    share, usual = (part[who] / part[who].sum(1, keepdims=True) for part in (recent, before))
    return _strongest(share, usual, labels, watch, since, until)


def _strongest(
    share: Floats, usual: Floats, labels: Sequence[str], watch: Sequence[str] | None, since: int, until: int
) -> Hint | None:
    count = len(share)
    names = [label for label in (watch or labels) if label in labels and (watch or label not in NOT_A_PACE)]
    best: Hint | None = None
    for name in names:
        column = list(labels).index(name)
        change = share[:, column] - usual[:, column]
        # Half a second a student: a state nobody ever showed must not divide by nothing.
        error = max(float(change.std(ddof=1)), 0.5 / (until - since)) / np.sqrt(count)
        alone = float(special.stdtr(count - 1, -change.mean() / error))
        chance = min(1.0, alone * len(names) * _LOOKS)
        if chance <= FALSE_ALARMS and change.mean() >= LEAST_CHANGE and (best is None or chance < best.chance):
            now, before = float(share[:, column].mean()), float(usual[:, column].mean())
            best = Hint(name, since, until, now, before, count, chance)
    return best


def _seconds(readings: Readings, rows: NDArray[np.bool_], labels: int) -> Floats:
    """Seconds by student and state, the last column "unsure", shape (students, labels + 1)."""
    student, emotion = readings.student[rows], readings.emotion[rows]
    cell = student * (labels + 1) + np.where(emotion >= 0, emotion, labels)
    count = int(student.max()) + 1 if len(student) else 0
    return np.bincount(cell, minlength=count * (labels + 1)).reshape(count, labels + 1).astype(np.float64)
