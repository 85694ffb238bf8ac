"""``fewshot report``: a recorded lesson as a file."""

from __future__ import annotations

from pathlib import Path

from fewshot.audit.log import note
from fewshot.commands.terminal import say, tell
from fewshot.database.owner import LOCAL_TEACHER, Owner
from fewshot.errors import UsageError
from fewshot.session.lesson import LessonInfo
from fewshot.session.lessons import LessonStore
from fewshot.session.report import check_suffix, write_report
from fewshot.session.settings import Settings


def run_report(wanted: str, out: Path, aggregate: bool, owner: Owner = LOCAL_TEACHER) -> None:
    """Write a lesson's report.

    Args:
        wanted: number of the lesson, or "last".
        aggregate: leave out names. The teacher's settings can require this as well.
        owner: to whom the lesson belongs.

    Raises:
        UsageError: no such lesson, no such format, or a library that it needs is not installed.
    """
    check_suffix(out)
    store = LessonStore(owner=owner)
    info = find_lesson(store, wanted)
    if not aggregate and Settings(store.database, owner).aggregate_only:
        say(["The report has no names, because the settings allow aggregated reports only."])
        aggregate = True
    if info.state == "running":
        say(["This lesson is still running. The report contains what has been recorded so far."])
    note(store.database, owner, "exported", details={"lesson": info.id, "what": "report"})
    for path in write_report(store.load(info.id), out, store.load_earlier(info), aggregate):
        tell(f"Report: {path}")


def find_lesson(store: LessonStore, wanted: str) -> LessonInfo:
    """The lesson with a number, or the last one.

    Raises:
        UsageError: there is none.
    """
    if wanted == "last":
        lessons = store.lessons()
        if not lessons:
            raise UsageError("No lesson has been recorded yet. Type: fewshot live --class CLASS --record")
        return lessons[0]
    if not wanted.isdecimal():
        raise UsageError(f"{wanted!r} is not the number of a lesson. Give a number, or last for the latest lesson.")
    return store.info(int(wanted))
