"""The lessons in the database: create, list, open, mark and delete them."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from fewshot.addresses import public_source
from fewshot.audit.log import append
from fewshot.database import Database, ErasurePending, open_database
from fewshot.database.columns import now
from fewshot.database.lesson_tables import SECONDS, LessonRow, MarkerRow, ParticipantRow
from fewshot.database.owner import LOCAL_TEACHER, Owner, teacher
from fewshot.database.tables import ClassRow, OwnerRow, StudentRow, class_called
from fewshot.errors import Note, StoreError, UsageError
from fewshot.safe_text import xml_text
from fewshot.session import retention
from fewshot.session.lesson import CARRIED_LESSONS, EARLIER_LESSONS, Lesson, LessonInfo, Readings, carries
from fewshot.session.lesson_rows import OpenedReadings, info_of, lesson_of, open_readings, stamp_of
from fewshot.session.liveness import is_at_work, this_process
from fewshot.session.settings import Settings
from fewshot.translation import later
from fewshot.types import EMOTIONS

logger = logging.getLogger(__name__)

LONGEST_TEXT = 500
"""Characters of a title or a marker."""


class LessonStore:
    """Lessons of one owner. It is cheap to create, and several threads may share one.

    Args:
        database: None is the default one.
        owner: the teacher to whom the lessons belong. A lesson of somebody else is treated as one that does not exist.

    Raises:
        UsageError: the owner is an administrator, who sees no readings.
    """

    def __init__(self, database: Database | None = None, owner: Owner = LOCAL_TEACHER) -> None:
        self.owner = teacher(owner)
        self.database = database or open_database(owner=owner.id)

    @classmethod
    def at(cls, url: str) -> LessonStore:
        """The lessons of the database with this address, through connections of its own.

        Raises:
            UsageError, StoreError: see ``Database``.
        """
        return cls(Database(url))

    def create(
        self,
        classroom: str = "",
        *,
        title: str = "",
        source: str = "",
        network: str = "",
        students: Sequence[str] = (),
        sample: bool = False,
        aggregate: bool = False,
        started: datetime | None = None,
    ) -> int:
        """Create a lesson, which this process then writes (``LessonRecorder``).

        Args:
            classroom: name of a class that exists; "" for a lesson without class and students.
            students: those whose readings may be stored.
            aggregate: keep only counts for the class, nothing about single students.
            started: aware; None is now.

        Returns:
            Its number.

        Raises:
            UsageError: there is no such class or student.
        """
        try:
            apply_retention_of_all(self.database)
        except ErasurePending as error:
            logger.warning(error.text)  # it is finished later; a lesson must not wait for it
        with self.database.write() as session:
            class_id = _class_id(session, self.owner, classroom) if classroom else None
            row = LessonRow(
                owner_id=self.owner.id, class_id=class_id, title=_text(title, "title"),
                source=xml_text(public_source(source)), network=network, sample=sample, aggregate=aggregate,
                started=started or now(), heartbeat=now(), owner=this_process(), labels=list(EMOTIONS),
                written={SECONDS: 0},
            )  # fmt: skip
            session.add(row)
            session.flush()
            if not aggregate:
                known = _student_ids(session, class_id, students, classroom)
                session.add_all(ParticipantRow(lesson_id=row.id, student_id=number) for number in (None, *known))
            return row.id

    def lessons(self, classroom: str | None = None) -> list[LessonInfo]:
        """All lessons of a class, newest first; None: the lessons of all classes and those without a class."""
        wanted = select(LessonRow, ClassRow).outerjoin(ClassRow).where(LessonRow.owner_id == self.owner.id)
        with self.database.read() as session:
            if classroom is not None:
                of = class_called(session, self.owner.id, classroom)
                if classroom and of is None:
                    return []
                wanted = wanted.where(LessonRow.class_id == (None if of is None else of.id))
            rows = session.execute(wanted.order_by(LessonRow.started.desc(), LessonRow.id.desc())).all()
            return [info_of(row, "" if found is None else found.name) for row, found in rows]

    def earlier(self, info: LessonInfo) -> list[LessonInfo]:
        """Lessons of the same class before this one that its report needs, newest first.

        The latest ``EARLIER_LESSONS``, and one more for each from which open check-ins are carried on; empty for a
        lesson without a class.
        """
        if not info.classroom:
            return []
        before = [old for old in self.lessons(info.classroom) if old.started < info.started and old.id != info.id]
        # A check-in that is carried on is found in its own lesson again, which needs the lessons before that one.
        carried = [old for old in before if carries(old, info)]
        return before[: EARLIER_LESSONS + len(carried[:CARRIED_LESSONS])]

    def load_earlier(self, info: LessonInfo) -> list[Lesson]:
        """Everything that is kept of the lessons of ``earlier``."""
        return [self.load(old.id) for old in self.earlier(info)]

    def info(self, lesson: int) -> LessonInfo:
        """Raises UsageError if there is no such lesson."""
        with self.database.read() as session:
            return info_of(*found_lesson(session, self.owner, lesson))

    def load(self, lesson: int) -> Lesson:
        """Everything that is stored of a lesson, also while it runs.

        Raises:
            UsageError: there is no such lesson.
            StoreError: it is damaged.
        """
        with self._intact(lesson), self.database.read() as session:
            return lesson_of(session, *found_lesson(session, self.owner, lesson))

    def readings(self, lesson: int, since: int = 0) -> Readings:
        """The readings from second ``since`` on, with the indices that ``load`` gives at the same moment."""
        return self.opened(lesson, since).readings

    def opened(self, lesson: int, since: int = 0) -> OpenedReadings:
        """``readings`` with the students and labels that their indices refer to, all read at one moment."""
        with self._intact(lesson), self.database.read() as session:
            row, _ = found_lesson(session, self.owner, lesson)
            return open_readings(session, row, since)

    def stamp(self, lesson: int) -> tuple[object, ...]:
        """A value that changes whenever the lesson's report would; it takes milliseconds.

        Raises:
            UsageError: there is no such lesson.
        """
        with self._intact(lesson), self.database.read() as session:
            return stamp_of(session, *found_lesson(session, self.owner, lesson))

    def refuse_foreign(self, lesson: int) -> None:
        """Refuse the lesson of another teacher, as if there were none; one that was deleted passes.

        Raises:
            UsageError: it belongs to somebody else.
        """
        with self.database.read() as session:
            if abs(lesson) < 2**63 and session.get(LessonRow, lesson) is not None:
                found_lesson(session, self.owner, lesson)

    @contextmanager
    def _intact(self, lesson: int) -> Iterator[None]:
        """Rows that contradict each other, or hold impossible numbers, as an error in words."""
        try:
            yield
        except (ValueError, LookupError, TypeError, ArithmeticError, MemoryError) as error:
            raise StoreError(
                later(
                    "Lesson {lesson} is damaged in the database {database} ({kind}: {reason}). Nothing was "
                    "changed. Put a backup of the database in its place, or delete this lesson.",
                    lesson=lesson,
                    database=self.database.url,
                    kind=type(error).__name__,
                    reason=error,
                )
            ) from error

    def rename(self, lesson: int, title: str) -> None:
        """Give a lesson another title."""
        with self.database.write() as session:
            found_lesson(session, self.owner, lesson)[0].title = _text(title, "title")

    def mark(self, lesson: int, second: float, text: str) -> int:
        """Mark a moment. Returns the number of the marker."""
        with self.database.write() as session:
            marker = MarkerRow(
                lesson_id=found_lesson(session, self.owner, lesson)[0].id, second=second, text=_text(text, "marker")
            )
            session.add(marker)
            session.flush()
            return marker.id

    def unmark(self, lesson: int, marker: int) -> None:
        """Take a marker back. Doing it twice is not an error.

        Raises:
            UsageError: there is no such lesson.
            ErasurePending: it is gone, but its bytes are still in the file; see ``Database.erase``.
        """
        with self.database.erase() as session:
            row, _ = found_lesson(session, self.owner, lesson)
            session.execute(delete(MarkerRow).where(MarkerRow.id == marker, MarkerRow.lesson_id == row.id))

    def end(self, lesson: int, at: datetime | None = None) -> None:
        """End a lesson at ``at`` (aware; None is now). A lesson that has ended keeps its end."""
        with self.database.write() as session:
            row, _ = found_lesson(session, self.owner, lesson)
            row.ended = row.ended or at or now()

    def delete(self, lesson: int) -> None:
        """Delete a lesson with all its readings. If it still runs, its recording stops.

        What a student's prototypes learned from a correction stays with the student, and can be undone there.

        Raises:
            UsageError: there is no such lesson.
            ErasurePending: it is deleted, but its bytes are still in the file; see ``Database.erase``.
        """
        with self.database.erase() as session:
            session.delete(found_lesson(session, self.owner, lesson)[0])
            append(session, self.owner.id, "erased", details={"what": "lesson", "lesson": lesson})

    def delete_older_than(self, days: int, at: datetime | None = None, *, only_samples: bool = False) -> int:
        """Delete the lessons that started more than ``days`` days before ``at`` (now), except those that still run.

        Args:
            days: lessons that are older are deleted.
            at: aware; None is now.
            only_samples: delete only lessons of sample classes.

        Returns:
            The number of deleted lessons.

        Raises:
            ErasurePending: they are deleted, but their bytes are still in the file; see ``Database.erase``.
        """
        limit = (at or now()) - timedelta(days=days)
        with self.database.read() as session:
            mine = select(LessonRow).where(LessonRow.owner_id == self.owner.id)
            rows = session.scalars(mine.where(LessonRow.started < limit)).all()
            old = [row.id for row in rows if info_of(row, "").state != "running" and (row.sample or not only_samples)]
        if old:
            with self.database.erase() as session:
                session.execute(delete(LessonRow).where(LessonRow.id.in_(old)))
                for lesson in old:
                    append(session, self.owner.id, "erased", details={"what": "old lesson", "lesson": lesson})
        return len(old)

    def apply_retention(self, at: datetime | None = None) -> int:
        """Delete lessons that are too old according to the settings, unless that must be confirmed; see ``held_back``.

        Sample lessons hold nobody's data and never wait.

        Returns:
            The number of deleted lessons.
        """
        at = at or now()
        days = self._settings().retention_days
        due = retention.due_now(self.database, at, self.owner)
        retention.see_clock(self.database, at)
        self._settings().forget_agreements_after(at)
        if days is None:
            return 0
        if not due.held and due.lessons:
            self._settings().set("retention_used", True)
        return self.delete_older_than(days, at, only_samples=due.held)

    def held_back(self, at: datetime | None = None) -> Note | None:
        """What retention did not delete because somebody must confirm it; None if nothing waits."""
        due = retention.due_now(self.database, at or now(), self.owner)
        return due.note(self._settings().retention_days) if due.held else None

    def delete_old(self, at: datetime | None = None) -> int:
        """Confirm what ``held_back`` names, and delete it. Returns the number of deleted lessons.

        Raises:
            UsageError: old lessons are not deleted at all according to the settings.
        """
        days, at = self._settings().retention_days, at or now()
        if days is None:
            raise UsageError(
                later(
                    "Old lessons are kept: nobody has chosen after how many days to delete them. Choose it in the "
                    "app, under Settings, Privacy."
                )
            )
        deleted = self.delete_older_than(days, at)
        retention.agree(self.database, at, self.owner)
        return deleted

    def _settings(self) -> Settings:
        return Settings(self.database, self.owner)


def any_lesson_runs(database: Database) -> bool:
    """Whether a lesson of any owner is written now."""
    with database.read() as session:
        rows = session.scalars(select(LessonRow).where(LessonRow.ended.is_(None))).all()
        return any(is_at_work(row.owner, row.heartbeat, now()) for row in rows)


def apply_retention_of_all(database: Database) -> None:
    """Each owner's lessons according to that owner's settings: a teacher who never returns has old lessons too.

    Raises:
        ErasurePending: lessons are deleted, but their bytes are still in the file; see ``Database.erase``.
    """
    with database.read() as session:
        owners = [row.plain() for row in session.scalars(select(OwnerRow))]
    with database.together():
        for owner in owners:
            if owner.teaches:
                LessonStore(database, owner).apply_retention()


def found_lesson(session: Session, owner: Owner, lesson: int) -> tuple[LessonRow, str]:
    """The row of an owner's lesson, and the name of its class; "" for a lesson without one.

    Raises:
        UsageError: there is no such lesson, or it is somebody else's.
    """
    # The database refuses to compare numbers that it could not store.
    row = session.get(LessonRow, lesson) if abs(lesson) < 2**63 else None
    if row is None or row.owner_id != owner.id:
        raise UsageError(
            later("There is no lesson {lesson}.", lesson=lesson),
            hint="To see the lessons that are kept: fewshot lessons",
        )
    classroom = session.get(ClassRow, row.class_id) if row.class_id is not None else None
    return row, classroom.name if classroom else ""


def _class_id(session: Session, owner: Owner, name: str) -> int:
    found = class_called(session, owner.id, name)
    if found is None:
        raise UsageError(
            later("There is no class {classroom!r}, so a lesson of it cannot be recorded.", classroom=name),
            hint="To see the classes: fewshot roster",
        )
    return found.id


def _student_ids(session: Session, class_id: int | None, students: Sequence[str], classroom: str) -> list[int]:
    found = session.scalars(select(StudentRow).where(StudentRow.class_id == class_id))
    ids = {student.name: student.id for student in found}
    missing = [student for student in students if student not in ids]
    if missing:
        raise UsageError(
            later(
                "These students are not in class {classroom!r}: {students}. A lesson can keep readings only of "
                "students in its class.",
                classroom=classroom,
                students=", ".join(missing),
            )
        )
    return [ids[student] for student in students]


_TOO_LONG = {
    "title": later("This title has {number} characters. Use at most {most}."),
    "marker": later("This marker has {number} characters. Use at most {most}."),
}


def _text(text: str, what: str) -> str:
    """A text of a person as it is stored: without control characters, which no report could draw."""
    text = xml_text(text)
    if len(text) > LONGEST_TEXT:
        raise UsageError(later(_TOO_LONG[what], number=len(text), most=LONGEST_TEXT))
    return text
