"""One running lesson in its own threads: it continues when pages are opened and closed."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from fewshot.app.board import Board, BoardSink
from fewshot.app.lesson_faces import DeniedNames, HeldFaces, as_jpeg, nearest, what_to_learn
from fewshot.app.lesson_guests import LessonGuests, Naming
from fewshot.app.lesson_markers import LessonMarkers
from fewshot.app.lesson_notes import LessonNotes, advice_in_the_app
from fewshot.app.lesson_parts import EndedEngine, Engine, LessonPlan, LessonView, Picked, Setup, State
from fewshot.classroom.corrections import Learned
from fewshot.classroom.enrollment_report import StudentResult
from fewshot.errors import FewshotError, UsageError
from fewshot.live.overlay import Overlay
from fewshot.session.analysis.glance import Attention, Glance
from fewshot.session.analysis.pace import Hint
from fewshot.session.stored_words import UNNAMED
from fewshot.translation import tr
from fewshot.types import EMOTIONS, FrameResult, Reading

logger = logging.getLogger(__name__)

HINT_EVERY = 5.0


class RunningLesson:
    """A lesson from start to end. Every method may be called from any thread.

    Args:
        plan: the request.
        prepare: opens models, source and store; called in the lesson's own thread.
        clock: monotonic seconds.

    Attributes:
        token: distinguishes it from all others, also before it has a number, and reveals nothing about it.
        guests: people who are not enrolled, if the teacher wants their faces collected.
    """

    def __init__(
        self, plan: LessonPlan, prepare: Callable[[], Setup], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.plan = plan
        self.token = uuid.uuid4().hex[:12]
        self._prepare = prepare
        self._notes = LessonNotes(plan.shows_call, clock)
        self._board = Board(() if plan.aggregate else plan.students)
        self._lock = threading.RLock()
        self._state: State = "preparing"
        self._setup: Setup | None = None
        self._engine: Engine | None = None
        self._markers = LessonMarkers()
        self._faces = HeldFaces()
        self._denied = DeniedNames()
        self.guests = LessonGuests()
        self._present: Collection[str] | None = None
        self._picture: tuple[FrameResult, bytes] | None = None
        self._overlay = Overlay()
        self._looked, self._attention = -HINT_EVERY, Attention()
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fewshot lesson", daemon=True)

    def start(self) -> None:
        """Start the thread that opens the models and then runs the lesson. A lesson starts once."""
        self._thread.start()

    @property
    def alive(self) -> bool:
        """It is being prepared, runs, or is paused."""
        return self._state in ("preparing", "running", "paused")

    @property
    def id(self) -> int | None:
        """Number of the lesson in the database; None until it is prepared."""
        return self._setup.notebook.lesson if self._setup else None

    @property
    def states(self) -> Sequence[str]:
        """States of students' own in this class; empty until the lesson is prepared."""
        return self._setup.states if self._setup else ()

    @property
    def learns(self) -> bool:
        """Corrections reach prototypes."""
        return bool(self._setup and self._setup.learns)

    @property
    def kept(self) -> bool:
        """The lesson can be opened again when it is over."""
        return bool(self._setup and self._setup.kept) and not self._deleted

    @property
    def _deleted(self) -> bool:
        return bool(self._setup and getattr(self._setup.notebook, "deleted", False))

    def glance(self, whole: bool = False, shown: Callable[[str], str] = str) -> Glance:
        """What stands out, updated every few seconds, no matter how many pages show it. An event is marked once.

        Args:
            whole: the page shows the whole class only: no names.
            shown: how names and the texts of markers are written.

        Returns:
            An empty one for real photographs of people who are not students: nothing is concluded about them.
        """
        if self.plan.credit:
            return Glance("")
        now = self._board.view().second
        with self._lock:
            if self._setup is not None and not self._deleted and abs(now - self._looked) >= HINT_EVERY:
                self._looked = now
                found = self._setup.hint(now)
                text = self._attention.take(found) if found is not None else None
                if text is not None and self.alive:
                    self._mark_hint(self._setup, now, text)
            return self._attention.glance(
                len(self.plan.students), self.plan.aggregate, now, self._markers.of_people, named=self.may_name,
                whole=whole, shown=shown,
            )  # fmt: skip

    def hint(self) -> Hint | None:
        """The hint on pace of the present event; None if there is none, or if the class is rather still."""
        event = self.glance().event
        return event if isinstance(event, Hint) else None

    def _mark_hint(self, setup: Setup, second: float, text: str) -> None:
        try:
            self._markers.add(setup, second, text)
        except FewshotError:
            logger.warning("a hint could not be marked in the lesson", exc_info=True)

    @property
    def engine(self) -> Engine | None:
        """What runs the lesson; None until it is prepared."""
        return self._engine

    def view(self) -> LessonView:
        """The present state."""
        self._remember()
        engine = self._engine
        metrics = getattr(engine, "metrics", None)
        figures = metrics.snapshot().as_json() if metrics is not None else {}
        said = figures.get("note")
        latest = self._notes.latest(list(engine.notes) if engine else [])
        note = self._notes.ending() or (said and tr(said)) or latest or self._nobody()
        advice = tuple(map(advice_in_the_app, self._setup.advice)) if self._setup else ()
        return LessonView(
            self.plan, self._state, self.id, note, self._board.view(), self._markers.all, figures, advice,
            self._doubts(),
        )  # fmt: skip

    def _doubts(self) -> tuple[str, ...]:
        step = self._engine.latest() if self._engine and self.alive else None
        return () if step is None else tuple(sorted(one.doubt for one in step.result.readings if one.doubt))

    def _nobody(self) -> str | None:
        """A question while pictures without any face come."""
        return self._notes.no_face.words if self._state == "running" and not self.plan.recorded else None

    def picture(self) -> bytes | None:
        """The newest frame with its boxes as JPEG; None if there is none, or if only the whole class is shown."""
        step = self._engine.latest() if self._engine and not self.plan.aggregate else None
        if step is None or not all(self._may_show(reading) for reading in step.result.readings):
            return None
        with self._lock:
            if self._picture is None or self._picture[0] is not step.result:
                self._picture = (step.result, as_jpeg(self._overlay.draw(step.frame, step.result)))
            return self._picture[1]

    def pause(self) -> None:
        """Halt a lesson that runs; in any other state nothing happens."""
        if self._engine and self._state == "running":
            self._engine.pause()
            self._state = "paused"

    def resume(self) -> None:
        """Go on with a paused lesson; in any other state nothing happens."""
        if self._engine and self._state == "paused":
            self._engine.resume()
            self._state = "running"

    def stop(self) -> None:
        """End it and wait until everything is written."""
        self._leaving.set()
        if self._engine:
            self._engine.stop()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join(timeout=30)

    def mark(self, text: str) -> None:
        """Mark this moment.

        Raises:
            UsageError: it has not begun.
        """
        setup = self._ready()
        self._markers.add(setup, setup.notebook.position, text.strip() or UNNAMED)

    @property
    def latest_marker(self) -> int | None:
        """The number of the marker that can be taken back now; None if there is none."""
        return self._markers.latest

    def unmark(self, number: int) -> str:
        """Take the latest marker back. Returns its text; "" if there is a later one now: then nothing is changed."""
        return self._markers.undo(self._ready(), number)

    def pick(self, student: str) -> Picked:
        """First click of a correction: keep the present reading of a student."""
        setup = self._ready()
        self._remember()
        tile = next((tile for tile in self._board.view().tiles if tile.student == student), None)
        if tile is None:
            raise UsageError(
                tr("{student} has no tile in this lesson. Click a student who is on the page.", student=student)
            )
        said = tile.state if tile.state in {*EMOTIONS, *setup.states} else None
        reading = self._board.reading(student)
        # An earlier face is not what the teacher clicked.
        face = self._faces.of(student) if reading is not None and reading.probabilities else None
        near = nearest(reading, setup.evidence(student)) if reading is not None else ()
        return Picked(
            student, setup.notebook.position, said, None if face is None else face.vector, self.token,
            None if face is None else face.png(), near, -1 if reading is None else reading.track,
        )  # fmt: skip

    def correct(self, picked: Picked, actually: str) -> int:
        """Second click: say what it should have been; the student's prototype learns from it. Returns its number.

        Raises:
            UsageError: there is nothing to learn from.
        """
        setup = self._ready()
        shown = setup.states if self.plan.credit else ()
        vector = what_to_learn(picked, actually, self.token, setup.learns, self.may_name(picked.student), shown)
        return setup.memory.correct(
            setup.notebook.lesson, picked.student, picked.second, actually, vector, said=picked.said
        )

    def deny(self, picked: Picked) -> None:
        """The face that was clicked is not this student's: its track loses the name, as long as it lasts.

        Raises:
            UsageError: the face has no track, or the lesson has no faces.
        """
        deny = self._ready().deny
        if deny is None or picked.track < 0 or picked.lesson != self.token:
            raise UsageError(
                tr(
                    "The name of {student} cannot be taken from this face. Click the tile again while it shows a "
                    "reading.",
                    student=picked.student,
                )
            )
        self._denied.add(picked.track, picked.student)
        deny(picked.track, picked.student, True)
        self._board.clear(picked.student)
        self._faces.drop(picked.student)

    def allow(self, track: int, student: str) -> None:
        """Take ``deny`` back: the face may have its name again."""
        self._denied.discard(track, student)
        deny = self._ready().deny
        if deny is not None:
            deny(track, student, False)

    @property
    def denied(self) -> Sequence[tuple[int, str]]:
        """Faces whose name was taken: (track, student), of those who may still be named."""
        return [pair for pair in self._denied.pairs if self.may_name(pair[1])]

    @property
    def can_deny(self) -> bool:
        """Whether a name can be taken from a face: not in a recording, which has no faces."""
        return bool(self._setup and self._setup.deny is not None) and self.alive

    def enroll(self, number: int, naming: Naming) -> StudentResult:
        """Enroll one of ``guests``, see ``enroll_guest``; a lesson that runs names the student from now on."""
        return self.guests.enroll(number, naming, self._admit)

    def _admit(self, student: str) -> None:
        admit = getattr(self._ready().notebook, "admit", None)
        if self.alive and admit is not None:
            admit(student)
        self._board.admit(student)
        with self._lock:
            if student not in self.plan.students:
                self.plan = replace(self.plan, students=(*self.plan.students, student))

    def undo(self, correction: int) -> None:
        """Take a correction back."""
        self._ready().memory.undo(correction)

    def corrections(self) -> Sequence[Learned]:
        """All corrections that the class has learned from, also in earlier lessons, newest first."""
        setup = self._setup
        return () if setup is None or not setup.learns else setup.memory.corrections()

    def _mark_planned(self, now: float) -> None:
        self._markers.add_planned(self._ready(), now)

    def _ready(self) -> Setup:
        if self._setup is None:
            raise UsageError(tr("The lesson has not begun yet. Wait for its first picture."))
        return self._setup

    def _remember(self) -> None:
        """Keep the newest face of every student in view, because a correction needs the face that the teacher saw."""
        step = self._engine.latest() if self._engine else None
        if step is not None and not self.plan.aggregate:
            for reading, face in zip(step.result.readings, step.faces, strict=True):
                if reading.student is not None and self._may_show(reading):
                    self._faces.keep(reading.student, face)

    def _run(self) -> None:
        try:
            setup = self._prepare()
        except Exception as error:
            self._fail(error)
            return
        try:
            self._setup = setup
            self.guests.room = None if self.plan.aggregate else setup.enrolls
            self.guests.labels = setup.labels
            self._engine = setup.engine(
                [BoardSink(self._board, self._mark_planned, self._denied.without), setup.notebook, self._notes.no_face]
            )
            if not self._leaving.is_set():
                self._engine.start()
                self._state = "running"
            try:
                while self._engine.running and not self._leaving.wait(0.05):
                    self._obey(setup)
                    self.guests.take(self._engine.latest())
            finally:
                self._engine.stop()  # also if the class was deleted: no camera goes on
            if self._engine.error is not None:
                self._fail(self._engine.error)
        except Exception as error:
            self._fail(error)
        finally:
            self._close(setup)

    def _obey(self, setup: Setup) -> None:
        """Forget students who were removed, or whose consent was withdrawn, also while no frame comes."""
        present = setup.look()
        if present == self._present or present is None:
            return
        gone = [tile.student for tile in self._board.view().tiles if tile.student not in present]
        self._present = present
        self._board.keep(present)
        self._markers.blot(gone)
        with self._lock:
            self._picture = None
            self._faces.only(present)
        self.guests.gone(gone)
        step = self._engine.latest() if self._engine else None
        for reading, face in zip(step.result.readings, step.faces, strict=True) if step is not None else ():
            if not self.may_name(reading.student):
                face.expression = face.identity = None

    def may_name(self, student: str | None) -> bool:
        """Whether a student is still in the lesson; not one who was removed, or whose consent has ended, meanwhile."""
        return student is None or self._present is None or student in self._present

    def _may_show(self, reading: Reading) -> bool:
        return self.may_name(reading.student) and not self._denied.hides(reading)

    def _close(self, setup: Setup) -> None:
        try:
            setup.notebook.close()
        except Exception as error:
            self._fail(error)
        self._remember()  # the last readings can still be corrected
        if self._engine is not None and not self.plan.recorded:
            # The loop knows the faces of everybody in the lesson, also of people without a name.
            self._engine = ended = EndedEngine(self._engine)
            self._setup = replace(setup, engine=lambda _sinks: ended, deny=None)
        self._faces.forget_pictures()
        with self._lock:
            self._picture = None
        self.guests.over(failed=self._state == "failed" or self._deleted)
        if self._state != "failed":
            if self._deleted:
                self._notes.deleted()
            self._state = "ended"

    def _fail(self, error: BaseException) -> None:
        self._notes.failed(error)
        self._state = "failed"
