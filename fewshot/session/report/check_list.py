"""The check-in list of a report: who stood out in this lesson, who is still to be asked from before, what is closed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fewshot.session.analysis.checkin import CheckIn, CheckIns, check_ins
from fewshot.session.analysis.profile import Profile
from fewshot.session.lesson import CARRIED_LESSONS, EARLIER_LESSONS, CheckInAnswer, LessonInfo, carries

Recent = Sequence[tuple[LessonInfo, Sequence[CheckIn]]]
"""Earlier lessons whose open check-ins are carried on, newest first, with what was found in each."""


@dataclass(frozen=True, slots=True)
class CheckItem:
    """One student on the list.

    Attributes:
        student: name.
        lines: what was unlike the student's usual in ``lesson``.
        lesson: the latest lesson in which it was found: that of the report, or an earlier one.
        also: earlier lessons on whose lists the student stood and was not asked, newest first.
        carried: it was not found in the lesson of the report, but before it.
        answer: how it was closed; None while it is open.
    """

    student: str
    lines: tuple[CheckIn, ...]
    lesson: LessonInfo
    also: tuple[LessonInfo, ...]
    carried: bool
    answer: CheckInAnswer | None

    @property
    def lessons(self) -> tuple[int, ...]:
        """The numbers of all lessons that closing it closes."""
        return (self.lesson.id, *(info.id for info in self.also))


def recent_findings(today: LessonInfo, past: Sequence[Profile]) -> Recent:
    """What the lists of the lessons before this one held, as their own reports show it.

    Args:
        today: the lesson of the report.
        past: all earlier lessons that are loaded, newest first.
    """
    found = []
    for place, old in enumerate(past[:CARRIED_LESSONS]):
        if carries(old.info, today):
            found.append((old.info, check_ins(old, past[place + 1 : place + 1 + EARLIER_LESSONS]).found))
    return found


def check_list(
    today: LessonInfo, checks: CheckIns, recent: Recent, answers: Iterable[CheckInAnswer]
) -> list[CheckItem]:
    """The list, in the order of names: first those who stood out in this lesson, then those carried on.

    What was closed before this lesson began is not carried on. What is closed from its list stays on it, so that it can
    be opened again.

    Args:
        today: the lesson of the report.
        checks: of this lesson.
        recent: of the lessons before.
        answers: closed check-ins of all these lessons.
    """
    closed = {(one.lesson, one.student): one for one in answers}
    before = {
        (info.id, name): _of(lines, name)
        for info, lines in recent
        for name in dict.fromkeys(line.student for line in lines)
        if (info.id, name) not in closed or closed[info.id, name].made >= today.started
    }
    items = []
    for name in dict.fromkeys(line.student for line in checks.found):
        also = tuple(info for info, _ in recent if (info.id, name) in before)
        items.append(CheckItem(name, _of(checks.found, name), today, also, False, closed.get((today.id, name))))
    known = {item.student for item in items}
    for name in sorted({name for _, name in before} - known, key=str.casefold):
        newest, *rest = (info for info, _ in recent if (info.id, name) in before)
        answer = closed.get((newest.id, name))
        items.append(CheckItem(name, before[newest.id, name], newest, tuple(rest), True, answer))
    return items


def _of(lines: Iterable[CheckIn], name: str) -> tuple[CheckIn, ...]:
    return tuple(line for line in lines if line.student == name)
