"""One look at a running lesson: a hint in either direction, and who is unlike their own usual, from one window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fewshot.session.analysis.flat import Flat, flat_hint
from fewshot.session.analysis.pace import NOT_A_PACE, Hint, compare, judged, pace_hint
from fewshot.session.analysis.unlike import Unlike, unlike_usual
from fewshot.session.lesson import Readings
from fewshot.translation import later, tr
from fewshot.translation.words import emotion_word

MOSTLY_UNSURE = 0.5
"""Mean share of unsure seconds in the window above which nothing is judged."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What one look found.

    Attributes:
        second: of the lesson.
        students: all names, in the order of the class.
        judged: how many students could be compared with themselves; None if it is too early.
        hint: more of a state than usual.
        flat: more still and turned-away faces than usual.
        unlike: students who differ from their own usual, in the order of the class.
        reason: why the pace cannot be judged now, beside what ``why_not`` says, in English; "" if it can.
        watched: the states that can be relied on; None: all.
        neutral: whether "neutral" can be relied on.
    """

    second: int
    students: tuple[str, ...]
    judged: int | None
    hint: Hint | None = None
    flat: Flat | None = None
    unlike: tuple[Unlike, ...] = ()
    reason: str = ""
    watched: tuple[str, ...] | None = None
    neutral: bool = True

    @property
    def limits(self) -> tuple[str, ...]:
        """What cannot be found in this lesson, as sentences for whoever reads them now."""
        lines = []
        if self.watched is not None:
            states = [emotion_word(state) for state in self.watched if state not in NOT_A_PACE]
            lines.append(
                tr("Expressions that are reliable enough to be named here: only {states}.", states=", ".join(states))
                if states
                else tr("Expressions that are reliable enough to be named here: none.")
            )
        if not self.neutral:
            lines.append(tr(_NOT_TOO_SLOW))
        return tuple(lines)


def look(
    readings: Readings,
    now: float,
    labels: Sequence[str],
    students: Sequence[str],
    watch: Sequence[str] | None = None,
    neutral: bool = True,
) -> Findings:
    """Look at the lesson so far.

    Args:
        readings: of the lesson so far.
        now: seconds since the lesson started.
        labels: of the readings.
        students: names by the index of the readings.
        watch: states that can be relied on (``trusted_states``); None: all.
        neutral: whether "neutral" can be relied on; without it, a lesson that is too slow cannot be recognised.
    """
    count = judged(readings, now, labels)
    names = tuple(students)
    if not count:
        return Findings(int(now), names, count)
    compared = compare(readings, now, len(labels))
    if compared is not None and compared.share[:, -1].mean() > MOSTLY_UNSURE:
        return Findings(int(now), names, count, reason=_UNSURE)
    if watch is not None and not watch and not neutral:
        return Findings(int(now), names, count, reason=_NOTHING)
    hint = pace_hint(readings, now, labels, watch=watch)
    flat = flat_hint(readings, now, labels) if neutral else None
    unlike = tuple(unlike_usual(readings, now, labels, students, watch))
    watched = None if watch is None else tuple(watch)
    return Findings(int(now), names, count, hint, flat, unlike, watched=watched, neutral=neutral)


_UNSURE = later("Pace: cannot be judged now, because most readings are unsure.")
_NOTHING = later(
    "Pace: cannot be judged, because no expression can be relied on in this class. Add photos of the expression for at "
    "least half of the students on the page Class."
)
_NOT_TOO_SLOW = later(
    "Too slow cannot be judged: neutral faces are not reliable in this class. Add photos of the expression for at "
    "least half of the students on the page Class."
)
