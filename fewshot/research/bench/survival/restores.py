"""Kills restores of a backup at random moments: the database must be the one of before or the restored one, whole."""

from __future__ import annotations

import contextlib
import os
import random
import select
import signal
import time
from collections.abc import Callable, Iterator
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

_LATER, _EARLIER = 1.15, 0.8
"""The next kill in a step comes later if the last one came before its end, and earlier if it came too late.

So the kills come from all moments of the step, and most of them from around its end, also on a machine that is busy.
"""

_READY = 120.0
"""Seconds within which a program must have prepared its copy."""


@dataclass(slots=True)
class KilledRestore:
    """One kill.

    Attributes:
        step: "preparing", when a copy is made and cleaned, or "replacing", when it becomes the database.
        after: seconds from the begin of this step.
        state: "before" or "restored", what the database is afterwards; "ended" if the restore was faster.
        wrong: what is wrong with it.
    """

    step: str
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
        times = _restore(file)
        for number in range(count):
            step = list(times)[number % 2]
            kill = _one(file, number, held, erased, step, draw.uniform(0.2, 1.2) * times[step])
            times[step] *= _EARLIER if kill.state == "ended" else _LATER
            yield kill
            for left in home.glob("before-restore-*"):
                left.unlink()


def _one(file: Path, number: int, held: int, erased: set[str], step: str, after: float) -> KilledRestore:
    store, later = ClassStore(), f"Later {number}"
    store.record_consent(CLASS, later, make_consent("a parent"))
    if number < len(PUPILS) - 1:  # so that there is always something to remove again, and somebody stays
        store.remove_student(CLASS, PUPILS[number])
        erased.add(PUPILS[number])
    before = _stored(open_database())
    _as_new_program()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            _restore(file, lambda: os.write(write, b"."))
            code = 0
        finally:
            os._exit(code)
    os.close(write)
    if step == "replacing":
        select.select([read], [], [], _READY)
    time.sleep(after)
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    os.close(read)
    _, status = os.waitpid(child, 0)
    kill = KilledRestore(step, after)
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


def _restore(file: Path, tell: Callable[[], object] = lambda: None) -> dict[str, float]:
    """Restore a backup. ``tell`` is called when the copy is prepared. Returns step -> seconds that it took."""
    begun = time.monotonic()
    with prepared(file, WORD) as ready:
        tell()
        half = time.monotonic()
        put_in_place(ready)
    _as_new_program()
    return {"preparing": half - begun, "replacing": time.monotonic() - half}


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
