"""The two questions of a teacher at a glance: is the lesson too fast or too slow, and who may need attention?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fewshot.session.analysis.findings import Findings
from fewshot.session.analysis.flat import Flat
from fewshot.session.analysis.pace import WINDOW, Hint, why_not
from fewshot.session.analysis.unlike import Unlike
from fewshot.session.analysis.words import MINIMUM, minutes
from fewshot.session.summary import clock

HOLD = 45
"""Seconds for which an event is kept after it was last found, so that it does not flicker. Then it is over."""
MOST_NAMES = 3
MARK = "Hint: "
"""The beginning of the markers that hints leave in the lesson."""
_NEAR = 75
"""Seconds: a marker of the teacher so close to the beginning of the window gives the sentence its "since"."""
_HARD = ("angry", "confused", "disgust", "fear", "sad")
_BORED = ("bored", "sleepy", "tired")
_SLOW = "too slow, or time for a break?"

Event = Hint | Flat


@dataclass(frozen=True, slots=True)
class Glance:
    """What stands on top of the live page.

    Attributes:
        sentence: about the pace: an event, "nothing unusual", or why it cannot be judged.
        event: the event of the class; None if there is none.
        judged: whether an event could have been found.
        asks: at most three names with the evidence, or "".
        attention: all students who differ from their own usual, in the order of the class.
        why: sentences on what was compared, how sure it is, and what it cannot show.
    """

    sentence: str
    event: Event | None = None
    judged: bool = False
    asks: str = ""
    attention: tuple[str, ...] = ()
    why: tuple[str, ...] = ()


@dataclass(slots=True)
class _Kept:
    """An event that is being shown: when it began, when it was found last, and what was found last."""

    began: int
    last: int
    what: Event | Unlike


class Attention:
    """Follows the findings of one lesson: an event begins once, is marked once, and ends after ``HOLD`` seconds."""

    def __init__(self) -> None:
        self._class: _Kept | None = None
        self._students: dict[str, _Kept] = {}
        self._latest: Findings | None = None

    def take(self, found: Findings) -> str | None:
        """Take in what a look found. Returns the text of a marker if an event of the class has just begun."""
        self._latest, now = found, found.second
        if found.reason:  # the sentence says why nothing is judged
            self._class, self._students = None, {}
            return None
        self._students = {name: kept for name, kept in self._students.items() if 0 <= now - kept.last <= HOLD}
        for one in found.unlike:
            before = self._students.get(one.student)
            self._students[one.student] = _Kept(before.began if before else one.since, now, one)
        return self._begin(found, now)

    def _begin(self, found: Findings, now: int) -> str | None:
        shown = self._class
        if shown is not None and not 0 <= now - shown.last <= HOLD:
            shown = self._class = None
        events = {_kind(event): event for event in (found.hint, found.flat) if event is not None}
        if shown is not None and _kind(shown.what) in events:
            shown.last, shown.what = now, events[_kind(shown.what)]
        if not events or shown is not None:
            return None
        event = min(events.values(), key=lambda one: one.chance)
        self._class = _Kept(event.since, now, event)
        return MARK + _counts(event, whole=True)  # the whole-class view shows it too, and no number below five

    def glance(
        self,
        students: int,
        aggregate: bool,
        second: float,
        markers: Sequence[tuple[float, str]] = (),
        *,
        named: Callable[[str], bool] = lambda _name: True,
        whole: bool = False,
        shown: Callable[[str], str] = str,
    ) -> Glance:
        """What to show now.

        Args:
            students: of the class; 0 for a lesson without a class.
            aggregate: the lesson keeps only counts for the whole class.
            second: of the lesson.
            markers: of the teacher, (second, text), by time.
            named: whether a student may be named at this moment.
            whole: the page shows the whole class only: no names, and no number of people below five.
            shown: how names and the texts of markers are written.
        """
        found = self._latest
        reason = why_not(students, aggregate, second, None if found is None else found.judged)
        reason = reason or (found.reason if found is not None else "")
        people = [] if whole or aggregate or not students else self._people(named)
        asks, attention = _asks(people, shown), tuple(kept.what.student for kept in people)  # type: ignore[union-attr]
        event = self._class.what if self._class is not None and not reason else None
        why = _why(found, event, people, reason, shown, whole)
        if reason or not isinstance(event, Hint | Flat) or self._class is None:
            calm = f"Nothing unusual in the last {minutes(WINDOW)}."
            return Glance(reason or calm, None, not reason, asks, attention, why)
        began = "" if whole else _since(self._class.began, markers, shown)
        lead = began or f"In the last {minutes(event.until - event.since)}"
        return Glance(f"{lead} {_counts(event, whole)}: {_question(event)}", event, True, asks, attention, why)

    def _people(self, named: Callable[[str], bool]) -> list[_Kept]:
        order = list(self._latest.students) if self._latest is not None else []
        kept = [self._students[name] for name in order if name in self._students and named(name)]
        return kept


def _kind(event: object) -> str:
    return event.state if isinstance(event, Hint) else "flat"


def _counts(event: Event, whole: bool = False) -> str:
    """ "14 of 49 look sad, 3 usually": means over the window and over the lesson before it, as whole people."""
    now, usual = round(event.share * event.students), round(event.usual * event.students)
    few = f"fewer than {MINIMUM}"
    shown = few if whole and now < MINIMUM else str(max(1, now))
    before = few if whole and usual < MINIMUM else str(usual) if usual else "none"
    what = f"look {event.state}" if isinstance(event, Hint) else "are still or turned away"
    return f"{shown} of {event.students} {what}, {before} usually"


def _question(event: Event) -> str:
    if isinstance(event, Flat) or event.state in _BORED:
        return _SLOW
    return "harder than it seemed?" if event.state in _HARD else "worth a question?"


def _since(began: int, markers: Sequence[tuple[float, str]], shown: Callable[[str], str]) -> str:
    """ "Since Exercise 2 (5:30)", if the teacher marked the time at which the window began; else ""."""
    near = [(second, text) for second, text in markers if abs(second - began) <= _NEAR and not text.startswith(MARK)]
    if not near:
        return ""
    second, text = near[-1]
    return f"Since {shown(text)} ({clock(second)})"


def _asks(people: Sequence[_Kept], shown: Callable[[str], str]) -> str:
    """Those whose event began first are named, in the order of the class: the names are no ranking."""
    if not people:
        return ""
    first = sorted(people, key=lambda kept: kept.began)[:MOST_NAMES]
    names = [shown(kept.what.student) for kept in people if kept in first]  # type: ignore[union-attr]
    more = f" and {len(people) - len(first)} more" if len(people) > len(first) else ""
    return f"Perhaps ask: {', '.join(names)}{more} (unlike their own usual since {clock(first[0].began)})"


def _why(
    found: Findings | None,
    event: object,
    people: Sequence[_Kept],
    reason: str,
    shown: Callable[[str], str],
    whole: bool,
) -> tuple[str, ...]:
    if found is None:
        return ()
    lines = []
    if not reason:
        window = f"{clock(found.second - WINDOW)} to {clock(found.second)}"
        lines.append(f"Compared: {window} with the lesson before it, each of {found.judged} students with themselves.")
    if isinstance(event, Hint | Flat):
        lines += [] if whole else [f"{event.text}."]  # its shares may be of fewer than five people
        lines.append(f"How sure: {event.sure}. It is not shown why, and single readings can be wrong.")
    if isinstance(event, Flat):
        lines.append(
            f"Still and neutral: {event.still * 100:+.0f} points. Turned away or not in view: {event.away * 100:+.0f} "
            "points. Students who read or write look the same."
        )
    lines += [f"{_evidence(kept.what, shown)}." for kept in people]
    return (*lines, *(() if reason else found.limits))


def _evidence(one: object, shown: Callable[[str], str]) -> str:
    return one.text_with(shown) if isinstance(one, Unlike) else ""
