"""One lesson whose frames come over a WebSocket: the loop, the recorder, and what goes back to the client."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from fewshot.api.callers import Caller
from fewshot.api.feed import Feed, decoded
from fewshot.api.service import Service
from fewshot.call_labels.students import Names
from fewshot.classroom.corrections import learn
from fewshot.classroom.own_classes import Numbered
from fewshot.errors import FewshotError, StoreError, UsageError
from fewshot.lesson_board import FEWEST
from fewshot.live.pipeline import Pipeline
from fewshot.live.sinks.jsonl import as_record
from fewshot.live.sparing import only_changed
from fewshot.session.lessons import LessonStore
from fewshot.session.recorder import LessonRecorder
from fewshot.types import Frame, FrameResult, Vectors

ROOM = 3
"""Frames that the server takes before their moments have come back."""
LATE, SOON = 0.4, 0.2
"""Seconds from a frame's arrival to its moment: above the first the lesson takes fewer frames at a time, below the
second more again. On a busy server frames would only wait, and their moments would tell of what is long over."""
FPS = 15.0
"""Frames per second that are worth sending: expressions need no more."""
WIDTH = 1280
"""Pixels; wider frames are read no better, unless a gallery has many small faces."""
WIDTH_OF_LABELS = 1920
"""Pixels of frames whose labels are read: small letters are missed often."""

logger = logging.getLogger(__name__)
Tell = Callable[[dict[str, Any]], None]


class ServedLesson:
    """A lesson from its first frame to its end. Every method may be called from any thread.

    Args:
        service: where it runs.
        caller: who sends the frames.
        of: the class; None for a lesson without one.
        recorder: stores the lesson; None records nothing.
        aggregate: only counts may be told and kept.
        name: of the source.
        names: where the names of students come from.
        tell: called, in any thread, with every message for the client.
    """

    def __init__(
        self,
        service: Service,
        caller: Caller,
        of: Numbered | None,
        recorder: LessonRecorder | None,
        *,
        aggregate: bool,
        name: str,
        tell: Tell,
        names: Names = Names.faces,
    ) -> None:
        self.caller, self.of, self.recorder, self.aggregate = caller, of, recorder, aggregate
        self.names = names
        self.began, self.frames = time.monotonic(), 0
        self._service, self._tell = service, tell
        self._feed = Feed(name, ROOM)
        self._arrived: dict[int, float] = {}
        self._vectors: dict[str, tuple[Vectors, float, str | None]] = {}
        loop = service.rooms.loop(caller, of, names)
        loop.only_changed = only_changed()
        self._pipeline = Pipeline(loop, self._feed, [_Sink(self)])
        self._number = self._received = 0
        self._room = ROOM

    @property
    def id(self) -> int | None:
        """Number of the lesson; None if nothing is recorded."""
        return None if self.recorder is None else self.recorder.lesson

    @property
    def skipped(self) -> int:
        """Frames that came without room for them."""
        return self._feed.dropped

    @property
    def error(self) -> BaseException | None:
        """What ended the lesson early."""
        return self._pipeline.error

    @property
    def running(self) -> bool:
        """Whether frames are still processed."""
        return self._pipeline.running

    def start(self) -> None:
        """Start the threads of the lesson."""
        self._pipeline.start()

    def take(self, data: bytes, at: float | None = None) -> bool:
        """Take a frame, if there is room; if not, tell the client why. Returns whether it was taken.

        Args:
            data: a JPEG or WebP file.
            at: see ``Feed.put``.
        """
        self._received += 1
        if not self._feed.reserve():
            self._service.figures.skipped.labels("no room").inc()
            return self._skip("There was no room. Send a frame only when the server takes one.")
        try:
            frame = decoded(data)
            self._arrived[self._number] = time.monotonic()
            self._feed.put(frame, at)
        except UsageError as error:
            self._feed.release()
            self._service.figures.skipped.labels("unfit").inc()
            self._skip(error.text)
            self._tell({"type": "take", "frames": 1})
            return False
        self._number += 1
        return True

    def saw(self, result: FrameResult) -> None:
        """A frame is done: record it, tell the client, and let another one come."""
        if self.recorder is not None:
            self.recorder.write(result)
        self._remember()
        self.frames += 1
        self._service.figures.spent(self._latest_times())
        took = time.monotonic() - self._arrived.pop(result.index, self.began)
        self._service.figures.saw(len(result.readings), took)
        self._tell(self._counts(result) if self.aggregate else as_record(result))
        self._feed.release()
        self._tell({"type": "take", "frames": self._more(took)})

    def mark(self, text: str) -> int:
        """Mark this moment. Returns the number of the marker.

        Raises:
            UsageError: nothing is recorded, or the text is too long.
        """
        recorder = self._recorded()
        store = LessonStore(self._service.database, self.caller.owner)
        return store.mark(recorder.lesson, recorder.position, text.strip() or "marked")

    def correct(self, student: str, actually: str) -> int:
        """Correct the present reading of a student, whose prototypes learn from it. Returns its number.

        Raises:
            UsageError: nothing is recorded, or the student could not be read lately.
        """
        recorder = self._recorded()
        kept = self._vectors.get(student)
        if self.aggregate or self.of is None or kept is None:
            raise UsageError(
                f"{student} has no reading in this lesson that could be corrected. Wait until a moment names the "
                "student, with an expression."
            )
        vector, second, said = kept
        return learn(
            self._service.database, self.of.name, recorder.lesson, student, second, actually, vector, said,
            owner=self.caller.owner,
        )  # fmt: skip

    def end(self) -> None:
        """Process what was taken, and end the lesson.

        Raises:
            StoreError: the rest could not be written.
        """
        self._stop()
        if self.recorder is not None:
            self.recorder.close()

    def leave(self) -> None:
        """Process what was taken and write it, but do not end the lesson: its client may go on with it."""
        self._stop()
        if self.recorder is not None:
            with suppress(StoreError):  # another recorder may have it already
                self.recorder.flush()

    def _more(self, took: float) -> int:
        """Frames that the client may send for one that is done, which took so many seconds."""
        if took > LATE and self._room > 1:
            self._room -= 1
            return 0
        if took < SOON and self._room < ROOM:
            self._room += 1
            return 2
        return 1

    def _skip(self, why: str) -> bool:
        self._tell({"type": "skipped", "frames": 1, "received": self._received - 1, "why": why})
        return False

    def _stop(self) -> None:
        self._feed.end()
        deadline = time.monotonic() + 5
        while self._pipeline.running and time.monotonic() < deadline:
            time.sleep(0.02)
        self._pipeline.stop()

    def _recorded(self) -> LessonRecorder:
        if self.recorder is None:
            raise UsageError("This lesson is not recorded, so nothing can be marked or corrected in it.")
        return self.recorder

    def _latest_times(self) -> dict[str, float]:
        times = self._pipeline.metrics.times
        latest = {stage: times.seconds(stage, last=1) for stage in times.stages}
        return {stage: seconds[0] for stage, seconds in latest.items() if seconds}

    def _remember(self) -> None:
        """Keep the newest vector of every student who is read, for a correction."""
        step = self._pipeline.latest()
        if step is None or self.recorder is None or self.aggregate:
            return
        for reading, face in zip(step.result.readings, step.faces, strict=True):
            if reading.student is not None and face.expression is not None:
                self._vectors[reading.student] = (face.expression, self.recorder.position, reading.emotion)

    def _counts(self, result: FrameResult) -> dict[str, Any]:
        """What a lesson of counts tells: nothing about single people, and nothing about few."""
        states = Counter(reading.emotion or "unsure" for reading in result.readings if not reading.reasons)
        shown = dict(states) if sum(states.values()) >= FEWEST else None
        return {"type": "counts", "frame": result.index, "time": round(result.time, 4), "counts": shown}


class _Sink:
    """Passes every result on."""

    def __init__(self, lesson: ServedLesson) -> None:
        self._lesson = lesson

    def write(self, result: FrameResult, _frame: Frame | None = None) -> None:
        self._lesson.saw(result)

    def close(self) -> None:
        """Nothing is held open."""


def give_up(lesson: ServedLesson) -> None:
    """End a lesson whose client did not come back; not one that another process records now."""
    try:
        lesson.end()
    except FewshotError as error:
        logger.info("a lesson was not ended here: %s", error.text)
