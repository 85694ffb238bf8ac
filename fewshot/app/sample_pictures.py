"""Lessons of moving pictures in the real loop: the demo's picture, and real photographs that may be shown.

Their classes lie in memory and are gone with the lesson; nothing of them is stored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from fewshot.app.lesson import RunningLesson
from fewshot.app.lesson_parts import Engine, LessonPlan, Setup
from fewshot.app.lesson_room import ROOM, LessonRoom
from fewshot.app.memory import Remembered
from fewshot.app.setups import states_of
from fewshot.app.visitor import visitor
from fewshot.database.owner import teacher
from fewshot.demo import portrait_video
from fewshot.demo.portraits import CONSENT, CREDIT, PORTRAITS, STATES, neutral_photos, thumbnails
from fewshot.demo.sample import FPS, PEOPLE, enrollment_photos, sample_picture, video
from fewshot.errors import Note, UsageError
from fewshot.live.pipeline import Pipeline
from fewshot.live.sinks.base import Sink
from fewshot.live.sources import Paced
from fewshot.live.sources.base import FrameSource
from fewshot.room import Classroom
from fewshot.session.lessons import LONGEST_TEXT
from fewshot.session.stored_words import PHOTOGRAPHS, SAMPLE_PICTURE
from fewshot.session.temporary import TemporaryFolder
from fewshot.shared_models import MODELS
from fewshot.translation import later, tr
from fewshot.types import Frame

TRY = later(
    "To try a correction, wait until P03 or P08 smiles. The tile does not say happy at first. Click it, and choose "
    "happy while the smile lasts: the tile follows."
)
"""Names ``portraits.MISSED``."""


def start_picture(room: LessonRoom = ROOM) -> RunningLesson:
    """The moving sample picture of the demo in the real loop; its class is deleted with the lesson."""
    people = tuple(person.name for person in PEOPLE if person.enrolled)
    plan = LessonPlan(
        SAMPLE_PICTURE, "Live sample picture", people, "the moving sample picture", owner=teacher(visitor())
    )

    def prepare() -> Setup:
        picture = sample_picture()

        def photos(folder: Path) -> None:
            enrollment_photos(picture, folder)

        opened = _enrolled(plan, photos, "nobody: sample picture, deleted after the lesson")
        setup = _setup(plan, opened, FrameSource(_endless(picture), FPS, plan.source), states_of(opened))
        return replace(setup, enrolls=opened)

    return room.start(plan, prepare)


def start_photographs(room: LessonRoom = ROOM) -> RunningLesson:
    """Twelve real people in the real loop, each enrolled with one neutral photo.

    Nothing is concluded about them: no hint looks at the lesson, and it is in no report. A teacher can correct them,
    but only to what their photographs show.
    """
    plan = LessonPlan(
        PHOTOGRAPHS, "Real photographs", PORTRAITS, "the sample photographs", owner=teacher(visitor()), credit=CREDIT,
        portraits=thumbnails(),
    )  # fmt: skip

    def prepare() -> Setup:
        opened = _enrolled(plan, neutral_photos, CONSENT)
        source = FrameSource(portrait_video.video(), portrait_video.FPS, plan.source)
        return _setup(plan, opened, source, STATES, TRY)

    return room.start(plan, prepare)


def _enrolled(plan: LessonPlan, photos: Callable[[Path], None], consent_by: str) -> Classroom:
    """A class in memory with the students whose photos ``photos`` writes."""
    opened = Classroom.temporary(plan.classroom)
    opened.open_models = MODELS.perception
    with TemporaryFolder("sample") as folder:
        photos(Path(folder))
        opened.enroll_folder(folder, consent_by=consent_by)
    return opened


def _setup(plan: LessonPlan, opened: Classroom, frames: FrameSource, states: Sequence[str], *tips: str) -> Setup:
    notebook = opened.recorder(source=plan.source, title=plan.title)
    loop = opened.loop()
    source = Paced(frames)
    advice: list[str | Note] = [*tips, *opened.perception.notes]

    def engine(sinks: Sequence[Sink]) -> Engine:
        return Pipeline(loop, source, sinks)

    setup = Setup(notebook, _Temporary(opened), engine, states, kept=False, advice=advice)
    return replace(setup, evidence=opened.evidence, deny=loop.deny)


class _Temporary(Remembered):
    """Memory of a class that is not stored: its markers exist only in the running lesson."""

    def __init__(self, room: Classroom) -> None:
        self._room = room

    def mark(self, _lesson: int, _second: float, text: str) -> int:
        if len(text) > LONGEST_TEXT:
            raise UsageError(
                tr("This marker has {number} characters. Use at most {most}.", number=len(text), most=LONGEST_TEXT)
            )
        return 0

    def unmark(self, _lesson: int, _marker: int) -> None:
        """Nothing is stored."""


def _endless(picture: Frame) -> Iterator[Frame]:
    while True:
        yield from video(picture)
