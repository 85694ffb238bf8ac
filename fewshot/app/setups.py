"""Puts class, source, models and store together into a lesson for the lesson room."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from fewshot.addresses import public_address
from fewshot.app.browser_source import BrowserSource
from fewshot.app.class_photo import ClassPhoto, Known, cut_into_faces
from fewshot.app.guided import Guide, Prompt
from fewshot.app.guided_run import GuidedRun
from fewshot.app.lesson import RunningLesson
from fewshot.app.lesson_parts import Engine, LessonPlan, Setup
from fewshot.app.lesson_room import ROOM, LessonRoom
from fewshot.app.memory import PaceSoFar, Remembered
from fewshot.app.next_click import in_the_app
from fewshot.app.visitor import visitor
from fewshot.app.webrtc import BrowserCamera
from fewshot.call_labels.students import LabelledStudents, Names
from fewshot.classroom.photo_perception import photo_perception
from fewshot.classroom.thresholds import identity_thresholds
from fewshot.database.owner import Owner, teacher
from fewshot.errors import Note
from fewshot.live.pipeline import Pipeline, Schedule
from fewshot.live.sinks.base import Sink
from fewshot.live.sources import Paced, open_lasting
from fewshot.live.sources.base import Source
from fewshot.live.sparing import only_changed, usual_rate
from fewshot.loops import make_loop, open_population
from fewshot.perception import Perceives, Perception
from fewshot.prototypes.classifier import Classifier
from fewshot.room import Classroom
from fewshot.session.analysis.pace import trusted, trusted_states
from fewshot.session.lessons import LessonStore
from fewshot.session.recorder import LessonRecorder
from fewshot.session.settings import Settings
from fewshot.shared_models import MODELS
from fewshot.types import EMOTIONS, Frame, Vectors

NOBODY = ""
"""The class name of a lesson without a class: expressions without names."""


def open_class(classroom: str, owner: Owner | None = None) -> Classroom:
    """Open a class of the visitor with the detector that the settings name.

    Args:
        classroom: its name.
        owner: the visitor; needed where no page is being drawn, in a thread.
    """
    owner = owner or visitor()
    room = Classroom.open(classroom, detector=_detector(owner), owner=owner)
    room.open_models = MODELS.perception
    return room


def _detector(owner: Owner) -> str:
    return str(Settings(owner=owner).get("detector", "auto"))


def start_lesson(
    classroom: str,
    source: str | BrowserSource,
    *,
    title: str = "",
    aggregate: bool = False,
    paced: bool = True,
    called: str = "",
    names: Names = Names.faces,
    room: LessonRoom = ROOM,
) -> RunningLesson:
    """Start a lesson of a class on a source, or join the one that is already running in the class.

    Args:
        classroom: its name; ``NOBODY`` shows expressions without names.
        source: as for ``fewshot live --source``, or what a browser sends.
        aggregate: keep and show only counts for the class.
        paced: play a video file at normal speed; False processes it as fast as this machine can.
        called: the source's name on pages and in the report; "" is its own name.
        names: where names come from, see ``Classroom.loop``.
    """
    owner = teacher(visitor())
    opened = open_class(classroom, owner) if classroom else None
    students = tuple(opened.roster().consenting()) if opened else ()
    sent = source if isinstance(source, BrowserSource) else None
    name = called or (source.name if isinstance(source, BrowserSource) else public_address(source))
    plan = LessonPlan(
        classroom, title, students, name, aggregate=aggregate, sent=sent, owner=owner,
        by_label=names is Names.labels,
    )  # fmt: skip

    def prepare() -> Setup:
        watched: Source = source if isinstance(source, BrowserSource) else open_named(source, paced)
        try:
            perception = (
                opened.perception if opened else MODELS.perception(_detector(owner), threads=Schedule().threads())
            )
            spared = watched.live and only_changed()
            loop = (
                opened.loop(only_changed=spared, names=names) if opened else make_loop(perception, only_changed=spared)
            )
            notebook = (
                opened.recorder(source=name, title=title, aggregate=aggregate)
                if opened
                else LessonRecorder.start(source=name, title=title, aggregate=aggregate, owner=owner)
            )
        except BaseException:
            watched.close()
            raise
        memory = Remembered(LessonStore(owner=owner), opened)
        watch = opened.watcher() if opened else None

        def look() -> Collection[str] | None:
            return watch.look().consenting if watch else None

        def engine(sinks: Sequence[Sink]) -> Engine:
            return Pipeline(loop, watched, sinks, Schedule(fps=usual_rate(watched), gives_way=True))

        learns = opened is not None and not aggregate
        advice = perception.notes
        population = opened.population if opened else open_population()
        photographed = [student.emotions() for student in opened.roster().students.values()] if opened else []
        sources = population.reliable, population.classes, photographed
        relied = trusted(*sources)
        hint = PaceSoFar(notebook, trusted_states(*sources), owner, neutral=relied is None or "neutral" in relied)
        setup = Setup(notebook, memory, engine, states_of(opened), learns, hint=hint, advice=advice, look=look)
        if opened is None or aggregate:
            return setup
        labels = loop.labels.labels if isinstance(loop.labels, LabelledStudents) else None
        # Without identity vectors nobody can be told apart who is not enrolled.
        enrolls = None if names is Names.labels else opened
        return replace(setup, evidence=opened.evidence, deny=loop.deny, enrolls=enrolls, labels=labels)

    return room.start(plan, prepare)


def open_named(source: str, paced: bool) -> Source:
    """Open a source by its name; it waits for a lost camera, screen or stream. A paced file plays at normal speed."""
    opened = open_lasting(source)
    return Paced(opened) if paced and not opened.live else opened


def states_of(room: Classroom | None) -> list[str]:
    """The answers a teacher may choose: the seven emotions, and every state that a student in the class has."""
    if room is None:
        return list(EMOTIONS)
    students = room.roster().students.values()
    own = {emotion for student in students for emotion in student.emotions() if emotion}
    return [*EMOTIONS, *sorted(own - set(EMOTIONS) | {"concentrating", "confused"})]


def advice_of(perception: Perception) -> list[str]:
    """Sentences about weaker models that are used instead, each with the click that helps."""
    return [in_the_app(note) for note in perception.notes]


def guided_run(classroom: str, prompts: Sequence[Prompt]) -> GuidedRun:
    """A guided enrollment with the browser's camera and with the limits that enrollment uses for photos."""

    owner = visitor()

    def prepare() -> tuple[Guide, Perceives, Sequence[Note]]:
        room = open_class(classroom, owner)
        same = identity_thresholds(room.perception.identity_network).same
        return Guide(prompts, _reader_of(room), same), photo_perception(room.perception), room.perception.notes

    return GuidedRun(lambda: BrowserCamera(patience=90.0), prepare)


