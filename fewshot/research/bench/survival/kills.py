"""Kills programs at random moments, and looks at what is left: the store, its students, and the lesson."""

from __future__ import annotations

import os
import random
import select
import signal
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import sqlalchemy

from fewshot.classroom.store import ClassStore
from fewshot.database.tables import ConsentRow, IdentityRow, PhotoRow, StudentRow, SupportRow
from fewshot.errors import FewshotError
from fewshot.research.bench.survival.jobs import CLASS, JOBS, PHOTOS, PUPILS, RATE, TOLD, frame, photos, set_up, through
from fewshot.session.lessons import LessonStore
from fewshot.session.recorder import LessonRecorder

ALLOWED = 2.0
"""Seconds of a lesson that may be lost."""

MOST = {"record": 100, "enroll": 15, "remove": 8}
"""Steps after which a program is killed at the latest: frames of a lesson, or students."""

LONGEST_STEP = 0.05
"""Seconds that are waited at most after the last step, so that a kill may come at any moment of the next one.

The moment is drawn in steps and not in seconds, because a busy machine would often kill programs that did nothing yet.
"""

_VECTORS: dict[str, Any] = {"expression": SupportRow, "identity": IdentityRow}

_READY = 60.0
"""Seconds within which a program must have come so far."""


@dataclass(slots=True)
class Kill:
    """One kill.

    Attributes:
        job: what the program did; see ``jobs.JOBS``.
        after: seconds from the begin of its work to the kill.
        told: the last number that it told.
        lost: seconds of the lesson that are not stored; 0 for other work.
        damage: what is wrong with the store.
        students: what is wrong with students.
        lesson: what is wrong with the lesson.
    """

    job: str
    after: float = 0.0
    told: int = 0
    lost: float = 0.0
    damage: list[str] = field(default_factory=list)
    students: list[str] = field(default_factory=list)
    lesson: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Nothing is wrong; how much was lost is judged by whoever knows whether the machine was idle."""
        return not (self.damage or self.students or self.lesson)


def kills(url: str, count: int, seed: int, share: float = 1.0) -> Iterator[Kill]:
    """Kill programs that work on one database, one after the other.

    Args:
        url: of an empty database.
        count: number of kills.
        seed: of the moments and of the order.
        share: of ``MOST``; a smaller one takes less time.
    """
    draw = random.Random(seed)  # nosec B311: draws moments
    lessons = LessonStore.at(url)
    set_up(lessons)
    lessons.database.close()
    for number in range(count):
        job = list(JOBS)[number % len(JOBS)]
        steps, pause = draw.randint(0, round(share * MOST[job])), draw.uniform(0.0, LONGEST_STEP)
        kill = Kill(job)
        told, kill.after = _killed(url, job, f"{job} {number}", steps, pause)
        kill.told = told[-1] if told else 0
        try:
            lessons = LessonStore.at(url)  # as the next program does
            kill.damage += _damage(lessons)
            if job == "record":
                if told:
                    _lesson(lessons, told[0], told[1:], kill)
            else:
                kill.students += _students(lessons, f"{job} {number}", kill)
        except FewshotError as error:
            kill.damage.append(str(error))
        finally:
            lessons.database.close()
        yield kill


def _killed(url: str, job: str, name: str, steps: int, pause: float) -> tuple[list[int], float]:
    """Let a child of this process work, and kill it ``pause`` seconds after so many steps.

    Returns:
        The numbers that it told, and the seconds that it worked.
    """
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.close(read)
            lessons = LessonStore.at(url)
            through(write)(0)
            JOBS[job](lessons, name, through(write))
            code = 0
        finally:
            os._exit(code)
    os.close(write)
    content, begun, wanted = b"", time.monotonic(), 1 + (job == "record") + steps
    try:
        while len(content) < wanted * TOLD.size and time.monotonic() - begun < _READY:
            ready, _, _ = select.select([read], [], [], 1.0)
            got = os.read(read, 65536) if ready else b""
            if ready and not got:
                break  # it ended by itself, which it never should
            begun = begun if content else time.monotonic()
            content += got
        time.sleep(pause)
        os.kill(child, signal.SIGKILL)
        after = time.monotonic() - begun
        while got := os.read(read, 65536):
            content += got
    finally:
        os.close(read)
        _, status = os.waitpid(child, 0)
    if not os.WIFSIGNALED(status):
        raise FewshotError(f"The program that should be killed while it did {job!r} ended by itself.")
    whole = len(content) // TOLD.size * TOLD.size
    return [value for (value,) in TOLD.iter_unpack(content[:whole])][1:], after


def _damage(lessons: LessonStore) -> list[str]:
    """What SQLite's own check finds; a PostgreSQL server answers for its own files."""
    if lessons.database.path is None:
        return []
    found = [str(row[0]) for row in _rows(lessons, "PRAGMA integrity_check")]
    orphans = len(_rows(lessons, "PRAGMA foreign_key_check"))
    return [line for line in found if line != "ok"] + [f"{orphans} rows without their owner"] * bool(orphans)


