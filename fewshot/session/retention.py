"""Old lessons are deleted for good, so the first, a large, and a doubtful deletion waits until somebody confirms it.

A clock that is wrong by months makes every lesson look old. So the latest time at which this program was used is kept,
and a long step since then counts as doubtful. Holidays are such a step too: then one click or command confirms it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from fewshot.database import Database, open_database
from fewshot.database.columns import now
from fewshot.database.lesson_tables import LessonRow
from fewshot.database.owner import LOCAL_TEACHER, Owner
from fewshot.errors import Note
from fewshot.session.lesson_rows import info_of
from fewshot.session.settings import Settings
from fewshot.translation import later, later_n

STEP = timedelta(days=21)
"""A longer time without any use of the program makes a deletion wait: the clock may be wrong."""
LARGE = 10
"""More lessons than this are not deleted at once without a confirmation."""


@dataclass(frozen=True, slots=True)
class Due:
    """What retention would delete now.

    Attributes:
        lessons: numbers of the lessons that are too old and do not run.
        oldest, newest: when the first and the last of them started; None without lessons.
        why: why a person must confirm it, as a sentence; "" if it may be deleted at once.
    """

    lessons: tuple[int, ...] = ()
    oldest: datetime | None = None
    newest: datetime | None = None
    why: str = ""

    @property
    def held(self) -> bool:
        """Whether the lessons are kept until somebody confirms."""
        return bool(self.lessons and self.why)

    def note(self, days: int | None) -> Note:
        """What a teacher should know about lessons that are kept."""
        count = len(self.lessons)
        span = f" ({self.oldest:%Y-%m-%d} to {self.newest:%Y-%m-%d})" if self.oldest and self.newest else ""
        return Note(
            later_n(
                "{number} lesson is older than {days} days{span}. Nothing was deleted yet, because {why}. Deleting is "
                "final.",
                "{number} lessons are older than {days} days{span}. Nothing was deleted yet, because {why}. Deleting "
                "is final.",
                count,
                days=days,
                span=span,
                why=self.why,
            ),
            hint="Check the date of this computer. To delete them, type: fewshot lessons --delete-old",
        )


def due_now(database: Database, at: datetime, owner: Owner = LOCAL_TEACHER) -> Due:
    """What the owner's setting ``retention_days`` would delete at a time, and why that must be confirmed."""
    settings = Settings(database, owner)
    days = settings.retention_days
    if days is None:
        return Due()
    limit = at - timedelta(days=days)
    with database.read() as session:
        mine = (LessonRow.owner_id == owner.id, LessonRow.sample.is_(False))
        rows = session.scalars(select(LessonRow).where(LessonRow.started < limit, *mine)).all()
        rows = [row for row in rows if info_of(row, "", at).state != "running"]
        kept = session.scalar(select(func.count()).select_from(LessonRow).where(*mine)) or 0
        latest = session.scalar(select(func.max(LessonRow.heartbeat)).where(LessonRow.sample.is_(False)))
    if not rows:
        return Due()
    started = sorted(row.started for row in rows)
    why = _why(settings, started, kept, at, latest)
    return Due(tuple(row.id for row in rows), started[0], started[-1], why)


def older_than(days: int, database: Database | None = None) -> int:
    """How many lessons of all owners started more than ``days`` days ago, except sample lessons: only their number."""
    limit = now() - timedelta(days=days)
    old = select(func.count()).select_from(LessonRow).where(LessonRow.started < limit, LessonRow.sample.is_(False))
    with (database or open_database()).read() as session:
        return session.scalar(old) or 0


def see_clock(database: Database, at: datetime, *, sure: bool = False) -> None:
    """Remember when the program was used; not after a long step that nobody confirmed, unless ``sure``."""
    settings = Settings(database)
    seen = _time(settings, "clock_seen")
    if seen is None and not sure:
        with database.read() as session:
            seen = session.scalar(select(func.max(LessonRow.heartbeat)).where(LessonRow.sample.is_(False)))
    if sure or seen is None or at - seen <= STEP:
        seen = at
    if seen != _time(settings, "clock_seen"):
        settings.set("clock_seen", seen.isoformat())


def agree(database: Database, at: datetime, owner: Owner = LOCAL_TEACHER) -> None:
    """The owner has seen what retention deletes of their lessons at this time, and wants it."""
    settings = Settings(database, owner)
    if settings.retention_days is not None:
        settings.set("retention_agreed", (at - timedelta(days=settings.retention_days)).isoformat())
    settings.set("retention_used", True)
    see_clock(database, at, sure=True)


def _why(settings: Settings, started: Sequence[datetime], kept: int, at: datetime, latest: datetime | None) -> str:
    # The teacher agreed for these lessons, or the administrator for those of everybody.
    times = [_time(settings, "retention_agreed"), _time(settings, "longest_retention_agreed")]
    agreed = max((time for time in times if time is not None), default=None)
    seen = _time(settings, "clock_seen") or latest
    if seen is not None and at - seen > STEP and (agreed is None or started[-1] >= agreed):
        return later(
            "the clock shows a time {days} days after the last use of the program and may be wrong",
            days=(at - seen).days,
        )
    rest = [moment for moment in started if agreed is None or moment >= agreed]
    if rest and not settings.get("retention_used"):
        return later("this would be the first deletion on this computer")
    if len(rest) > LARGE or (len(rest) > 2 and 2 * len(rest) > kept):
        return later("these are unusually many at once ({number} of {all})", number=len(rest), all=kept)
    return ""


def _time(settings: Settings, key: str) -> datetime | None:
    try:
        return datetime.fromisoformat(settings.get(key, ""))
    except (TypeError, ValueError):
        return None
