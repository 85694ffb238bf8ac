"""One look at a running lesson: a hint in either direction, and who is unlike their own usual, from one window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fewshot.session.analysis.flat import Flat, flat_hint
from fewshot.session.analysis.pace import NOT_A_PACE, Hint, compare, judged, pace_hint
from fewshot.session.analysis.unlike import Unlike, unlike_usual
from fewshot.session.lesson import Readings

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
        reason: why the pace cannot be judged now, beside what ``why_not`` says; "" if it can.
        limits: what cannot be found in this lesson, as sentences.
    """

    second: int
    students: tuple[str, ...]
    judged: int | None
    hint: Hint | None = None
    flat: Flat | None = None
    unlike: tuple[Unlike, ...] = ()
    reason: str = ""
    limits: tuple[str, ...] = ()


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
        return Findings(int(now), names, count, reason="Pace: cannot be judged now, because most readings are unsure.")
    if watch is not None and not watch and not neutral:
        return Findings(int(now), names, count, reason=_NOTHING)
    hint = pace_hint(readings, now, labels, watch=watch)
    flat = flat_hint(readings, now, labels) if neutral else None
    unlike = tuple(unlike_usual(readings, now, labels, students, watch))
    return Findings(int(now), names, count, hint, flat, unlike, limits=_limits(watch, neutral))


_PHOTOS = "Add photos of the expression for at least half of the students on the page Class."
_NOTHING = f"Pace: cannot be judged, because no expression can be relied on in this class. {_PHOTOS}"


def _limits(watch: Sequence[str] | None, neutral: bool) -> tuple[str, ...]:
    lines = []
    if watch is not None:
        states = [state for state in watch if state not in NOT_A_PACE]
        named = f"only {', '.join(states)}" if states else "none"
        lines.append(f"Expressions that are reliable enough to be named here: {named}.")
    if not neutral:
        lines.append(f"Too slow cannot be judged: neutral faces are not reliable in this class. {_PHOTOS}")
    return tuple(lines)
