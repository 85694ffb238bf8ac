"""A running lesson obeys what is done to its class: by this program or another one, on a page or by a command."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from drawn_faces import draw_class, draw_frame, person_vector, see_drawings
from typer.testing import CliRunner

from fewshot import Classroom
from fewshot.app.lesson import RunningLesson
from fewshot.app.lesson_notes import DELETED
from fewshot.app.lesson_parts import LessonPlan, Setup
from fewshot.app.lesson_room import LessonRoom
from fewshot.app.memory import Remembered
from fewshot.app.setups import start_lesson
from fewshot.classroom import class_watch
from fewshot.classroom.class_watch import ClassWatch
from fewshot.classroom.consent import Consent
from fewshot.classroom.store import ClassStore
from fewshot.classroom.traces import LAST_TIMELINE
from fewshot.cli import app
from fewshot.database import Database
from fewshot.errors import FewshotError, StoreError, UsageError
from fewshot.live.sources import FrameSource
from fewshot.live.sources.base import CapturedFrame
from fewshot.session.lessons import LessonStore
from fewshot.session.recorder import LessonRecorder
from fewshot.types import EMOTIONS, Frame, FrameResult, Reading

ROOT = Path(__file__).resolve().parents[2]
ASHA, BELA = 1, 2


@pytest.fixture(autouse=True)
def drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    see_drawings(monkeypatch)


@pytest.fixture
def room(tmp_path: Path) -> Classroom:
    """Two students with two photos each."""
    room = Classroom.open("physics")
    room.enroll_folder(draw_class(tmp_path / "photos", {"asha": ASHA, "bela": BELA}), consent_by="their parents")
    return room


@pytest.fixture
def picture(tmp_path: Path) -> Frame:
    return draw_frame(tmp_path / "lesson.png", {ASHA: 100, BELA: 90})


def elsewhere(code: str) -> None:
    """Run a change in another program."""
    words = f"from fewshot.classroom.store import ClassStore\nstore = ClassStore()\n{code}"
    subprocess.run([sys.executable, "-c", words], check=True, cwd=ROOT, timeout=120)


def by_command(*words: str) -> None:
    subprocess.run([sys.executable, "-m", "fewshot", *words], check=True, cwd=ROOT, timeout=120, capture_output=True)


WITHDRAW = "store.withdraw_consent('physics', 'asha')"
CHANGES: dict[str, Callable[[], None]] = {
    "withdrawn elsewhere": lambda: elsewhere(WITHDRAW),
    "removed elsewhere": lambda: elsewhere("store.remove_student('physics', 'asha')"),
    "removed by command": lambda: by_command("roster", "physics", "--remove", "asha"),
    "withdrawn here": lambda: ClassStore().withdraw_consent("physics", "asha"),
    "removed here": lambda: ClassStore().remove_student("physics", "asha") and None,
}


class Scripted:
    """Frames without end: some, then the change, then more. ``changed`` is the number of frames before it."""

    def __init__(self, picture: Frame, change: Callable[[], None], before: int = 6, after: int = 60) -> None:
        self.picture, self.change, self.before, self.after = picture, change, before, after

    def __iter__(self) -> Iterator[Frame]:
        for _ in range(self.before):
            yield self.picture
        self.change()
        for _ in range(self.after):
            threading.Event().wait(0.03)
            yield self.picture


def names_of(result: FrameResult) -> set[str]:
    return {reading.student for reading in result.readings if reading.student is not None}


@pytest.mark.parametrize("what", CHANGES)
def test_a_student_is_no_longer_named_within_a_second(room: Classroom, picture: Frame, what: str) -> None:
    assert class_watch.EVERY <= 0.5
    frames = Scripted(picture, CHANGES[what])
    results = list(room.watch(FrameSource(iter(frames), 25.0, "cam")))
    seen = [names_of(result) for result in results]
    assert {"asha", "bela"} in seen[: frames.before], "named before"
    # 60 frames with at least 0.03 s between them are more than a second: the last ones come after it.
    assert seen[-1] == {"bela"} and "asha" not in set().union(*seen[-20:])


def held() -> int:
    """Arrays in this program that hold an identity vector of asha."""
    gc.collect()
    vector, count = person_vector(ASHA), 0
    for value in {id(value): value for owner in gc.get_objects() for value in gc.get_referents(owner)}.values():
        if isinstance(value, np.ndarray) and value.dtype == np.float32 and value.shape[-1:] == vector.shape:
            whole = value.base if isinstance(value.base, np.ndarray) else value
            if whole.dtype == np.float32 and whole.size % vector.size == 0 and whole.size:
                count += int((whole.reshape(-1, vector.size) @ vector > 0.99).any()) if value is not vector else 0
    return count


@pytest.fixture
def left_over() -> int:
    """Such arrays that earlier tests left behind; to be asked for before the class."""
    return held()


@pytest.mark.parametrize("what", ["withdrawn elsewhere", "removed elsewhere"])
def test_vectors_are_dropped_from_memory(
    left_over: int, room: Classroom, picture: Frame, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(class_watch, "EVERY", 0.0)
    loop = room.loop()
    for number in range(4):
        named = names_of(loop.step(CapturedFrame("cam", number, number / 10, picture)).result)
    assert named == {"asha", "bela"}
    assert held() > left_over
    CHANGES[what]()
    blank = np.zeros_like(picture)
    for number in range(4, 8):
        loop.step(CapturedFrame("cam", number, 2.0 + number / 10, blank))
    assert held() <= left_over


def test_a_withdrawn_student_is_not_recorded_even_if_something_still_names_them(room: Classroom) -> None:
    def result(second: int) -> FrameResult:
        shares = dict.fromkeys(EMOTIONS, 1 / 7)
        readings = [Reading(n, (0, 0, 9, 9), 0.9, s, 0.9, "happy", 0.9, shares) for n, s in enumerate(["asha", "bela"])]
        return FrameResult("cam", second, float(second), 64, 48, tuple(readings))

    recorder = LessonRecorder.start("physics", ["asha", "bela"], database=room.store.database)
    recorder.write(result(0))
    recorder.write(result(1))
    recorder.flush()
    elsewhere(WITHDRAW)
    for second in range(2, 5):
        recorder.write(result(second))
    recorder.close()
    lesson = LessonStore().load(recorder.lesson)
    asha, bela = (lesson.readings.second[lesson.readings.student == lesson.students.index(s)] for s in ("asha", "bela"))
    assert bela.tolist() == [0, 1, 2, 3, 4] and asha.max() <= 1
    room.store.record_consent(
        "physics", "asha", Consent("her mother again", room.roster().students["bela"].consent.day)
    )
    with LessonRecorder.start("physics", ["asha", "bela"], database=room.store.database) as again:
        again.write(result(0))
    assert len(LessonStore().load(again.lesson).readings) == 2, "a new consent counts"


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Callable[[Scripted], None]:
    """Let ``fewshot live`` watch these frames."""

    def use(frames: Scripted) -> None:
        source = FrameSource(iter(frames), 25.0, "cam")
        monkeypatch.setattr("fewshot.commands.runs.open_lasting", lambda *_: source)

    return use


LIVE = ["live", "--class", "physics", "--no-show", "--record"]


@pytest.mark.parametrize("what", ["withdrawn elsewhere", "removed by command"])
def test_live_on_the_command_line(
    room: Classroom, picture: Frame, watched: Callable[[Scripted], None], what: str, fewshot_home: Path
) -> None:
    watched(Scripted(picture, CHANGES[what]))
    result = CliRunner().invoke(app, LIVE)
    assert result.exit_code == 0, result.output
    assert "bela" in result.output and "asha" not in result.output, "neither in the table nor elsewhere"
    assert (fewshot_home / LAST_TIMELINE).exists()
    lesson = LessonStore().load(1)
    assert len(lesson.frames_per_second) > 2
    if "removed" in what:
        assert lesson.students == ["bela"]
    else:
        rows = lesson.readings.second[lesson.readings.student == lesson.students.index("asha")]
        assert rows.max(initial=0) <= 1


@pytest.mark.parametrize("recorded", [True, False])
def test_a_class_deleted_meanwhile_ends_the_lesson_in_words(
    room: Classroom, picture: Frame, watched: Callable[[Scripted], None], recorded: bool
) -> None:
    frames = Scripted(picture, lambda: elsewhere("store.delete('physics')"), after=2000)
    watched(frames)
    result = CliRunner().invoke(app, LIVE[: None if recorded else -1])
    assert result.exit_code == 1
    assert "'physics' was deleted while its lesson ran" in result.output and "fewshot roster" in result.output
    assert "was recorded" not in result.output and LessonStore().lessons() == []


def test_a_lesson_deleted_meanwhile_is_not_called_recorded(
    room: Classroom, picture: Frame, watched: Callable[[Scripted], None]
) -> None:
    watched(Scripted(picture, lambda: by_command("lessons", "--delete", "1")))
    result = CliRunner().invoke(app, LIVE)
    assert "Lesson 1 was deleted while it ran" in result.output and "was recorded" not in result.output


def test_analyze_obeys_too(room: Classroom, picture: Frame, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    source = FrameSource(iter(Scripted(picture, CHANGES["removed elsewhere"])), 25.0, "film.mp4")
    monkeypatch.setattr("fewshot.commands.runs.open_source", lambda *_: source)
    (tmp_path / "film.mp4").write_bytes(b"x")
    result = CliRunner().invoke(app, ["analyze", str(tmp_path / "film.mp4"), "--class", "physics", "--record"])
    assert result.exit_code == 0 and "bela" in result.output and "asha" not in result.output
    assert LessonStore().load(1).students == ["bela"]


def test_a_renamed_class_goes_on(room: Classroom, picture: Frame) -> None:
    frames = Scripted(picture, lambda: elsewhere("store.rename('physics', 'chemistry')"))
    results = list(room.watch(FrameSource(iter(frames), 25.0, "cam")))
    assert names_of(results[-1]) == {"asha", "bela"} and room.name == "chemistry"


def test_a_class_made_again_under_the_old_name_is_another_class(
    room: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(class_watch, "EVERY", 0.0)
    watch = room.watcher()
    room.store.delete("physics")
    room.store.create("physics")
    for _ in range(2):
        with pytest.raises(StoreError, match="was deleted while its lesson ran"):
            watch.look()


def test_it_looks_at_most_twice_a_second_and_survives_a_short_fault(
    room: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr(class_watch.time, "monotonic", lambda: now[0])
    looked: list[float] = []
    true = class_watch._standing

    def standing(session: object, number: int) -> object:
        looked.append(now[0])
        return true(session, number)  # type: ignore[arg-type]

    monkeypatch.setattr(class_watch, "_standing", standing)
    watch = ClassWatch(room.store.database, "physics", lambda _: None)
    for _ in range(30):
        watch.look()
        now[0] += 0.1
    assert 5 <= len(looked) <= 8

    def fail(*_: object) -> None:
        raise StoreError("locked")

    monkeypatch.setattr(class_watch, "_standing", fail)
    now[0] += 1
    assert watch.look().consenting == {"asha", "bela"}
    now[0] += 60
    with pytest.raises(StoreError, match="locked"):
        watch.look()


def until(true: Callable[[], bool]) -> None:
    waiting = threading.Event()
    for _ in range(600):
        if true():
            return
        waiting.wait(0.02)
    raise AssertionError("it never came true")


@pytest.fixture
def lesson(room: Classroom, picture: Frame, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningLesson]:
    """A lesson of the app, running on frames without end."""
    monkeypatch.setattr("fewshot.app.setups.open_class", lambda *_: room)
    endless = Scripted(picture, lambda: None, after=100_000)
    monkeypatch.setattr("fewshot.app.setups.open_named", lambda *_: FrameSource(iter(endless), 25.0, "cam"))
    running = start_lesson("physics", "cam", room=LessonRoom())
    until(lambda: {tile.student for tile in running.view().board.tiles if tile.age is not None} == {"asha", "bela"})
    yield running
    running.stop()


@pytest.mark.parametrize("what", ["withdrawn here", "removed elsewhere"])
@pytest.mark.parametrize("paused", [False, True])
def test_a_lesson_of_the_app(lesson: RunningLesson, what: str, paused: bool) -> None:
    until(lambda: lesson.pick("asha").vector is not None)
    picked = lesson.pick("asha")
    lesson.mark("Asha asks")
    if paused:
        lesson.pause()
    CHANGES[what]()
    until(lambda: [tile.student for tile in lesson.view().board.tiles] == ["bela"])
    assert lesson._faces.of("asha") is None and not lesson.may_name("asha") and lesson.may_name("bela")
    assert [text for _, text in lesson.view().markers] == ["[removed] asks"]
    with pytest.raises(UsageError, match="no longer in this lesson"):
        lesson.correct(picked, "sad")
    if paused:
        assert lesson.picture() is None, "the last picture still shows the name"
    assert lesson.alive


def test_a_deleted_class_ends_the_lesson_of_the_app(lesson: RunningLesson) -> None:
    elsewhere("store.delete('physics')")
    until(lambda: not lesson.alive)
    view = lesson.view()
    assert view.state == "failed" and "was deleted while its lesson ran" in (view.note or "")
    assert not lesson.kept and "fewshot roster" not in (view.note or "")
    until(lambda: not [thread for thread in threading.enumerate() if thread.name == "fewshot intake cam"])


def test_a_deleted_lesson_of_the_app_is_not_called_kept(lesson: RunningLesson) -> None:
    LessonStore().delete(lesson.id or 0)
    lesson.stop()
    assert lesson.view().note == DELETED and not lesson.kept


def test_a_lesson_that_ended_in_the_same_moment_is_not_disturbed(room: Classroom) -> None:
    def look() -> None:
        raise StoreError("gone")

    def prepare() -> Setup:
        notebook = room.recorder()
        return Setup(notebook, Remembered(LessonStore(), room), lambda _: _Ended(), look=look)

    class _Ended:
        error, notes, running = None, (), False

        def start(self) -> None: ...

        def stop(self) -> None: ...

        def latest(self) -> None: ...

    lesson = RunningLesson(LessonPlan("physics", "", ("asha",), "x"), prepare)
    lesson.start()
    until(lambda: not lesson.alive)
    assert lesson.view().state == "ended"


def test_a_class_in_memory_obeys_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(class_watch, "EVERY", 0.0)
    store = ClassStore(Database("sqlite://"))
    store.create("physics")
    store.record_consent("physics", "asha", Consent("x", date.today()))
    seen: list[object] = []
    watch = ClassWatch(store.database, "physics", seen.append)
    assert watch.look().consenting == {"asha"} and seen == []
    store.withdraw_consent("physics", "asha")
    assert watch.look().consenting == frozenset() and len(seen) == 1
    store.delete("physics")
    with pytest.raises(FewshotError):
        watch.look()
    assert seen[-1] is None
