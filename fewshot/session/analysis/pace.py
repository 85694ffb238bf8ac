"""A hint on pace during the lesson: "more confused faces than usual in the last 3 minutes"."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from fewshot.session.analysis.grid import Floats
from fewshot.session.analysis.words import how_sure, minutes, percent
from fewshot.session.lesson import Readings
from fewshot.translation import tr, tr_n
from fewshot.translation.words import emotion_word

WINDOW = 180
"""Seconds: the last part of the lesson, which is compared with the part before it."""
WARM_UP = 300
"""Seconds of lesson that are needed before the window to know what is usual."""
LEAST_STUDENTS = 8
"""With fewer readable students there is no hint: the test would have no power, and would point at single people."""
LEAST_CHANGE = 0.1
FALSE_ALARMS = 0.05
"""Accepted share of one-hour lessons without common change that show a hint; for the limit see ``pace_hint``."""
_LOOKS = 2
"""By how much the limit is divided for the many looks of an hour. An hour has 20 windows, but most of what rises by
chance stays below ``LEAST_CHANGE``. Chosen on made-up lessons: with 40, a class of 12 or 25 hardly ever had a hint."""
NOT_A_PACE = ("neutral", "happy")
"""States that are not a reason for a slower pace."""


class Rise(ABC):
    """What every hint says: more faces of a kind than usual, in the last minutes.

    Attributes:
        since, until: the window, seconds.
        share, usual: mean share over students, now and before, 0..1.
        students: number of students who were compared with themselves.
        chance: probability of such a hint in an hour without common change.
    """

    __slots__ = ()
    since: int
    until: int
    share: float
    usual: float
    students: int
    chance: float

    @property
    @abstractmethod
    def text(self) -> str:
        """The sentence for the teacher, with the evidence."""

    @property
    def _numbers(self) -> dict[str, object]:
        return {
            "minutes": minutes(self.until - self.since),
            "share": percent(self.share),
            "students": self.students,
            "usual": percent(self.usual),
        }

    @property
    def sure(self) -> str:
        """The certainty in words."""
        return how_sure(self.chance)


@dataclass(frozen=True, slots=True)
class Hint(Rise):
    """More of a state than usual; see ``Rise``.

    Attributes:
        state: the state that has increased.
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
        """See ``Rise``."""
        return tr(
            "More {state} faces than usual in the last {minutes}: {share} of {students} students, before that {usual}",
            state=emotion_word(self.state), **self._numbers,
        )  # fmt: skip


def pace_hint(
    readings: Readings, now: float, labels: Sequence[str], window: int = WINDOW, watch: Sequence[str] | None = None
) -> Hint | None:
    """Whether a state was more frequent in the last minutes than before; students are compared with themselves.

    Every student's share in the window is compared with the same student's share in the lesson before it. The test is a
    one-sided Student's t test of these differences; its limit is divided by the number of states and by the tests per
    hour (Bonferroni). It takes a few milliseconds for an hour of 49 students, so it can run every few seconds.

    Certainty: see ``Hint.chance``. A hint says that faces changed together, not that anybody did not understand.

    Args:
        readings: of the lesson so far.
        now: seconds since the lesson started.
        labels: of the readings.
        window: seconds.
        watch: states to test, possibly none; None: all but "neutral" and "happy". See ``trusted_states``.

    Returns:
        The most certain rise, or None: nothing unusual, too early, or too few students.
    """
    compared = compare(readings, now, len(labels), window)
    if compared is None or len(compared.share) < LEAST_STUDENTS:
        return None
    return _strongest(compared.share, compared.usual, labels, watch, int(now) - window, int(now))


def judged(readings: Readings, now: float, labels: Sequence[str], window: int = WINDOW) -> int | None:
    """How many students can be compared with themselves now; with fewer than ``LEAST_STUDENTS`` no hint is possible.

    Arguments as for ``pace_hint``.

    Returns:
        None while it is too early for any hint.
    """
    if now < WARM_UP + window:
        return None
    compared = compare(readings, now, len(labels), window)
    return 0 if compared is None else len(compared.share)


def why_not(students: int, aggregate: bool, second: float, compared: int | None) -> str:
    """Why there can be no hint on pace, as a sentence for the teacher; "" if the pace is judged.

    Args:
        students: of the class; 0 for a lesson without a class.
        aggregate: the lesson keeps only counts for the whole class.
        second: of the lesson.
        compared: how many students can be compared with themselves (``judged``); None: unknown.
    """
    if aggregate:
        return tr("Pace: cannot be judged, because this lesson keeps only counts for the whole class.")
    if not students:
        return tr(
            "Pace: cannot be judged without a class with students, because students are compared with their own usual."
        )
    if students < LEAST_STUDENTS:
        return tr_n(
            "Pace: cannot be judged with {number} student. It takes at least {least}.",
            "Pace: cannot be judged with {number} students. It takes at least {least}.",
            students, least=LEAST_STUDENTS,
        )  # fmt: skip
    if second < WARM_UP + WINDOW:
        return tr("Pace: hints start after eight minutes, when it is clear what is usual in this lesson.")
    if compared is not None and compared < LEAST_STUDENTS:
        return tr_n(
            "Pace: cannot be judged now. {number} student could be read long enough, and it takes at least {least}.",
            "Pace: cannot be judged now. {number} students could be read long enough, and it takes at least {least}.",
            compared, least=LEAST_STUDENTS,
        )  # fmt: skip
    return ""


