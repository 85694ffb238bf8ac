"""``fewshot report``: a lesson that was kept, as a file."""

from __future__ import annotations

from pathlib import Path

from fewshot.commands.terminal import say
from fewshot.errors import UsageError
from fewshot.session.lesson import Lesson, LessonInfo
from fewshot.session.lessons import LessonStore
from fewshot.session.report import check_suffix, write_report
from fewshot.session.settings import Settings

EARLIER = 20
"""Lessons before this one that the check-in list and the course look back on."""


def run_report(wanted: str, out: Path, aggregate: bool) -> None:
    """Write a lesson's report.

    Args:
        wanted: number of the lesson, or "last".
        aggregate: no names; the setting for all of the program may ask for it as well.

    Raises:
        UsageError: no such lesson, no such format, or a library that it needs is not installed.
    """
    check_suffix(out)
    store = LessonStore()
    info = find_lesson(store, wanted)
    if not aggregate and Settings(store.database).aggregate_only:
        say(["The settings say aggregate-only: the report has no names."])
        aggregate = True
    if info.state == "running":
        say(["This lesson is still running: the report has what was kept so far."])
    for path in write_report(store.load(info.id), out, earlier_lessons(store, info), aggregate):
        print(f"Report: {path}")


def find_lesson(store: LessonStore, wanted: str) -> LessonInfo:
    """The lesson with a number, or the last one.

    Raises:
        UsageError: there is none.
    """
    if wanted == "last":
        lessons = store.lessons()
        if not lessons:
            raise UsageError("No lesson is kept yet. `fewshot live --record` and `fewshot analyze --record` keep one.")
        return lessons[0]
    if not wanted.isdecimal():
        raise UsageError(f"{wanted} is no lesson. Give its number, or last for the latest.")
    return store.info(int(wanted))


def earlier_lessons(store: LessonStore, info: LessonInfo) -> list[Lesson]:
    """Lessons of the same class before this one, the latest ``EARLIER``; none for a lesson without a class."""
    if not info.classroom:
        return []
    before = [old for old in store.lessons(info.classroom) if old.started < info.started and old.id != info.id]
    return [store.load(old.id) for old in before[:EARLIER]]