def _students(lessons: LessonStore, name: str, kill: Kill) -> list[str]:
    """Everything that is wrong with the students of one program, who are whole, or not there at all."""
    wrong = []
    with lessons.database.read() as session:
        everybody = [(row.id, row.name) for row in session.scalars(sqlalchemy.select(StudentRow))]
        kept = _by_student((row.student_id, row.id, row.sha256) for row in session.scalars(sqlalchemy.select(PhotoRow)))
        consents = _by_student((row.student_id, row.given_by) for row in session.scalars(sqlalchemy.select(ConsentRow)))
        vectors = {
            part: _by_student(
                (row.student_id, row.photo_id, row.vector.tobytes())
                for row in session.scalars(sqlalchemy.select(table))
            )
            for part, table in _VECTORS.items()
        }
    present = {int(words.rpartition(" ")[2]): number for number, words in everybody if words.startswith(f"{name} ")}
    for number, student in present.items():
        expected = {photo.sha256: photo for photo in photos(f"{name} {number}")}
        marks = dict(kept.get(student, []))
        whole = sorted(marks.values()) == sorted(expected) and len(consents.get(student, [])) == 1
        for part, found in vectors.items():
            mine = found.get(student, [])
            right = [
                photo in marks and vector == getattr(expected[marks[photo]], part).astype("<f4").tobytes()
                for photo, vector in mine
            ]
            whole &= len(mine) == PHOTOS and all(right)
        if not whole:
            wrong.append(f"student {number} is there only in part")
    told = set(range(kill.told))
    if kill.job == "enroll":
        wrong += [f"student {number} was enrolled and is lost" for number in sorted(told - set(present))]
    else:
        wrong += [f"student {number} was removed and is back" for number in sorted(told & set(present))]
    if len(set(present) - told) > 1:
        wrong.append("more than one student is there whom nobody announced")
    if not set(PUPILS) <= set(ClassStore(lessons.database).roster(CLASS).students):
        wrong.append("a student of the class is lost")
    return wrong


def _lesson(lessons: LessonStore, lesson: int, told: list[int], kill: Kill) -> None:
    """Compare a lesson with the frames that came, and go on with it."""
    kept = lessons.load(lesson)
    frames = kept.frames_per_second.tolist()
    kill.lost = max(0, (told[-1] if told else 0) - sum(frames)) / RATE
    if any(count != RATE for count in frames[:-1]):
        kill.lesson.append(f"seconds are incomplete: {frames}")
    rows = kept.readings
    if rows.second.tolist() != [second for second in range(len(frames)) for _ in PUPILS]:
        kill.lesson.append("readings are missing or there twice")
    elif not np.array_equal(rows.frames, kept.frames_per_second[rows.second]):
        kill.lesson.append("readings do not fit their seconds")
    if kept.info.state != "interrupted":
        kill.lesson.append(f"it is {kept.info.state}, not interrupted")
    with LessonRecorder.resume(lesson, database=lessons.database, threaded=False) as recorder:
        for index in range(RATE):
            recorder.write(frame(index))
    after = lessons.load(lesson)
    now = after.frames_per_second.tolist()
    # The last second is replaced if it was unfinished; one with all its frames may be either.
    allowed = [[*frames[:-1], RATE], *([[*frames, RATE]] if frames[-1:] in ([], [RATE]) else [])]
    if after.info.state != "ended" or now not in allowed:
        kill.lesson.append(f"it did not go on as it should: {frames}, then {now}")
    if dict(_rows(lessons, "SELECT id, writer FROM lessons"))[lesson] != 2:
        kill.lesson.append("its writer has the wrong number")


def _by_student(rows: Iterable[tuple[Any, ...]]) -> dict[int, list[tuple[Any, ...]]]:
    """The rows without their first column, by its value."""
    found: dict[int, list[tuple[Any, ...]]] = {}
    for student, *rest in rows:
        found.setdefault(student, []).append(tuple(rest))
    return found


def _rows(lessons: LessonStore, query: str) -> list[tuple[Any, ...]]:
    """The rows as the database has them, past everything that could repair them on the way."""
    with lessons.database.read() as session:
        return [tuple(row) for row in session.connection().exec_driver_sql(query).all()]
