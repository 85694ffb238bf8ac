"""What a running lesson is made of and what pages get to see of it: plain data, and the shapes it relies on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from fewshot.app.board import BoardView
from fewshot.classroom.corrections import Learned
from fewshot.live.loop import Step
from fewshot.live.sinks.base import Sink
from fewshot.session.analysis.pace import Hint
from fewshot.types import Frame, FrameResult, Vectors

State = Literal["preparing", "running", "paused", "ended", "failed"]


class Engine(Protocol):
    """What moves a lesson on: ``fewshot.live.pipeline.Pipeline``, or a ``Replay``."""

    error: BaseException | None
    notes: list[str]

    @property
    def running(self) -> bool: ...

    def start(self) -> None: ...

    def pause(self) -> None: ...

    def resume(self) -> None: ...

    def stop(self) -> None: ...

    def latest(self) -> Step | None: ...


class Notebook(Protocol):
    """What keeps a lesson: ``fewshot.session.recorder.LessonRecorder``."""

    lesson: int

    @property
    def position(self) -> float: ...

    def write(self, result: FrameResult, frame: Frame | None = None, /) -> None: ...

    def close(self) -> None: ...


class Memory(Protocol):
    """What the teacher adds is kept here: markers (``LessonStore``) and corrections (``Classroom``)."""

    def mark(self, lesson: int, second: float, text: str) -> int: ...

    def correct(
        self, lesson: int, student: str, second: float, actually: str, vector: Vectors, said: str | None = None
    ) -> int: ...

    def undo(self, correction: int) -> None: ...

    def corrections(self) -> Sequence[Learned]: ...


@dataclass(frozen=True)
class Setup:
    """A lesson ready to be started; made by what opens sources and models, which may take seconds.

    Attributes:
        notebook: keeps the lesson.
        memory: markers and corrections; None where there is nothing to learn from them.
        engine: gets the sinks and gives what moves the lesson.
        states: what a teacher may say a student really shows.
        learns: corrections reach prototypes.
        kept: the lesson can be opened again when it is over.
        hint: second of the lesson to a hint on pace, or None.
        markers: moments that a recorded lesson's teacher marked: (second, text), by time; set when they come.
    """

    notebook: Notebook
    memory: Memory
    engine: Callable[[Sequence[Sink]], Engine]
    states: Sequence[str] = ()
    learns: bool = True
    kept: bool = True
    hint: Callable[[float], Hint | None] = lambda _now: None
    markers: Sequence[tuple[float, str]] = ()


@dataclass(frozen=True, slots=True)
class LessonPlan:
    """What is asked for when a lesson is started.

    Attributes:
        classroom: name of the class, "" for nobody enrolled.
        students: who has a tile; () for a class that is only seen as a whole.
        source: what is watched, in words.
        recorded: it is a recording of an earlier run.
        aggregate: only counts over the class are kept and shown.
        camera: its frames come from a browser.
    """

    classroom: str
    title: str
    students: tuple[str, ...]
    source: str
    recorded: bool = False
    aggregate: bool = False
    camera: Any = None


@dataclass(frozen=True, slots=True)
class Picked:
    """A reading that a teacher clicked on, held until the second click says what it should have been."""

    student: str
    second: float
    said: str | None
    vector: Vectors | None


@dataclass(frozen=True, slots=True)
class LessonView:
    """Everything that a page shows of a lesson, at one moment.

    Attributes:
        id: of the lesson in the store; None while it is being prepared.
        note: a sentence for the teacher, or None.
        metrics: figures of the run (``MetricsSnapshot.as_json``); {} for a recording.
    """

    plan: LessonPlan
    state: State
    id: int | None
    note: str | None
    board: BoardView
    markers: tuple[tuple[float, str], ...]
    metrics: dict[str, Any] = field(default_factory=dict)
