"""The two questions of a teacher at a glance: is the lesson too fast or too slow, and who may need attention?"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fewshot.session.analysis.findings import Findings
from fewshot.session.analysis.flat import Flat
from fewshot.session.analysis.pace import WINDOW, Hint, why_not
from fewshot.session.analysis.unlike import Unlike
from fewshot.session.analysis.words import MINIMUM, minutes
from fewshot.session.summary import clock
from fewshot.translation import later, tr, tr_n
from fewshot.translation.words import emotion_word

HOLD = 45
"""Seconds for which an event is kept after it was last found, so that it does not flicker. Then it is over."""
MOST_NAMES = 3
MARK = "Hint: "
"""The beginning of the markers that hints leave in the lesson. Markers are stored, so they are in English."""
_NEAR = 75
"""Seconds: a marker of the teacher so close to the beginning of the window gives the sentence its "since"."""
_HARD = ("angry", "confused", "disgust", "fear", "sad")
_BORED = ("bored", "sleepy", "tired")
_SLOW = later("too slow, or time for a break?")
_FEW = later("fewer than {least}")
_NONE = later("none")
_LOOK = later("Hint: {now} of {students} look {state}, {usual} usually")
_STILL = later("Hint: {now} of {students} are still or turned away, {usual} usually")
_LOOKED = re.compile(r"Hint: (fewer than 5|\d+) of (\d+) look (.+), (fewer than 5|none|\d+) usually")
_STOOD = re.compile(r"Hint: (fewer than 5|\d+) of (\d+) are still or turned away, (fewer than 5|none|\d+) usually")
_LAST_LOOK = later("In the last {minutes} {now} of {students} look {state}, {usual} usually: {question}")
_LAST_STILL = later("In the last {minutes} {now} of {students} are still or turned away, {usual} usually: {question}")
_SINCE_LOOK = later("Since {marker} ({time}) {now} of {students} look {state}, {usual} usually: {question}")
_SINCE_STILL = later(
    "Since {marker} ({time}) {now} of {students} are still or turned away, {usual} usually: {question}"
)

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
    """Follows the findings of one lesson: an event begins once, is marked once, and ends after ``HOLD`` seconds.

    Two looks at the same minutes find the same event, also if nothing was found between them, or nobody looked: it is
    shown again, but not marked again.
    """

    def __init__(self) -> None:
        self._class: _Kept | None = None
        self._marked: dict[str, _Kept] = {}
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
        before = self._marked.get(_kind(event))
        if before is not None and event.since < before.last <= now:  # some of the minutes are those of the last find
            before.last, before.what, self._class = now, event, before
            return None
        self._class = self._marked[_kind(event)] = _Kept(event.since, now, event)
        return _marker(event)

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
        reason = reason or (tr(found.reason) if found is not None and found.reason else "")
        people = [] if whole or aggregate or not students else self._people(named)
        asks, attention = _asks(people, shown), tuple(kept.what.student for kept in people)  # type: ignore[union-attr]
        event = self._class.what if self._class is not None and not reason else None
        why = _why(found, event, people, reason, shown, whole)
        if reason or not isinstance(event, Hint | Flat) or self._class is None:
            calm = tr("Nothing unusual in the last {minutes}.", minutes=minutes(WINDOW))
            return Glance(reason or calm, None, not reason, asks, attention, why)
        marker = None if whole else _near(self._class.began, markers)
        return Glance(_sentence(event, marker, shown, whole), event, True, asks, attention, why)

    def _people(self, named: Callable[[str], bool]) -> list[_Kept]:
        order = list(self._latest.students) if self._latest is not None else []
        kept = [self._students[name] for name in order if name in self._students and named(name)]
        return kept


def _kind(event: object) -> str:
    return event.state if isinstance(event, Hint) else "flat"


def _counts(event: Event, whole: bool, put: Callable[..., str]) -> dict[str, object]:
    """The values of "14 of 49 look sad, 3 usually": means over the window and over the lesson before it, as people.

    Args:
        whole: no number of people below five.
        put: ``tr``, or ``str.format`` for what is stored.
    """
    now, usual = round(event.share * event.students), round(event.usual * event.students)
    few = put(_FEW, least=MINIMUM)
    return {
        "now": few if whole and now < MINIMUM else str(max(1, now)),
        "students": event.students,
        "usual": few if whole and usual < MINIMUM else str(usual) if usual else put(_NONE),
    }


def _marker(event: Event) -> str:
    """The text that is stored. The whole-class view shows it too, so it has no number below five."""
    counts = _counts(event, True, str.format)
    if isinstance(event, Hint):
        return _LOOK.format(state=event.state, **counts)
    return _STILL.format(**counts)


def hint_word(marker: str) -> str:
    """What a reader sees for the marker of a hint, which is stored in English. Other markers stay as they are."""
    if found := _LOOKED.fullmatch(marker):
        now, students, state, usual = found.groups()
        return tr(_LOOK, now=_number(now), students=students, state=emotion_word(state), usual=_number(usual))
    if found := _STOOD.fullmatch(marker):
        now, students, usual = found.groups()
        return tr(_STILL, now=_number(now), students=students, usual=_number(usual))
    return marker


def _number(stored: str) -> str:
    return stored if stored.isdecimal() else tr(_NONE) if stored == _NONE else tr(_FEW, least=MINIMUM)


def _sentence(event: Event, marker: tuple[float, str] | None, shown: Callable[[str], str], whole: bool) -> str:
    values: dict[str, object] = {**_counts(event, whole, tr), "question": tr(_question(event))}
    if isinstance(event, Hint):
        values["state"] = emotion_word(event.state)
    if marker is None:
        values["minutes"] = minutes(event.until - event.since)
        return tr(_LAST_LOOK if isinstance(event, Hint) else _LAST_STILL, **values)
    second, text = marker
    return tr(
        _SINCE_LOOK if isinstance(event, Hint) else _SINCE_STILL, marker=shown(text), time=clock(second), **values
    )


def _question(event: Event) -> str:
    if isinstance(event, Flat) or event.state in _BORED:
        return _SLOW
    return later("harder than it seemed?") if event.state in _HARD else later("worth a question?")


def _near(began: int, markers: Sequence[tuple[float, str]]) -> tuple[float, str] | None:
    """The marker (second, text), if the teacher marked the time at which the window began."""
    near = [(second, text) for second, text in markers if abs(second - began) <= _NEAR and not text.startswith(MARK)]
    return near[-1] if near else None


def _asks(people: Sequence[_Kept], shown: Callable[[str], str]) -> str:
    """Those whose event began first are named, in the order of the class: the names are no ranking."""
    if not people:
        return ""
    first = sorted(people, key=lambda kept: kept.began)[:MOST_NAMES]
    names = ", ".join(shown(kept.what.student) for kept in people if kept in first)  # type: ignore[union-attr]
    since, more = clock(first[0].began), len(people) - len(first)
    if not more:
        return tr("Perhaps ask: {names} (unlike their own usual since {time})", names=names, time=since)
    return tr_n(
        "Perhaps ask: {names} and {number} more (unlike their own usual since {time})",
        "Perhaps ask: {names} and {number} more (unlike their own usual since {time})",
        more, names=names, time=since,
    )  # fmt: skip


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
        lines.append(
            tr(
                "Compared: {start} to {end} with the lesson before it, each of {students} students with themselves.",
                start=clock(found.second - WINDOW),
                end=clock(found.second),
                students=found.judged,
            )
        )
    if isinstance(event, Hint | Flat):
        if not whole:  # its shares may be of fewer than five people
            lines.append(tr("{sentence}.", sentence=event.text))
        lines.append(tr("How sure: {sure}. It is not shown why, and single readings can be wrong.", sure=event.sure))
    if isinstance(event, Flat):
        lines.append(
            tr(
                "Still and neutral: {still} points. Turned away or not in view: {away} points. Students who read or "
                "write look the same.",
                still=f"{event.still * 100:+.0f}",
                away=f"{event.away * 100:+.0f}",
            )
        )
    lines += [tr("{sentence}.", sentence=_evidence(kept.what, shown)) for kept in people]
    return (*lines, *(() if reason else found.limits))


def _evidence(one: object, shown: Callable[[str], str]) -> str:
    return one.text_with(shown) if isinstance(one, Unlike) else ""