@dataclass(frozen=True, eq=False, slots=True)
class Compared:
    """Students who were readable both in the window and before it.

    Attributes:
        who: their indices, shape (n,).
        share, usual: shares of their readable time in the window and before it, the last column is "unsure", shape
            (n, labels + 1).
        seconds: readable seconds in the window, shape (n,).
    """

    who: NDArray[np.intp]
    share: Floats
    usual: Floats
    seconds: Floats


def compare(readings: Readings, now: float, labels: int, window: int = WINDOW) -> Compared | None:
    """Every student's shares in the last ``window`` seconds and before; None if it is too early.

    Args:
        readings: of the lesson so far.
        now: seconds since the lesson started.
        labels: number of labels of the readings.
        window: seconds.
    """
    since = int(now) - window
    if since < WARM_UP or len(readings) == 0:
        return None
    rows = (readings.student >= 0) & (readings.emotion != -2) & (readings.second < int(now))
    late = readings.second >= since
    recent, before = (_seconds(readings, rows & part, labels) for part in (late, ~late))
    enough = np.zeros(max(len(recent), len(before)), bool)
    both = min(len(recent), len(before))
    enough[:both] = (recent[:both].sum(1) >= window / 4) & (before[:both].sum(1) >= WARM_UP / 4)
    who = np.flatnonzero(enough)
    share, usual = (part[who] / part[who].sum(1, keepdims=True) for part in (recent, before))
    return Compared(who, share, usual, recent[who].sum(1))


def trusted_states(
    reliable: Collection[str], known: Collection[str], photographed: Sequence[Collection[str | None]]
) -> list[str] | None:
    """The states that a hint may name: readings of the others are wrong too often.

    Args:
        reliable: states that can be relied on without photos (``Population.reliable``); empty where nobody measured it.
        known: states that everybody is compared with.
        photographed: for each student, the states with own photos.

    Returns:
        Reliable states, states of which half of the students have own photos, and students' own states; without those
        that are no reason for another pace. None for all states.
    """
    shown = trusted(reliable, known, photographed)
    return None if shown is None else [state for state in shown if state not in NOT_A_PACE]


def trusted(
    reliable: Collection[str], known: Collection[str], photographed: Sequence[Collection[str | None]]
) -> list[str] | None:
    """As ``trusted_states``, with "neutral" and "happy" where these can be trusted."""
    if not reliable:
        return None
    counts = Counter(state for states in photographed for state in set(states) if state)
    enough = max(1, (len(photographed) + 1) // 2)
    shown = [state for state, count in counts.items() if count >= enough or state not in known]
    return list(dict.fromkeys((*reliable, *shown)))


def _strongest(
    share: Floats, usual: Floats, labels: Sequence[str], watch: Sequence[str] | None, since: int, until: int
) -> Hint | None:
    names = [label for label in labels if (label not in NOT_A_PACE if watch is None else label in watch)]
    best: Hint | None = None
    for name in names:
        column = list(labels).index(name)
        change = share[:, column] - usual[:, column]
        chance = chance_of(change, len(names), until - since)
        if chance <= FALSE_ALARMS and change.mean() >= LEAST_CHANGE and (best is None or chance < best.chance):
            now, before = float(share[:, column].mean()), float(usual[:, column].mean())
            best = Hint(name, since, until, now, before, len(share), chance)
    return best


def chance_of(change: Floats, tests: int, window: int, looks: float = _LOOKS) -> float:
    """Probability of such a mean rise in an hour without common change (one-sided t test, Bonferroni).

    Args:
        change: of every student, shape (students,), at least 2.
        tests: number of states that are tested at once.
        window: seconds.
        looks: by how much the limit is divided for the looks of an hour.
    """
    # At least half a second per student, so that a state that never occurred does not lead to a division by zero.
    error = max(float(change.std(ddof=1)), 0.5 / window) / np.sqrt(len(change))
    alone = float(special.stdtr(len(change) - 1, -change.mean() / error))
    return min(1.0, alone * tests * looks)


def _seconds(readings: Readings, rows: NDArray[np.bool_], labels: int) -> Floats:
    """Seconds by student and state, the last column "unsure", shape (students, labels + 1)."""
    student, emotion = readings.student[rows], readings.emotion[rows]
    cell = student * (labels + 1) + np.where(emotion >= 0, emotion, labels)
    count = int(student.max()) + 1 if len(student) else 0
    return np.bincount(cell, minlength=count * (labels + 1)).reshape(count, labels + 1).astype(np.float64)
