"""Kills restores of a backup at random moments: the database must be the one of before or the restored one, whole."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy

from fewshot.backup.make import make_backup
from fewshot.backup.restore import prepared, put_in_place
from fewshot.classroom.consent import make_consent
from fewshot.classroom.store import ClassStore
from fewshot.database import Database, engine, open_database
from fewshot.database.lesson_tables import ReadingRow
from fewshot.database.tables import Base
from fewshot.errors import FewshotError
from fewshot.research.bench.survival.jobs import CLASS, NETWORKS, PUPILS, RATE, frame, photos, set_up
from fewshot.session.lessons import LessonStore
from fewshot.session.recorder import LessonRecorder

WORD = "a word for a made-up school"

_LATEST = 1.1
"""A kill comes at the latest after so many times the time that a whole restore takes."""


@dataclass(slots=True)
class KilledRestore:
    """One kill.

    Attributes:
        after: seconds from the begin of the restore.
        state: "before" or "restored", what the database is afterwards; "ended" if the restore was faster.
        wrong: what is wrong with it.
    """

    after: float
    state: str = ""
    wrong: list[str] = field(default_factory=list)


def killed_restores(url: str, home: Path, count: int, seed: int, seconds: int = 300) -> Iterator[KilledRestore]:
    """Restore one backup again and again, and kill the program that does it.

    Args:
        url: of an empty database.
        home: an empty folder for the keys and the backup.
        count: number of kills.
        seed: of their moments.
        seconds: length of the lesson in the backup.
    """
    draw = random.Random(seed)  # nosec B311: draws moments
    with _default(url, home):
        _fill(seconds)
        file = home / "school.backup"
        make_backup(file, WORD)
        held, erased = _readings(), set[str]()
        begun = time.monotonic()
        _restore(file)
        whole = time.monotonic() - begun
        for number in range(count):
            yield _one(file, number, held, erased, draw.uniform(0.0, _LATEST * whole))
            for left in home.glob("before-restore-*"):
                left.unlink()


def _one(file: Path, number: int, held: int, erased: set[str], after: float) -> KilledRestore:
    store, later = ClassStore(), f"Later {number}"
    store.record_consent(CLASS, later, make_consent("a parent"))
    if number < len(PUPILS) - 1:  # so that there is always something to remove again, and somebody stays
        store.remove_student(CLASS, PUPILS[number])
        erased.add(PUPILS[number])
    before = _stored(open_database())
    _as_new_program()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            _restore(file)
            code = 0
        finally:
            os._exit(code)
    time.sleep(after)
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    kill = KilledRestore(after)
    if not os.WIFSIGNALED(status) and os.WEXITSTATUS(status):
        kill.wrong.append("the restore failed")
    try:
        _judge(kill, later, before, held, erased)
    except FewshotError as error:
        kill.wrong.append(error.text)
    if kill.state == "restored" and not os.WIFSIGNALED(status):
        kill.state = "ended"
    return kill


def _judge(kill: KilledRestore, later: str, before: dict[str, list[str]], held: int, erased: set[str]) -> None:
    there = set(ClassStore().roster(CLASS).students)
    if erased & there:
        kill.wrong.append("somebody who was removed is back")
    if later in there:
        kill.state = "before"
        kill.wrong += [f"{name} has changed" for name, rows in _stored(open_database()).items() if rows != before[name]]
        return
    kill.state = "restored"
    if there != set(PUPILS) - erased:
        kill.wrong.append(f"other students are there: {len(there)}")
    frames = [len(LessonStore().load(lesson.id).frames_per_second) for lesson in LessonStore().lessons()]
    if _readings() != held * len(there) // len(PUPILS) or frames != [held // len(PUPILS)]:
        kill.wrong.append("readings are missing")
    open_database().check()


def _fill(seconds: int) -> None:
    lessons = LessonStore()
    set_up(lessons)
    for student in PUPILS:
        ClassStore().keep(CLASS, photos(student), {}, NETWORKS)
    with LessonRecorder.start(CLASS, PUPILS, title="a lesson", database=lessons.database) as kept:
        for index in range(seconds * RATE):
            kept.write(frame(index))


def _restore(file: Path) -> None:
    with prepared(file, WORD) as ready:
        put_in_place(ready)
    _as_new_program()


def _readings() -> int:
    with open_database().read() as session:
        return session.scalar(sqlalchemy.select(sqlalchemy.func.count()).select_from(ReadingRow)) or 0


def _stored(database: Database) -> dict[str, list[str]]:
    """Table -> its rows as they are stored."""
    with database.read() as session:
        found = ((each.name, session.execute(sqlalchemy.select(each)).all()) for each in Base.metadata.sorted_tables)
        return {name: sorted(map(repr, rows)) for name, rows in found}


def _as_new_program() -> None:
    for database in engine._opened.values():
        database.close()
    engine._opened.clear()


@contextlib.contextmanager
def _default(url: str, home: Path) -> Iterator[None]:
    """Let a database be the default one during the block."""
    names = {"FEWSHOT_DATABASE": url, "FEWSHOT_HOME": str(home), "FEWSHOT_KEYS": str(home.with_name("epochs"))}
    kept = {name: os.environ.get(name) for name in names}
    _as_new_program()
    os.environ |= names
    try:
        yield
    finally:
        _as_new_program()
        for name, value in kept.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
