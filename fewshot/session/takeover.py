"""Who may write a lesson: every recorder has a number, and only the highest one may write.

A process that was stopped or cut off may wake up after another one has gone on with its lesson. Times cannot keep the
two apart, because the first one does not know that it slept. So the lesson's row holds the number of its writer, every
transaction of a recorder compares it, and a takeover raises it (a "fencing token").
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fewshot.checksums import sha256_of_secret
from fewshot.database import Database
from fewshot.database.columns import now
from fewshot.database.lesson_tables import LessonRow, SecondRow
from fewshot.errors import StoreError, UsageError
from fewshot.session.liveness import SILENCE, is_at_work, this_process
from fewshot.session.writing import student_ids
from fewshot.translation import later


class LessonTaken(StoreError):
    """Another recorder has gone on with the lesson, so this one may not write any more."""

    def __init__(self, lesson: int) -> None:
        super().__init__(
            later(
                "Another program now records lesson {lesson}, so this one has stopped writing to it. What it wrote "
                "before is kept.",
                lesson=lesson,
            ),
            hint="To see the lessons that are kept: fewshot lessons",
        )


class LessonGiven(StoreError):
    """The lesson belongs to another teacher now, or its teacher's account was removed, so this recorder has ended."""

    def __init__(self, lesson: int) -> None:
        super().__init__(
            later(
                "Lesson {lesson} does not belong to this account any more, so it has ended. If it was given to another "
                "teacher, that teacher has what was recorded.",
                lesson=lesson,
            ),
            hint="To see the accounts, type: fewshot accounts",
        )


@dataclass(frozen=True, slots=True)
class Hold:
    """The right to write a lesson, and what was written of it so far.

    Attributes:
        lesson: its number.
        writer: the number of this recorder; a higher one ends the right.
        ticket: whoever has this text may take the lesson over at once. The database has only its SHA-256.
        start: the second where the recording begins or goes on.
        length: seconds that the lesson has so far.
        provisional: the second that the last writer wrote unfinished, and that is replaced; None if there is none.
        labels: the labels that the rows refer to; empty for a lesson that does not exist.
        students: name -> number of those whose readings may be stored.
        aggregate: keep only counts.
    """

    lesson: int
    writer: int = 0
    ticket: str = ""
    start: int = 0
    length: float = 0.0
    provisional: int | None = None
    labels: tuple[str, ...] = ()
    students: dict[str, int] = field(default_factory=dict)
    aggregate: bool = False

    @property
    def exists(self) -> bool:
        """False if the lesson was deleted before its recorder began."""
        return bool(self.labels)


def begin(database: Database, lesson: int) -> Hold:
    """Take a lesson that was just created, and that no recorder has written to.

    Raises:
        UsageError: a recorder has it, or had it.
    """
    with database.write() as session:
        row = _locked(session, lesson)
        if row is None:
            return Hold(lesson)
        if row.writer:
            raise UsageError(
                f"Lesson {lesson} already has a recorder. A lesson has one at a time. To go on with a lesson that was "
                f"interrupted, use LessonRecorder.resume({lesson}).",
                hint="To see the lessons that are kept: fewshot lessons",
            )
        return _hold(session, row, secrets.token_urlsafe(24))


def take_over(database: Database, lesson: int, ticket: str | None = None, at: datetime | None = None) -> Hold:
    """Go on with a lesson in place of its writer, which is refused from now on.

    Args:
        database: where the lesson is.
        lesson: its number.
        ticket: ``Hold.ticket`` of the writer, which allows this at once. None: only if the writer has ended or was
            silent for ``liveness.SILENCE``.
        at: the present time, aware; None is now.

    Raises:
        UsageError: there is no such lesson, it has ended, it is still written, or this is not its ticket.
        StoreError: the database cannot be used.
    """
    with database.write() as session:
        row = _locked(session, lesson)
        if row is None:
            raise UsageError(
                f"There is no lesson {lesson}, so it cannot be taken over.",
                hint="To see the lessons that are kept: fewshot lessons",
            )
        if row.ended is not None:
            raise UsageError(
                f"Lesson {lesson} has ended, so it cannot be taken over. Start a new lesson.",
                hint="To see the lessons that are kept: fewshot lessons",
            )
        moment = at or now()
        if ticket is not None and not (row.ticket and hmac.compare_digest(row.ticket, sha256_of_secret(ticket))):
            raise UsageError(
                f"This is not the ticket of lesson {lesson}, so it was not taken over. The ticket changes when the "
                "lesson is taken over without it. Use the ticket of its latest recorder, or none: then the lesson "
                f"must have been silent for {SILENCE.seconds} seconds."
            )
        if ticket is None and is_at_work(row.owner, row.heartbeat, moment):
            raise UsageError(
                f"Lesson {lesson} is still being recorded: its last sign of life came "
                f"{abs((moment - row.heartbeat).total_seconds()):.0f} seconds ago. It can be taken over at once with "
                f"its ticket, or without one when it has been silent for {SILENCE.seconds} seconds.",
                hint="To see the lessons that are kept: fewshot lessons",
            )
        return _hold(session, row, secrets.token_urlsafe(24) if ticket is None else ticket)


def still_mine(session: Session, hold: Hold) -> LessonRow | None:
    """The lesson's row, locked until the end of the transaction; None if it was deleted.

    Raises:
        LessonTaken: another recorder has taken it over.
    """
    row = _locked(session, hold.lesson)
    if row is not None and row.writer != hold.writer:
        raise LessonTaken(hold.lesson)
    return row


def _locked(session: Session, lesson: int) -> LessonRow | None:
    """The row; no other program changes it before this transaction ends. SQLite locks the whole database anyway."""
    # The database refuses to compare numbers that it could not store.
    if abs(lesson) >= 2**63:
        return None
    return session.scalar(select(LessonRow).where(LessonRow.id == lesson).with_for_update())


def _hold(session: Session, row: LessonRow, ticket: str) -> Hold:
    last = session.scalar(select(func.max(SecondRow.second)).where(SecondRow.lesson_id == row.id))
    provisional = row.provisional if row.provisional == last else None
    start = 0 if last is None else last + (provisional is None)
    row.writer, row.ticket = row.writer + 1, sha256_of_secret(ticket)
    row.owner, row.heartbeat = this_process(), now()
    return Hold(
        lesson=row.id, writer=row.writer, ticket=ticket, start=start, length=max(row.seconds, float(start)),
        provisional=provisional, labels=tuple(row.labels), students=student_ids(session, row.id),
        aggregate=row.aggregate,
    )  # fmt: skip
