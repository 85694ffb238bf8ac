"""What is kept of one lesson: who showed what in which second, and what the teacher added. Plain data, no database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import numpy as np
from numpy.typing import NDArray

UNSURE = -1
"""``Readings.emotion`` of a second in which the face was read, and nothing was sure."""

UNREADABLE = -2
"""``Readings.emotion`` of a second in which the face was in view, and could never be read."""

NOBODY = -1
"""``Readings.student`` of the one row that all faces of nobody enrolled share."""

State = Literal["running", "ended", "interrupted"]


@dataclass(frozen=True, slots=True)
class LessonInfo:
    """What a list of lessons shows of one.

    Attributes:
        id: number of the lesson in the database, never used again.
        classroom: name of the class; "" for a lesson that was watched without one.
        title: as the teacher calls it.
        started, ended: in UTC, aware; ``ended`` is None while it runs, and the last second kept if it was interrupted.
        state: "interrupted" if the program that wrote it is gone and never ended it.
        source: what was watched.
        network: expression network of the readings (name and hash).
        sample: it shows the sample class, and nobody real.
        seconds: how long it is so far.
        aggregate: only counts over the class are kept, nothing of any student.
    """

    id: int
    classroom: str
    title: str
    started: datetime
    ended: datetime | None
    state: State
    source: str
    network: str
    sample: bool
    seconds: float
    aggregate: bool = False


@dataclass(frozen=True, eq=False)
class Readings:
    """A row is one student in one second, ordered by second, then student. All arrays have the same length n.

    Attributes:
        second: since the lesson started, int32, shape (n,).
        student: index into ``Lesson.students``, ``NOBODY`` for all faces of nobody enrolled, int32, shape (n,).
        frames: frames of that second with the student (any of the faces) in view, int32, shape (n,).
        readable: readings of that second that could be read, int32, shape (n,).
        faces: readings of that second, int32, shape (n,); more than ``frames`` where several faces share a row.
        emotion: index into ``Lesson.labels`` of what was shown most, or ``UNSURE``, or ``UNREADABLE``, int32,
            shape (n,).
        confidence: mean over the readings that showed ``emotion`` (or were unsure, if it is ``UNSURE``), float32,
            shape (n,); NaN where nothing could be read.
        probabilities: mean over the readable readings, float32, shape (n, labels); rows sum to 1, and are 0 where
            nothing could be read.
    """

    second: NDArray[np.int32]
    student: NDArray[np.int32]
    frames: NDArray[np.int32]
    readable: NDArray[np.int32]
    faces: NDArray[np.int32]
    emotion: NDArray[np.int32]
    confidence: NDArray[np.float32]
    probabilities: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.second)

    @classmethod
    def empty(cls, labels: int = 7) -> Readings:
        """No row at all."""
        none, floats = np.zeros(0, np.int32), np.zeros((0, labels), np.float32)
        return cls(none, none, none, none, none, none, floats[:, 0], floats)


@dataclass(frozen=True, slots=True)
class Marker:
    """A moment the teacher marked; ``second`` counts from the start of the lesson."""

    id: int
    second: float
    text: str


@dataclass(frozen=True, slots=True)
class Correction:
    """What a teacher said about a reading.

    Attributes:
        id: number of the correction in the database.
        second: since the lesson started.
        student: name of the student.
        said: what the reading had named, None for "unsure".
        actually: what the student really showed.
        made: when it was said, UTC, aware.
        undone: it was taken back.
    """

    id: int
    second: float
    student: str
    said: str | None
    actually: str
    made: datetime
    undone: bool


@dataclass(frozen=True, eq=False)
class Lesson:
    """A lesson as it stands in the database. One of counts alone has no students and no readings.

    Attributes:
        info: title, times, state.
        students: names of everybody whom the lesson knew, also of who was never seen; sorted.
        labels: the seven emotions, then own states in order of appearance.
        readings: see ``Readings``.
        frames_per_second: frames that were looked at in every second, int32, shape (seconds,); 0 where the camera
            gave none.
        markers, corrections: by time.
        kept_counts: of a lesson of counts alone, see ``counts``; None for any other.
    """

    info: LessonInfo
    students: list[str]
    labels: list[str]
    readings: Readings
    frames_per_second: NDArray[np.int32]
    markers: Sequence[Marker] = ()
    corrections: Sequence[Correction] = ()
    kept_counts: NDArray[np.int32] | None = None

    def counts(self) -> NDArray[np.int32]:
        """People by what they showed most in every second, whoever they are.

        Returns:
            Columns: ``labels``, then unsure, then not readable; int32, shape (seconds, labels + 2). Only students
            count; in a lesson of counts alone everybody in view does, where there were at least 5.
        """
        if self.kept_counts is not None:
            return self.kept_counts
        counts = np.zeros((len(self.frames_per_second), len(self.labels) + 2), np.int32)
        rows = self.readings
        enrolled = (rows.student != NOBODY) & (rows.second < len(counts))
        # -1 (unsure) and -2 (not readable) become the last but one and the last column.
        columns = np.where(rows.emotion >= 0, rows.emotion, len(self.labels) - 1 - rows.emotion)
        np.add.at(counts, (rows.second[enrolled], columns[enrolled]), 1)
        return counts
