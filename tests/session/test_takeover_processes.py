"""A lesson changes hands between real programs, one of which is killed, or stopped and woken, on both databases."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from made_frames import everybody

from fewshot.classroom.consent import make_consent
from fewshot.classroom.store import ClassStore
from fewshot.database import Database
from fewshot.errors import StoreError, UsageError
from fewshot.session.lessons import LessonStore
from fewshot.session.recorder import LessonRecorder

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs signals that Windows does not have")

ROOT = Path(__file__).resolve().parents[2]
WRITER = Path(__file__).with_name("lesson_writer.py")
NAMES = ["asha", "ben"]
SHOWN = dict.fromkeys(NAMES, "happy")
RATE = 50


@pytest.fixture(params=["sqlite", "postgres"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    url = (
        f"sqlite:///{tmp_path / 'x.db'}"
        if request.param == "sqlite"
        else str(request.getfixturevalue("postgres").fresh())
    )
    store = ClassStore(Database(url))
    store.create("physics")
    for name in NAMES:
        store.record_consent("physics", name, make_consent("the parents"))
    return url


@contextmanager
def writer(address: str) -> Iterator[tuple[subprocess.Popen[str], int, str]]:
    """Another program, its lesson and its ticket."""
    program = subprocess.Popen(
        [sys.executable, str(WRITER), address, ",".join(NAMES)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip
    try:
        assert program.stdout is not None
        said = program.stdout.readline().split()
        assert len(said) == 2, program.communicate(timeout=30)
        yield program, int(said[0]), said[1]
    finally:
        program.kill()
        program.communicate()


def stored(lessons: LessonStore, lesson: int, seconds: int) -> None:
    """Wait until so many seconds of the lesson are in the database."""
    end = time.monotonic() + 30
    while len(lessons.load(lesson).frames_per_second) < seconds:
        assert time.monotonic() < end
        time.sleep(0.05)


def goes_on(lessons: LessonStore, kept: LessonRecorder) -> int:
    """Record two more seconds; check that every second is there once and whole. Returns the first new one."""
    start = int(kept.position)
    before = lessons.load(kept.lesson).frames_per_second.tolist()
    for number in range(2 * RATE):
        kept.write(everybody(number / RATE, SHOWN))
    kept.close()
    lesson = lessons.load(kept.lesson)
    frames = lesson.frames_per_second.tolist()
    first = len(frames) - 2
    assert first in (start - 1, start, start + 1)  # the unfinished second, up to which it was recorded, is replaced
    assert frames[:first] == before[:first] and min(frames[:first]) >= RATE - 1
    assert frames[first:] == [RATE, RATE]
    rows = lesson.readings
    assert rows.second.tolist() == [second for second in range(len(frames)) for _ in NAMES]
    assert (rows.frames == lesson.frames_per_second[rows.second]).all()
    assert lesson.info.state == "ended" and lesson.info.seconds == pytest.approx(len(frames), abs=0.05)
    return first


def test_the_lesson_of_a_killed_program_goes_on_at_once(address: str) -> None:
    lessons = LessonStore(Database(address))
    with writer(address) as (program, lesson, _):
        stored(lessons, lesson, 2)
        with pytest.raises(UsageError, match="still being recorded"):
            LessonRecorder.resume(lesson, database=lessons.database)
        program.kill()
        program.wait()
        assert lessons.info(lesson).state == "interrupted"
        kept = LessonRecorder.resume(lesson, database=lessons.database, threaded=False)
        assert lessons.info(lesson).state == "running"
        assert goes_on(lessons, kept) >= 1


def test_a_program_that_was_stopped_is_refused_when_it_wakes_up(address: str) -> None:
    lessons = LessonStore(Database(address))
    with writer(address) as (program, lesson, ticket):
        stored(lessons, lesson, 2)
        for _ in range(5):
            program.send_signal(signal.SIGSTOP)
            try:
                kept = LessonRecorder.resume(lesson, ticket, database=lessons.database, threaded=False)
                break
            except StoreError:  # stopped in the middle of a transaction, which locks the whole of SQLite
                program.send_signal(signal.SIGCONT)
                time.sleep(0.3)
        first = goes_on(lessons, kept)
        assert first >= 1
        program.send_signal(signal.SIGCONT)
        _, said = program.communicate(timeout=60)
        assert program.returncode == 1 and f"now records lesson {lesson}" in said and "Traceback" not in said
    after = lessons.load(lesson)
    assert after.info.state == "ended" and after.frames_per_second.tolist()[first:] == [RATE, RATE]


FROZEN = """
import sys
from fewshot.database import Database
from fewshot.session.takeover import still_mine, begin
from fewshot.session.lessons import LessonStore
database = Database(sys.argv[1])
hold = begin(database, LessonStore(database).create())
with database.write() as session:
    still_mine(session, hold)
    print(hold.lesson, hold.ticket, flush=True)
    sys.stdin.readline()
"""


def test_a_program_that_hangs_inside_a_transaction_locks_its_lesson_only_for_a_while(
    postgres: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its transaction is undone by the server. (SQLite has no server: there the lesson waits for the program.)"""
    address = str(postgres.fresh())  # type: ignore[attr-defined]
    shorter = "&options=-c%20idle_in_transaction_session_timeout%3D500%20-c%20lock_timeout%3D20000"
    command = [sys.executable, "-c", FROZEN, address + shorter]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as program:
        try:
            assert program.stdout is not None
            lesson, ticket = program.stdout.readline().split()
            kept = LessonRecorder.resume(int(lesson), ticket, database=Database(address), threaded=False)
            kept.close()
        finally:
            program.kill()
