"""The parts of a running lesson, and what pages see of it: plain data and protocols."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Literal, Protocol

from fewshot.app.board import BoardView
from fewshot.app.browser_source import BrowserSource
from fewshot.app.guests import OffersNames
from fewshot.app.lesson_guests import EnrollsPictures
from fewshot.app.sharing.window import SharedWindow
from fewshot.classroom.corrections import Learned
from fewshot.database.owner import LOCAL_TEACHER, Owner
from fewshot.errors import Note
from fewshot.live.loop import Step
from fewshot.live.sinks.base import Sink
from fewshot.prototypes.evidence import Evidence
from fewshot.session.analysis.findings import Findings
from fewshot.types import Frame, FrameResult, Vectors

State = Literal["preparing", "running", "paused", "ended", "failed"]


class Engine(Protocol):
    """What drives a lesson: ``fewshot.live.pipeline.Pipeline``, or a ``Replay``."""

    error: BaseException | None
    notes: list[str]

    @property
    def running(self) -> bool: ...

    def start(self) -> None: ...

    def pause(self) -> None: ...

    def resume(self) -> None: ...

    def stop(self) -> None: ...

    def latest(self) -> Step | None: ...


class EndedEngine:
    """What is left of an engine when its lesson is over: its error, notes and figures. Pictures and vectors are gone.

    Args:
        engine: it has stopped.
    """

    running = False

    def __init__(self, engine: Engine) -> None:
        self.error, self.notes = engine.error, list(engine.notes)
        metrics = getattr(engine, "metrics", None)
        if metrics is not None:
            figures = metrics.snapshot()
            self.metrics = SimpleNamespace(snapshot=lambda: figures)

    def start(self) -> None:
        """It does not start again."""

    def pause(self) -> None:
        """Nothing runs."""

    def resume(self) -> None:
        """Nothing runs."""

    def stop(self) -> None:
        """It has stopped."""

    def latest(self) -> Step | None:
        """No frame is left."""
        return None


class Notebook(Protocol):
    """What stores a lesson: ``fewshot.session.recorder.LessonRecorder``."""

    lesson: int

    @property
    def position(self) -> float: ...

    def write(self, result: FrameResult, frame: Frame | None = None, /) -> None: ...

    def close(self) -> None: ...


class Memory(Protocol):
    """Stores what the teacher adds: markers (``LessonStore``) and corrections (``Classroom``)."""

    def mark(self, lesson: int, second: float, text: str) -> int: ...

    def unmark(self, lesson: int, marker: int) -> None: ...

    def correct(
        self, lesson: int, student: str, second: float, actually: str, vector: Vectors, said: str | None = None
    ) -> int: ...

    def undo(self, correction: int) -> None: ...

    def corrections(self) -> Sequence[Learned]: ...


@dataclass(frozen=True)
class Setup:
    """A lesson that is ready to start. Opening its source and models may have taken seconds.

    Attributes:
        notebook: stores the lesson.
        memory: markers and corrections.
        engine: takes the sinks and returns what drives the lesson.
        states: the answers a teacher may choose for what a student really showed.
        learns: corrections reach prototypes.
        kept: the lesson can be opened again after its end.
        hint: takes the second of the lesson, returns what stands out in it, or None if nobody looks.
        markers: for a recorded lesson, (second, text) by time; each is set when the lesson reaches it.
        advice: sentences about this computer, for example that a weaker detector is used. In English: they are made
            in the lesson's own thread, and pages translate them.
        look: students who may be named now, or None for no limit; called several times per second. Its errors end the
            lesson, for example because the class was deleted.
        evidence: takes a student, returns state -> what it rests on; {} if nothing is known about it.
        deny: takes a track, a student and True ("this is not Asha") or False (it is, after all); None if the lesson has
            no faces whose names can be taken.
        labels: reads the labels of the call; None if the lesson does not.
        enrolls: the class into which people who are not enrolled can be enrolled; None if there is none.
    """

    notebook: Notebook
    memory: Memory
    engine: Callable[[Sequence[Sink]], Engine]
    states: Sequence[str] = ()
    learns: bool = True
    kept: bool = True
    hint: Callable[[float], Findings | None] = lambda _now: None
    markers: Sequence[tuple[float, str]] = ()
    advice: Sequence[str | Note] = ()
    look: Callable[[], Collection[str] | None] = lambda: None
    evidence: Callable[[str], Mapping[str, Evidence]] = lambda _student: {}
    deny: Callable[[int, str, bool], None] | None = None
    enrolls: EnrollsPictures | None = None
    labels: OffersNames | None = None


@dataclass(frozen=True, slots=True)
class LessonPlan:
    """The request for a lesson.

    Attributes:
        classroom: name of the class, "" for a lesson without a class.
        students: those who have a tile; () if only the whole class is shown.
        source: name of the source.
        recorded: it replays an earlier run.
        aggregate: only counts for the class are kept and shown.
        sent: what a browser sends, its camera or a shared window; None if the frames come from elsewhere.
        owner: the teacher to whom the lesson belongs; nobody else can see or join it.
        credit: whose photographs are shown, if the faces are of real people who are not students. Then nothing is
            concluded about anybody (no hint, nobody to ask), and a correction may name only the lesson's states.
        portraits: student -> small JPEG that may be shown on the tile.
        by_label: names come from the labels of a call only.
    """

    classroom: str
    title: str
    students: tuple[str, ...]
    source: str
    recorded: bool = False
    aggregate: bool = False
    sent: BrowserSource | None = None
    owner: Owner = LOCAL_TEACHER
    credit: str = ""
    portraits: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    by_label: bool = False

    @property
    def shows_call(self) -> bool:
        """Whether the pictures show a window or a screen, and not a camera or a file."""
        return isinstance(self.sent, SharedWindow) or self.source.partition(":")[0] == "screen"


@dataclass(frozen=True, slots=True)
class Near:
    """One of the states nearest to a face.

    Attributes:
        share: its probability, 0..1.
        rests_on: whose photos it rests on, in words.
    """

    state: str
    share: float
    rests_on: str


@dataclass(frozen=True, slots=True)
class Picked:
    """A reading that a teacher clicked on, kept in memory until the second click corrects it. It is never stored.

    Attributes:
        second: of the lesson.
        said: the state that was shown; None if none was named.
        vector: the face at that moment, shape (d,); None if it could not be read.
        lesson: token of the lesson. A face of one lesson never corrects another.
        crop: the face at that moment as the network saw it, a PNG; None without a picture. Like the vector it is not
            part of the text of this object, so that no log contains it.
        nearest: the three most probable states, most probable first.
        track: number of the track that showed the face, -1 if it is not known.
    """

    student: str
    second: float
    said: str | None
    vector: Vectors | None = field(repr=False)
    lesson: str = ""
    crop: bytes | None = field(default=None, repr=False)
    nearest: tuple[Near, ...] = ()
    track: int = -1


@dataclass(frozen=True, slots=True)
class LessonView:
    """Everything that a page shows about a lesson at one moment.

    Attributes:
        id: number of the lesson in the store; None while it is being prepared.
        note: a sentence for the teacher about what is happening now, or None.
        advice: sentences about this computer that hold for the whole lesson.
        metrics: figures of the run (``MetricsSnapshot.as_json``); {} for a recording.
        doubts: for each face that has no name now although it could have one, why not, in words.
    """

    plan: LessonPlan
    state: State
    id: int | None
    note: str | None
    board: BoardView
    markers: tuple[tuple[float, str], ...]
    metrics: dict[str, Any] = field(default_factory=dict)
    advice: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