def class_photo(classroom: str, photo: Frame) -> ClassPhoto:
    """Cut a photo of a class into faces, with the limits that enrollment uses for photos.

    Args:
        classroom: name of the class.
        photo: BGR, shape (height, width, 3).

    Raises:
        UsageError: there is no face in it.
        StoreError: the class is damaged, or was enrolled with another network.
    """
    room = open_class(classroom)
    store, known = room.vectors(), None
    if store is not None:
        thresholds = identity_thresholds(room.perception.identity_network)
        known = Known(*store.identity_references(), thresholds.accept)
    return cut_into_faces(classroom, photo, photo_perception(room.perception), _reader_of(room), known)


def _reader_of(room: Classroom) -> Callable[[Vectors], list[dict[str, float]]]:
    """Classifies expression vectors as those of strangers."""
    reader = Classifier(room.population)

    def read(vectors: Vectors) -> list[dict[str, float]]:
        return [verdict.probabilities for verdict in reader.read(vectors, [None] * len(vectors))]

    return read


def photo_eyes(room: Classroom) -> tuple[Perceives, Callable[[Vectors], list[str]]]:
    """What looks at photos before they are enrolled: the networks, with the limits for enrollment, and the expression
    that they find in each of several faces of strangers, from vectors of shape (n, d); "unsure" where they are."""
    reader = Classifier(room.population)

    def read(vectors: Vectors) -> list[str]:
        return [verdict.emotion or "unsure" for verdict in reader.read(vectors, [None] * len(vectors))]

    return photo_perception(room.perception), read
