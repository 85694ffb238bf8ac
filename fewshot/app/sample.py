"""The sample class: lessons that the real loop recorded, played or stored through the same interfaces as live ones."""

from __future__ import annotations

from collections.abc import Callable

from fewshot.app.lesson import RunningLesson
from fewshot.app.lesson_parts import LessonPlan, Setup
from fewshot.app.lesson_room import ROOM, LessonRoom
from fewshot.app.memory import PaceSoFar, Remembered
from fewshot.app.recording import Recording, sample_recording
from fewshot.app.replay import Replay
from fewshot.app.sample_past import plan_past, sample_notebook, tell_past, tell_past_meanwhile
from fewshot.app.visitor import visitor
from fewshot.classroom.consent import SAMPLE_CONSENT
from fewshot.classroom.store import ClassStore
from fewshot.database.owner import LOCAL_TEACHER, Owner, is_demo, teacher
from fewshot.room import Classroom
from fewshot.session.lessons import LessonStore
from fewshot.session.stored_words import SAMPLE_CLASS
from fewshot.types import EMOTIONS

AHEAD = 360.0
"""Seconds of the sample lesson that are over when it is opened: its hard exercise has begun, and two minutes later the
hint on pace has the eight minutes of lesson that it needs."""


def ensure_sample_class(recording: Recording, owner: Owner = LOCAL_TEACHER) -> str:
    """Create the owner's sample class if there is none: names and a note instead of consent, no photos, no vectors."""
    store = ClassStore(owner=owner)
    if not store.exists(SAMPLE_CLASS):
        plan_past(owner=owner)
        store.create(SAMPLE_CLASS, sample=True)
    known = store.roster(SAMPLE_CLASS).students
    if missing := [student for student in recording.students if student not in known]:
        store.record_consents(SAMPLE_CLASS, missing, SAMPLE_CONSENT)
    return SAMPLE_CLASS


def start_sample(room: LessonRoom = ROOM, ahead: float = AHEAD) -> RunningLesson:
    """Play the recorded lesson at normal speed for the visitor, or join it if it is already playing.

    The demo spares memory and time: no lessons of the weeks before, and nobody there can remove a student meanwhile.

    Args:
        room: where lessons run.
        ahead: seconds of the lesson that are over at once.
    """
    owner = teacher(visitor())
    recording = sample_recording()
    title, source = str(recording.about["title"]), str(recording.about["source"])
    plan = LessonPlan(SAMPLE_CLASS, title, recording.students, source, recorded=True, owner=owner)

    def told() -> None:
        if not is_demo():
            tell_past_meanwhile(owner)

    def prepare() -> Setup:
        ensure_sample_class(recording, owner)
        notebook = sample_notebook(recording, owner=owner)
        memory = Remembered(LessonStore(owner=owner), None)
        watch = Classroom.open(SAMPLE_CLASS, owner=owner).watcher()
        return Setup(
            notebook,
            memory,
            # Earlier lessons are written only when this one plays, because two writers slow each other down.
            lambda sinks: Replay(recording, sinks, ahead, told=told),
            EMOTIONS,
            learns=False,
            hint=PaceSoFar(notebook, owner=owner),
            markers=recording.markers,
            look=(lambda: None) if is_demo() else lambda: watch.look().students,
        )

    return room.start(plan, prepare)


def keep_sample(on_share: Callable[[float], None] | None = None) -> int:
    """Store the whole sample lesson at once, so that its report can be opened. Returns the lesson's number."""
    recording, owner = sample_recording(), visitor()
    ensure_sample_class(recording, owner)
    tell_past(owner)
    with sample_notebook(recording, owner=owner) as notebook:
        for second, text in recording.markers:
            LessonStore(owner=owner).mark(notebook.lesson, second, text)
        for step, result in enumerate(recording.results()):
            notebook.write(result)
            if on_share is not None and step % 50 == 0:
                on_share(step / len(recording))
    return notebook.lesson
