"""The recorder: its thread, real kills, and several programs on one database."""

import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from made_frames import class_with_consents, everybody, frame

from fewshot.classroom.store import ClassStore
from fewshot.database import Database
from fewshot.errors import StoreError
from fewshot.session import liveness as owner
from fewshot.session import recorder
from fewshot.session.lessons import LessonStore
from fewshot.session.recorder import LessonRecorder
from fewshot.session.seconds import Second

ROOT = Path(__file__).resolve().parents[2]
NAMES = [f"student {number:02d}" for number in range(5)]
SHOWN = dict.fromkeys(NAMES, "happy")


@pytest.fixture
def lessons() -> LessonStore:
    class_with_consents("physics", NAMES)
    return LessonStore()


def start(lessons: LessonStore, threaded: bool = False) -> LessonRecorder:
    return LessonRecorder(lessons, lessons.create("physics", students=NAMES), NAMES, threaded=threaded)


def test_a_second_under_way_is_written_and_written_again(lessons: LessonStore) -> None:
    with start(lessons) as kept:
        kept.flush()
        for step in range(25):
            kept.write(everybody(step / 10, SHOWN))
            kept.flush()
            kept.flush()
            lesson = lessons.load(kept.lesson)
            assert lesson.frames_per_second.sum() == step + 1
            assert len(lesson.readings) == len(NAMES) * (1 + step // 10)
        assert kept.position == pytest.approx(2.5)
    assert lessons.load(kept.lesson).frames_per_second.tolist() == [10, 10, 5]
    kept.close()


def test_the_thread_writes_while_the_lesson_runs(lessons: LessonStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "PACE", 0.01)
    monkeypatch.setattr(recorder, "LATE", 0.0)
    with start(lessons, threaded=True) as kept:
        kept.write(everybody(0.0, SHOWN))
        deadline = time.monotonic() + 30
        while not len(lessons.load(kept.lesson).readings) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert len(lessons.load(kept.lesson).readings) == len(NAMES)


@pytest.mark.parametrize(
    ("waiting", "frames", "idle", "flushed"),
    [
        (0, 0, 0.1, None),  # nothing to say
        (0, 0, 2.1, False),  # a sign of life
        (1, 3, 0.1, False),  # a finished second
        (0, 3, 0.1, None),  # one that has only begun
        (0, 3, 1.0, True),  # no frame has ended it for a second
    ],
)
def test_when_something_is_written(
    lessons: LessonStore, monkeypatch: pytest.MonkeyPatch, waiting: int, frames: int, idle: float, flushed: bool | None
) -> None:
    """At a pace of half a second and at most 0.9 s of waiting, no frame is kept later than 2 s after it was seen."""
    assert recorder.PACE + recorder.LATE < 1.5
    kept = start(lessons)
    now = time.monotonic() + idle
    for step in range(frames):
        kept.write(everybody(step / 100, SHOWN))
    kept._waiting += [Second(7, 1)] * waiting
    monkeypatch.setattr(recorder.time, "monotonic", lambda: now)
    calls: list[bool] = []

    def flush(unfinished: bool) -> None:
        calls.append(unfinished)

    monkeypatch.setattr(kept, "flush", flush)
    stops = iter([False, True])
    monkeypatch.setattr(kept._stop, "wait", lambda pace: next(stops))
    kept._work()
    assert calls == ([] if flushed is None else [flushed])


def test_a_database_that_refuses_is_tried_again_and_then_told(
    lessons: LessonStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = start(lessons)
    kept.write(everybody(0.0, SHOWN))
    kept.write(everybody(1.0, SHOWN))

    def refuse(*_: object) -> None:
        raise StoreError("disk full")

    with monkeypatch.context() as patched:
        patched.setattr(kept, "_keep", refuse)
        with pytest.raises(StoreError, match="disk full"):
            kept.flush()
        patched.setattr(recorder, "PATIENCE", -1.0)
        kept._work()
        with pytest.raises(StoreError, match="disk full"):
            kept.write(everybody(2.0, SHOWN))
    kept.close()
    assert lessons.load(kept.lesson).frames_per_second.tolist() == [1, 1]


def test_a_lesson_deleted_while_it_runs_is_recorded_no_further(lessons: LessonStore) -> None:
    kept = start(lessons)
    kept.write(everybody(0.0, SHOWN))
    kept.flush()
    lessons.delete(kept.lesson)
    kept.write(everybody(1.0, SHOWN))
    kept.flush()
    assert kept.deleted
    kept.close()
    assert lessons.lessons() == []


def test_a_student_removed_while_the_lesson_runs_stays_away(lessons: LessonStore) -> None:
    kept = start(lessons)
    kept.write(everybody(0.0, SHOWN))
    ClassStore().remove_student("physics", NAMES[3])
    kept.write(everybody(1.0, SHOWN))
    kept.close()
    lesson = lessons.load(kept.lesson)
    assert NAMES[3] not in lesson.students
    assert len(lesson.readings) == 2 * (len(NAMES) - 1)


def test_memory_does_not_grow_with_the_lesson(lessons: LessonStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "BACKLOG", 3)
    monkeypatch.setattr(recorder, "PACE", 0.01)
    longest = 0
    with start(lessons, threaded=True) as kept:
        for second in range(40):
            kept.write(everybody(float(second), SHOWN))
            longest = max(longest, len(kept._waiting))
    assert longest <= 4
    assert len(lessons.load(kept.lesson).readings) == 40 * len(NAMES)


def test_a_lesson_without_a_class() -> None:
    with LessonRecorder.start(source="cam", database=Database("sqlite://")) as kept:
        kept.write(frame(0.0))
        store = kept._store
    assert store.load(kept.lesson).info.classroom == ""


WRITER = """
import os, signal, sys
sys.path[:0] = ["tests/session"]
from made_frames import class_with_consents, everybody
from fewshot.session import recorder
from fewshot.session.lessons import LessonStore
recorder.PACE, recorder.BACKLOG = 0.002, 4  # so that most kills meet a transaction
names = sys.argv[1].split(",")
shown = dict.fromkeys(names, "happy")

def record(seconds, tell):
    with recorder.LessonRecorder.start("physics", names) as kept:
        for number in range(seconds * 5):
            kept.write(everybody(number / 5, shown))
            os.write(tell, b".")

def spawn(seconds):
    read, tell = os.pipe()
    child = os.fork()
    if not child:
        os.close(read)
        record(seconds, tell)
        os._exit(0)
    os.close(tell)
    return child, read

for frames in map(int, sys.argv[2:]):
    child, read = spawn(100_000)
    for _ in range(frames):
        os.read(read, 1)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(read)
pairs = [spawn(60), spawn(60)]
for child, read in pairs:
    while os.read(read, 64):
        pass
    print(os.waitpid(child, 0)[1])
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork, which Windows does not have")
def test_killed_at_any_moment_and_two_at_once(lessons: LessonStore) -> None:
    frames = [1, 40, 200, 600]
    command = [sys.executable, "-c", WRITER, ",".join(NAMES), *map(str, frames)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.stdout.split() == ["0", "0"], done.stderr
    infos = sorted(lessons.lessons(), key=lambda info: info.id)
    assert [info.state for info in infos] == ["interrupted"] * 4 + ["ended"] * 2
    for info in infos:
        lesson = lessons.load(info.id)
        whole = lesson.frames_per_second[:-1]
        assert (whole == 5).all()  # every second but the last is there, and complete
        rows = lesson.readings
        assert len(rows) == len(NAMES) * len(lesson.frames_per_second)
        assert (rows.frames == lesson.frames_per_second[rows.second]).all()
        assert info.ended is not None
    for info, seen in zip(infos, frames, strict=False):
        assert len(lessons.load(info.id).frames_per_second) >= seen / 5 - 6  # 4 that may wait, 2 on their way
    assert [info.seconds for info in infos[4:]] == pytest.approx([60.0, 60.0])
    assert LessonStore().create("physics") > infos[-1].id  # nobody left the database locked


def test_who_is_at_work() -> None:
    now = datetime.now(UTC)
    me = owner.this_process()
    assert owner.is_at_work(me, now, now)
    machine, pid, began = me.split("|")
    assert not owner.is_at_work(me, datetime(2020, 1, 1, tzinfo=UTC), now)
    assert owner.is_at_work("elsewhere|1|1", now, now)
    if sys.platform == "linux":
        assert not owner.is_at_work(f"{machine}|{pid}|{int(began) - 1}", now, now)  # its number was given out again
    if sys.platform != "win32":
        gone = subprocess.Popen([sys.executable, "-c", ""])
        gone.wait()
        assert not owner.is_at_work(f"{machine}|{gone.pid}|", now, now)
