"""A running lesson and the room it runs in, with engines, stores and cameras that are made up."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from fewshot.app.board import FEWEST
from fewshot.app.lesson import RunningLesson
from fewshot.app.lesson_notes import OURS
from fewshot.app.lesson_parts import LessonPlan, Setup
from fewshot.app.lesson_room import ROOM, LessonRoom
from fewshot.classroom.corrections import Learned
from fewshot.errors import SourceError, UsageError
from fewshot.faces.quality import Quality
from fewshot.live.loop import Step
from fewshot.live.sinks.base import Sink
from fewshot.types import Face, Frame, FrameResult, Reading, Vectors

NAMES = ("Asha", "Ben", "Chidi", "Dana", "Elif", "Finn")


def step_of(time: float, students: Sequence[str] = NAMES, emotion: str | None = "happy") -> Step:
    quality = Quality(80, 1, 0, 0, 0, 120)
    crop = np.zeros((112, 112, 3), np.uint8)
    readings, faces = [], []
    for number, student in enumerate(students):
        shares = {"happy": 0.7, "neutral": 0.3}
        readings.append(Reading(number, (1, 1, 9, 9), 0.9, student, 0.8, emotion, 0.7, shares))
        vector = np.full(4, number, np.float32)
        faces.append(Face(np.zeros(4, np.float32), np.zeros((5, 2), np.float32), 0.9, crop, quality, number, vector))
    frame = np.zeros((20, 30, 3), np.uint8)
    return Step(FrameResult("x", 0, time, 30, 20, tuple(readings)), frame, faces)


class Engine:
    """Runs until it is stopped; steps are told by hand."""

    def __init__(self, sinks: Sequence[Sink]) -> None:
        self.sinks, self.error, self.notes = sinks, None, []
        self._running = threading.Event()
        self._latest: Step | None = None
        self.paused = False

    @property
    def running(self) -> bool:
        return self._running.is_set()

    def start(self) -> None:
        self._running.set()

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False

    def stop(self) -> None:
        self._running.clear()

    def latest(self) -> Step | None:
        return self._latest

    def tell(self, step: Step) -> None:
        self._latest = step
        for sink in self.sinks:
            sink.write(step.result, step.frame)


class Notebook:
    lesson = 7

    def __init__(self) -> None:
        self.position, self.frames, self.closed = 0.0, 0, 0

    def write(self, result: FrameResult, frame: Frame | None = None) -> None:
        self.frames += 1
        self.position = result.time

    def close(self) -> None:
        self.closed += 1


class Memory:
    def __init__(self) -> None:
        self.marks: list[tuple[int, float, str]] = []
        self.told: dict[int, Learned] = {}
        self.vectors: dict[int, list[float]] = {}

    def mark(self, lesson: int, second: float, text: str) -> int:
        self.marks.append((lesson, second, text))
        return len(self.marks)

    def unmark(self, lesson: int, marker: int) -> None:
        del self.marks[marker - 1]

    def correct(
        self, lesson: int, student: str, second: float, actually: str, vector: Vectors, said: str | None = None
    ) -> int:
        number = len(self.vectors) + 1
        self.told[number] = Learned(number, student, said, actually, lesson, second, datetime.now(UTC))
        self.vectors[number] = vector.tolist()
        return number

    def undo(self, correction: int) -> None:
        del self.told[correction]

    def corrections(self) -> list[Learned]:
        return list(reversed(self.told.values()))


class Stage:
    """A lesson with everything made up, running."""

    def __init__(self, plan: LessonPlan | None = None, **setup: Any) -> None:
        self.notebook, self.memory = Notebook(), Memory()
        self.engines: list[Engine] = []
        self.begun = threading.Event()
        self.prepared = 0
        self.setup = setup
        self.lesson = RunningLesson(plan or LessonPlan("physics", "", NAMES, "x"), self.prepare)

    def prepare(self) -> Setup:
        self.prepared += 1
        return Setup(self.notebook, self.memory, self.engine, ("happy", "sad", "neutral"), **self.setup)

    def engine(self, sinks: Sequence[Sink]) -> Engine:
        made = Engine(sinks)
        self.engines.append(made)
        self.begun.set()
        return made

    def start(self) -> Engine:
        self.lesson.start()
        return self.running()

    def start_in_room(self) -> Engine:
        """As the pages start it: in the room of lessons, where they find it. Needs the fixture ``empty_room``."""
        self.lesson = ROOM.start(self.lesson.plan, self.prepare)
        return self.running()

    def running(self) -> Engine:
        """The engine, once the lesson runs."""
        assert self.begun.wait(5)
        until(lambda: self.lesson.view().state == "running")
        return self.engines[0]


def until(true: Callable[[], bool]) -> None:
    waiting = threading.Event()
    for _ in range(1000):
        if true():
            return
        waiting.wait(0.005)
    raise AssertionError("it never came true")


def test_before_it_begins_it_says_so_and_can_do_nothing() -> None:
    stage = Stage()
    view = stage.lesson.view()
    assert view.state == "preparing" and view.id is None and view.metrics == {}
    for act in (lambda: stage.lesson.mark("x"), lambda: stage.lesson.pick("Asha"), lambda: stage.lesson.undo(1)):
        with pytest.raises(UsageError, match="not begun"):
            act()


def test_results_reach_the_board_and_the_notebook() -> None:
    stage = Stage()
    stage.start().tell(step_of(1.0))
    view = stage.lesson.view()
    assert [tile.state for tile in view.board.tiles] == ["happy"] * 6 and stage.notebook.frames == 1
    assert view.id == 7 and view.state == "running"
    stage.lesson.stop()
    assert stage.lesson.view().state == "ended" and stage.notebook.closed == 1


def test_pause_and_resume_reach_the_engine() -> None:
    stage = Stage()
    engine = stage.start()
    stage.lesson.pause()
    assert engine.paused and stage.lesson.view().state == "paused"
    stage.lesson.resume()
    assert not engine.paused and stage.lesson.view().state == "running"
    stage.lesson.stop()


def test_a_mark_has_the_time_of_the_latest_frame() -> None:
    stage = Stage()
    stage.start().tell(step_of(42.5))
    stage.lesson.mark("exercise 2")
    stage.lesson.mark("  ")
    assert stage.memory.marks == [(7, 42.5, "exercise 2"), (7, 42.5, "marked")]
    assert stage.lesson.view().markers == ((42.5, "exercise 2"), (42.5, "marked"))
    stage.lesson.stop()


def test_the_latest_mark_is_taken_back_and_no_other() -> None:
    stage = Stage()
    stage.start().tell(step_of(42.5))
    stage.lesson.mark("exercise 2")
    first = stage.lesson.latest_marker
    stage.lesson.mark("break")
    assert first is not None and stage.lesson.unmark(first) == "", "another tab has set one since"
    latest = stage.lesson.latest_marker
    assert latest is not None and stage.lesson.unmark(latest) == "break" and stage.lesson.unmark(latest) == ""
    assert stage.memory.marks == [(7, 42.5, "exercise 2")] and stage.lesson.view().markers == ((42.5, "exercise 2"),)
    assert stage.lesson.latest_marker == first
    stage.lesson.stop()


def test_the_markers_of_a_recording_are_set_when_they_come() -> None:
    stage = Stage(markers=((0.0, "welcome"), (5.0, "exercise"), (90.0, "homework")))
    engine = stage.start()
    engine.tell(step_of(1.0))
    assert stage.lesson.view().markers == ((0.0, "welcome"),)
    engine.tell(step_of(7.0))
    stage.lesson.stop()
    assert stage.memory.marks == [(7, 0.0, "welcome"), (7, 5.0, "exercise")]


def test_two_clicks_correct_the_face_that_was_seen_at_the_first() -> None:
    stage = Stage()
    engine = stage.start()
    engine.tell(step_of(3.0))
    picked = stage.lesson.pick("Ben")
    engine.tell(step_of(4.0, ["Ben"]))  # Ben's face has another vector now
    stage.lesson.view()
    number = stage.lesson.correct(picked, "sad")
    (learned,) = stage.lesson.corrections()
    assert (learned.student, learned.said, learned.actually, learned.lesson) == ("Ben", "happy", "sad", 7)
    assert stage.memory.vectors == {number: [1.0] * 4}
    stage.lesson.undo(number)
    assert list(stage.lesson.corrections()) == []
    stage.lesson.stop()


def test_corrections_of_an_earlier_lesson_are_told_and_can_be_undone() -> None:
    stage = Stage()
    assert list(stage.lesson.corrections()) == []  # not begun
    stage.memory.correct(3, "Ben", 12.0, "sad", np.zeros(4, np.float32))
    stage.start()
    (learned,) = stage.lesson.corrections()
    assert learned.lesson == 3
    stage.lesson.undo(learned.id)
    assert list(stage.lesson.corrections()) == []
    stage.lesson.stop()


def test_unsure_is_corrected_as_nothing_said() -> None:
    stage = Stage()
    stage.start().tell(step_of(3.0, emotion=None))
    assert stage.lesson.pick("Ben").said is None
    stage.lesson.stop()


def test_who_was_never_read_and_who_has_no_tile_cannot_be_corrected() -> None:
    stage = Stage()
    stage.start().tell(step_of(3.0, ["Asha"]))
    with pytest.raises(UsageError, match="could not be read"):
        stage.lesson.correct(stage.lesson.pick("Ben"), "sad")
    with pytest.raises(UsageError, match="no tile"):
        stage.lesson.pick("nobody")
    stage.lesson.stop()


def test_a_lesson_that_cannot_learn_says_so() -> None:
    stage = Stage(learns=False)
    stage.start().tell(step_of(3.0))
    with pytest.raises(UsageError, match="your own class"):
        stage.lesson.correct(stage.lesson.pick("Ben"), "sad")
    assert stage.memory.told == {}
    stage.lesson.stop()


def test_the_whole_class_alone_has_no_tile_no_picture_and_no_vector() -> None:
    stage = Stage(LessonPlan("physics", "", NAMES, "x", aggregate=True))
    stage.start().tell(step_of(3.0))
    view = stage.lesson.view()
    assert view.board.tiles == () and stage.lesson.picture() is None
    assert view.board.mood[0].people == 6 >= FEWEST
    with pytest.raises(UsageError):
        stage.lesson.pick("Ben")
    stage.lesson.stop()


def test_the_picture_is_a_jpeg_with_the_boxes_of_its_own_frame() -> None:
    stage = Stage()
    engine = stage.start()
    assert stage.lesson.picture() is None
    engine.tell(step_of(3.0))
    first = stage.lesson.picture()
    assert first is not None and first.startswith(b"\xff\xd8")
    assert stage.lesson.picture() is first  # several tabs share one
    stage.lesson.stop()


@pytest.mark.parametrize(
    ("error", "note"), [(SourceError("No camera 3. Choose another."), "No camera 3"), (ZeroDivisionError(), OURS[:20])]
)
def test_what_cannot_be_opened_is_a_sentence(error: Exception, note: str) -> None:
    def prepare() -> Setup:
        raise error

    lesson = RunningLesson(LessonPlan("physics", "", NAMES, "x"), prepare)
    lesson.start()
    until(lambda: lesson.view().state == "failed")
    assert note in str(lesson.view().note) and not lesson.alive


def test_what_fails_on_the_way_keeps_what_was_seen() -> None:
    stage = Stage()
    engine = stage.start()
    engine.tell(step_of(1.0))
    engine.error = SourceError("The camera is gone. Plug it in.")
    engine.stop()
    until(lambda: stage.lesson.view().state == "failed")
    assert stage.lesson.view().note == "The camera is gone. Plug it in." and stage.notebook.closed == 1


def test_a_class_has_one_lesson_at_a_time_and_who_comes_second_joins_it() -> None:
    room, stage, other = LessonRoom(), Stage(), Stage()
    first = room.start(stage.lesson.plan, stage.prepare)
    assert stage.begun.wait(5)
    assert room.start(stage.lesson.plan, other.prepare) is first and other.prepared == 0
    elsewhere = room.start(LessonPlan("maths", "", NAMES, "x"), other.prepare)
    assert elsewhere is not first and other.begun.wait(5)
    assert room.of("physics") is first and room.of("nothing") is None and len(room.alive()) == 2
    room.close()
    assert room.alive() == [] and room.of("physics") is first
    room.forget("physics")
    assert room.of("physics") is None


def test_after_the_end_a_new_lesson_may_begin() -> None:
    room, stage, second = LessonRoom(), Stage(), Stage()
    first = room.start(stage.lesson.plan, stage.prepare)
    assert stage.begun.wait(5)
    first.stop()
    again = room.start(stage.lesson.plan, second.prepare)
    assert again is not first and second.begun.wait(5)
    room.close()


def test_a_hint_is_looked_for_now_and_then_and_not_at_every_look() -> None:
    asked: list[float] = []
    stage = Stage(hint=asked.append)
    engine = stage.start()
    for time in (0.0, 1.0, 2.0, 6.0, 7.0):
        engine.tell(step_of(time))
        stage.lesson.hint()
    assert asked == [0.0, 6.0]
    stage.lesson.stop()


def test_a_click_in_one_lesson_never_corrects_another() -> None:
    earlier, later = Stage(), Stage()
    for stage in (earlier, later):
        stage.start().tell(step_of(1.0))
    picked = earlier.lesson.pick("Ben")
    with pytest.raises(UsageError, match="another lesson"):
        later.lesson.correct(picked, "sad")
    assert later.memory.vectors == {} and earlier.lesson.correct(picked, "sad") == 1
    for stage in (earlier, later):
        stage.lesson.stop()
