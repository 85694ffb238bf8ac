"""A sink that stores a lesson in the database while it runs, at most two seconds late."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from fewshot.database import Database
from fewshot.database.columns import now
from fewshot.database.lesson_tables import LessonRow
from fewshot.database.owner import LOCAL_TEACHER, Owner
from fewshot.database.tables import OwnerRow
from fewshot.errors import StoreError
from fewshot.session.lessons import LessonStore
from fewshot.session.seconds import Second, SecondCounter
from fewshot.session.takeover import Hold, LessonGiven, LessonTaken, begin, still_mine, take_over
from fewshot.session.time_axis import TimeAxis
from fewshot.session.writing import admit_student, keep_seconds
from fewshot.types import EMOTIONS, Frame, FrameResult

PACE = 0.5
"""Seconds between two checks for something to write."""

LATE = 0.9
"""The current second is written provisionally when its first frame is this many seconds old."""

SIGN_OF_LIFE = 2.0
"""Seconds after which an idle recorder writes a sign of life."""

BACKLOG = 600
"""Seconds of a lesson that may wait for a slow disk; then the run waits too. This limits the memory."""

PATIENCE = 30.0
"""Seconds for which a failing database is tried again before the run gets the error."""


class LessonRecorder:
    """Stores what every student showed in every second. A separate thread writes, so the run never waits for a disk.

    If the process is killed, the database has the lesson except its last two seconds; it opens as "interrupted".
    Another process can go on with it: ``resume``. A recorder whose lesson was taken over writes nothing more, even if
    its process was only stopped and wakes up: ``write``, ``flush`` and ``close`` then raise ``takeover.LessonTaken``.

    Args:
        store: the store of the lesson.
        lesson: its number, from ``LessonStore.create``.
        students: those whose readings are kept; any other face counts as not enrolled.
        aggregate: as in ``LessonStore.create``.
        threaded: False writes only in ``flush`` and ``close``.
        hold: the right to go on with a lesson, from ``takeover.take_over``; None for a lesson that was just created.

    Raises:
        UsageError: the lesson already has a recorder, or had one, or belongs to another teacher.
        StoreError: the database cannot be used.

    Attributes:
        lesson: number of the lesson.
        ticket: whoever has this text may take the lesson over at once, with ``resume``.
        position: seconds from its start to the end of the latest frame.
        deleted: the lesson was deleted meanwhile; nothing more is stored.

    Examples:
        >>> with LessonRecorder.start("physics", room.students) as recorder:  # doctest: +SKIP
        ...     play(loop, [source], [recorder])
    """

    def __init__(
        self,
        store: LessonStore,
        lesson: int,
        students: Sequence[str] = (),
        aggregate: bool = False,
        threaded: bool = True,
        hold: Hold | None = None,
    ) -> None:
        store.refuse_foreign(lesson)
        self._hold = begin(store.database, lesson) if hold is None else hold
        self.lesson, self.ticket = lesson, self._hold.ticket
        self.deleted = not self._hold.exists
        self._store = store
        self._course = TimeAxis() if hold is None else TimeAxis(hold.start, hold.length)
        self._counter = SecondCounter(students, aggregate, self._hold.labels or EMOTIONS)
        self._state = threading.Condition()  # protects everything below
        self._waiting: list[Second] = []
        self._since = 0.0  # when the current second began
        # The second that was written unfinished, and its frames then; those of another recorder are all replaced.
        self._provisional = None if self._hold.provisional is None else (self._hold.provisional, -1)
        self._attempted: set[int] = set()  # a failed transaction may have been saved, if only its answer was lost
        self._fault: StoreError | None = None
        self._closed = False
        self._writing = threading.Lock()  # one flush at a time
        self._beat = self._well = time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"lesson {lesson}", daemon=True) if threaded else None
        if self._thread:
            self._thread.start()

    @classmethod
    def start(
        cls,
        classroom: str = "",
        students: Sequence[str] = (),
        *,
        source: str = "",
        network: str = "",
        title: str = "",
        sample: bool = False,
        aggregate: bool = False,
        started: datetime | None = None,
        database: Database | None = None,
        owner: Owner = LOCAL_TEACHER,
    ) -> LessonRecorder:
        """Create a lesson and a recorder for it; see ``LessonStore.create``."""
        store = LessonStore(database, owner)
        lesson = store.create(
            classroom, title=title, source=source, network=network, students=students, sample=sample,
            aggregate=aggregate, started=started,
        )  # fmt: skip
        return cls(store, lesson, students, aggregate)

    @classmethod
    def resume(
        cls,
        lesson: int,
        ticket: str | None = None,
        *,
        database: Database | None = None,
        threaded: bool = True,
        owner: Owner = LOCAL_TEACHER,
    ) -> LessonRecorder:
        """Go on with a lesson in place of its recorder, which may not write any more from now on.

        The first frame is placed after the last finished second. An unfinished second is replaced by what comes now.

        Args:
            lesson: its number.
            ticket: the ``ticket`` of its recorder allows this at once. None: only if that process has ended, or has
                given no sign of life for 10 seconds.
            database: None is the default one.
            threaded: as for the class.
            owner: the teacher to whom the lesson belongs.

        Raises:
            UsageError: there is no such lesson, it has ended, it is still recorded, or this is not its ticket.
            StoreError: the database cannot be used.
        """
        store = LessonStore(database, owner)
        store.refuse_foreign(lesson)
        hold = take_over(store.database, lesson, ticket)
        return cls(store, lesson, list(hold.students), hold.aggregate, threaded, hold)

    @property
    def position(self) -> float:
        """Seconds since the lesson started, to the end of the latest frame."""
        with self._state:
            return self._course.end

    def write(self, result: FrameResult, _frame: Frame | None = None) -> None:
        """Count one frame.

        Raises:
            StoreError: the database has failed for a while, or another program has taken the lesson over; everything
                that was written before is safe.
        """
        with self._state:
            if self._fault is not None:
                raise self._fault
            finished = self._counter.add(result, self._course.place(result))
            if self._counter.frames == 1:
                self._since = time.monotonic()
            if finished is not None:
                self._waiting.append(finished)
            while self._thread and len(self._waiting) > BACKLOG and self._fault is None and not self.deleted:
                self._state.wait(PACE)

    def admit(self, student: str) -> None:
        """Also store the readings of a student who was enrolled meanwhile: those that are written from now on.

        Earlier frames of the same face stay with the people who are not enrolled. A lesson with only counts, or one
        that is over, stays as it is; so does one whose class has no such student.

        Raises:
            StoreError: the database failed, or another program has taken the lesson over.
        """
        with self._writing:
            if self._closed or self.deleted or self._hold.aggregate:
                return
            with self._store.database.write(alone=False) as session:
                row = still_mine(session, self._hold)
                number = None if row is None else admit_student(session, row, student)
            if number is not None:
                self._hold.students[student] = number
                with self._state:
                    self._counter.admit(student)

    def flush(self, unfinished: bool = True) -> None:
        """Write everything so far.

        Args:
            unfinished: also write the current second; it is written again when it is complete.

        Raises:
            StoreError: the database failed; nothing is lost, and the next flush tries again.
        """
        with self._writing:
            with self._state:
                finished, length = list(self._waiting), self._course.end
                current = self._counter.current() if unfinished else None
                labels = list(self._counter.labels)  # the current second may have a new one
            if current is not None and self._provisional == (current.number, current.frames):
                current = None
            batch = [*finished, *([current] if current is not None else [])]
            numbers = {second.number for second in batch}
            left = self._provisional if self._provisional and self._provisional[0] not in numbers else None
            provisional = left if current is None else (current.number, current.frames)
            again = numbers & {*self._attempted, *([self._provisional[0]] if self._provisional else [])}
            if not self.deleted:
                self._attempted |= numbers
                self.deleted = not self._keep(batch, labels, length, provisional and provisional[0], again)
            else:
                self._require_owner()
            self._provisional = provisional
            self._attempted.clear()
            self._beat = time.monotonic()
            with self._state:
                del self._waiting[: len(finished)]
                self._state.notify_all()

    def close(self) -> None:
        """Write the rest and end the lesson.

        Raises:
            StoreError: the rest could not be written, or another program has taken the lesson over.
        """
        if self._closed:
            return
        self._closed = True
        self._stop.set()
        if self._thread:
            self._thread.join()
        self.flush()
        if not self.deleted:
            self._end()

    def __enter__(self) -> LessonRecorder:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def _keep(
        self,
        batch: list[Second],
        labels: list[str],
        length: float,
        provisional: int | None = None,
        again: Collection[int] = (),
    ) -> bool:
        with self._store.database.write(alone=False) as session:
            row = still_mine(session, self._hold)
            given = row is not None and row.owner_id != self._store.owner.id
            if row is not None and given:
                _over(row)
            elif row is not None:
                keep_seconds(
                    session, row, batch, students=self._hold.students, labels=labels, length=length,
                    provisional=provisional, again=again,
                )  # fmt: skip
        if given:
            raise LessonGiven(self.lesson)
        return row is not None

    def _require_owner(self) -> None:
        """A deleted lesson may go on without being recorded, but not for an account that was removed."""
        with self._store.database.read() as session:
            if session.get(OwnerRow, self._store.owner.id) is None:
                raise LessonGiven(self.lesson)

    def _end(self) -> None:
        with self._store.database.write(alone=False) as session:
            row = still_mine(session, self._hold)
            if row is not None:
                _over(row)

    def _work(self) -> None:
        while not self._stop.wait(PACE):
            with self._state:
                late = self._counter.frames > 0 and time.monotonic() - self._since > LATE
                due = bool(self._waiting) or late or time.monotonic() - self._beat > SIGN_OF_LIFE
            if not due:
                continue
            try:
                self.flush(unfinished=late)
                self._well = time.monotonic()
            except StoreError as error:
                if isinstance(error, LessonTaken | LessonGiven) or time.monotonic() - self._well > PATIENCE:
                    with self._state:
                        self._fault = error
                        self._state.notify_all()
                    return


def _over(row: LessonRow) -> None:
    # A clock that was set back meanwhile must not let it end before it began.
    row.ended, row.provisional = row.ended or max(now(), row.started), None
