"""The sample class: lessons that the real loop recorded, played or kept through the same doors as a live one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from fewshot.app.lesson import RunningLesson
from fewshot.app.lesson_parts import Plan, Setup
from fewshot.app.lesson_room import ROOM, LessonRoom
from fewshot.app.memory import Remembered, hint_on
from fewshot.app.recording import Recording, earlier_recordings, sample_recording
from fewshot.app.replay import Replay
from fewshot.classroom.consent import SAMPLE_CONSENT
from fewshot.classroom.store import ClassStore
from fewshot.session.lessons import LessonStore
from fewshot.session.recorder import LessonRecorder
from fewshot.types import EMOTIONS

SAMPLE_CLASS = "Sample class"
AHEAD = 360.0
"""Seconds of the sample lesson that are over when somebody comes in: its hard exercise has begun, and two minutes later
the hint on pace has its eight minutes of lesson."""


def ensure_sample_class(recording: Recording) -> str:
    """The sample class: names and a note in place of consent, no photo and no vector. Made when first asked for."""
    store = ClassStore()
    if not store.exists(SAMPLE_CLASS):
        store.create(SAMPLE_CLASS, sample=True)
    known = store.roster(SAMPLE_CLASS).students
    for student in recording.students:
        if student not in known:
            store.record_consent(SAMPLE_CLASS, student, SAMPLE_CONSENT)
    return SAMPLE_CLASS


def ensure_earlier_lessons(at: datetime | None = None) -> None:
    """What the class did in the weeks before ``at`` (aware; None is now), if no lesson of it is kept yet.

    They are what a student's usual, and the course over weeks, are made of.
    """
    if not LessonStore().lessons(SAMPLE_CLASS):
        _keep_earlier_lessons(at)


def _keep_earlier_lessons(at: datetime | None = None) -> None:
    lessons = LessonStore()
    for recording in earlier_recordings():
        started = (at or datetime.now(UTC)) - timedelta(weeks=int(recording.about["weeks_before"]))
        with _sample_notebook(recording, started, threaded=False) as notebook:
            for result in recording.results():
                notebook.write(result)
            for second, text in recording.markers:
                lessons.mark(notebook.lesson, second, text)
            notebook.flush()
            lessons.end(notebook.lesson, started + timedelta(seconds=recording.seconds))


def start_sample(room: LessonRoom = ROOM, ahead: float = AHEAD) -> RunningLesson:
    """The recorded lesson, at its own pace; whoever asks while it plays joins it."""
    recording = sample_recording()
    title, source = str(recording.about["title"]), str(recording.about["source"])
    plan = Plan(SAMPLE_CLASS, title, recording.students, source, recorded=True)

    def prepare() -> Setup:
        ensure_sample_class(recording)
        if not LessonStore().lessons(SAMPLE_CLASS):  # some seconds of writing, which nobody need wait for
            threading.Thread(target=_keep_earlier_lessons, name="fewshot sample weeks", daemon=True).start()
        notebook = _sample_notebook(recording)
        memory = Remembered(LessonStore(), None)
        return Setup(
            notebook,
            memory,
            lambda sinks: Replay(recording, sinks, ahead),
            EMOTIONS,
            learns=False,
            hint=hint_on(notebook),
            markers=recording.markers,
        )

    return room.start(plan, prepare)


def keep_sample(on_share: Callable[[float], None] | None = None) -> int:
    """The whole sample lesson at once, for those who want to see its report now. Returns the lesson's number."""
    recording = sample_recording()
    ensure_sample_class(recording)
    ensure_earlier_lessons()
    with _sample_notebook(recording) as notebook:
        for second, text in recording.markers:
            LessonStore().mark(notebook.lesson, second, text)
        for step, result in enumerate(recording.results()):
            notebook.write(result)
            if on_share is not None and step % 50 == 0:
                on_share(step / len(recording))
    return notebook.lesson


def _sample_notebook(recording: Recording, started: datetime | None = None, threaded: bool = True) -> LessonRecorder:
    about, store = recording.about, LessonStore()
    lesson = store.create(
        SAMPLE_CLASS,
        title=str(about["title"]),
        source=str(about["source"]),
        network=str(about["network"]),
        students=recording.students,
        sample=True,
        started=started,
    )
    return LessonRecorder(store, lesson, recording.students, threaded=threaded)
