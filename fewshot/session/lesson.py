"""One stored lesson: what each student showed in each second, and what the teacher added. Plain data, no database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

import numpy as np
from numpy.typing import NDArray

UNSURE = -1
"""``Readings.emotion`` of a second in which the face was read, but no state was certain enough."""

UNREADABLE = -2
"""``Readings.emotion`` of a second in which the face was in view but could never be read."""

NOBODY = -1
"""``Readings.student`` of the one row that all faces of people who are not enrolled share."""

State = Literal["running", "ended", "interrupted"]

Answer = Literal["asked, fine", "not needed"]
"""What came of a check-in that the teacher closed."""

EARLIER_LESSONS = 12
"""Earlier lessons of a class that a report looks back on: a term, at one lesson per week.

More would add little. A new value differs from the mean of k earlier ones by sqrt(1 + 1/k) times their spread: 1.041 at
12, 1.025 at 20, and on made-up lessons 20 found as many planted changes as 12. Each also takes time: a lesson of 50
minutes with 49 students opens in about a second. And habits change over a year, so older lessons are a worse measure.
"""
CARRIED_DAYS = 14
"""A check-in that nobody closed stays on the lists of the class's lessons for this long: next week's, and one more."""
CARRIED_LESSONS = 6
"""The most earlier lessons from which open check-ins are carried on; each needs as many lessons before it again."""


@dataclass(frozen=True, slots=True)
class LessonInfo:
    """One lesson as a list of lessons shows it.

    Attributes:
        id: number of the lesson in the database, never used again.
        classroom: name of the class; "" for a lesson without a class.
        title: the teacher's name for it.
        started, ended: in UTC, aware; ``ended`` is None while it runs, the last stored second if it was interrupted.
        state: "interrupted" if the program that wrote it stopped without ending it.
        source: name of the source.
        network: expression network that made the readings (name and hash).
        sample: it shows the sample class, not a real class.
        seconds: its length so far.
        aggregate: only counts for the class are kept, nothing about single students.
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
        student: index into ``Lesson.students``, ``NOBODY`` for all faces not enrolled, int32, shape (n,).
        frames: frames of that second with the student (any of the faces) in view, int32, shape (n,).
        readable: readings of that second that could be read, int32, shape (n,).
        faces: readings of that second, int32, shape (n,); more than ``frames`` if several faces share a row.
        emotion: index into ``Lesson.labels`` of what was shown most, or ``UNSURE``, or ``UNREADABLE``, int32,
            shape (n,).
        confidence: mean over the readings that showed ``emotion`` (or were unsure, if it is ``UNSURE``), float32,
            shape (n,); NaN if nothing could be read.
        probabilities: mean over the readable readings, float32, shape (n, labels); rows sum to 1, or are 0 if
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
        """Readings without rows."""
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
    """A teacher's correction of a reading.

    Attributes:
        id: number of the correction in the database.
        second: since the lesson started.
        student: name of the student.
        said: what the reading was, None for "unsure".
        actually: what the student really showed.
        made: when it was made, UTC, aware.
        undone: whether it was undone.
    """

    id: int
    second: float
    student: str
    said: str | None
    actually: str
    made: datetime
    undone: bool


@dataclass(frozen=True, slots=True)
class CheckInAnswer:
    """How the teacher closed a check-in.

    Attributes:
        lesson: number of the lesson on whose list the student stood.
        student: name.
        answer: one of ``Answer``.
        note: the teacher's words; "" if there are none.
        made: when it was closed, UTC, aware. What was closed with one click has the same time.
    """

    lesson: int
    student: str
    answer: str
    note: str
    made: datetime


@dataclass(frozen=True, eq=False)
class Lesson:
    """A lesson as stored in the database. A lesson with only counts has no students and no readings.

    Attributes:
        info: title, times, state.
        students: sorted names of all students of the lesson, including those who were never seen.
        labels: the seven emotions, then own states in order of appearance.
        readings: see ``Readings``.
        frames_per_second: frames that were analysed in every second, int32, shape (seconds,); 0 if there were none.
        markers, corrections: in the order of time.
        kept_counts: counts of a lesson with only counts, see ``counts``; None for any other.
        answers: check-ins of this lesson that were closed.
        numbers: name -> number of the student in the database, which an address may hold in place of the name.
    """

    info: LessonInfo
    students: list[str]
    labels: list[str]
    readings: Readings
    frames_per_second: NDArray[np.int32]
    markers: Sequence[Marker] = ()
    corrections: Sequence[Correction] = ()
    kept_counts: NDArray[np.int32] | None = None
    answers: Sequence[CheckInAnswer] = ()
    numbers: Mapping[str, int] = field(default_factory=dict)

    def counts(self) -> NDArray[np.int32]:
        """Number of people per state in every second, according to what each showed most.

        Returns:
            Columns: ``labels``, then unsure, then not readable; int32, shape (seconds, labels + 2). Only students
            count. In a lesson with only counts, everybody in view counts if there were at least 5 people.
        """
        if self.kept_counts is not None:
            return self.kept_counts
        counts = np.zeros((len(self.frames_per_second), len(self.labels) + 2), np.int32)
        rows = self.readings
        enrolled = (rows.student != NOBODY) & (rows.second < len(counts))
        # -1 (unsure) becomes the last but one column, -2 (not readable) the last.
        columns = np.where(rows.emotion >= 0, rows.emotion, len(self.labels) - 1 - rows.emotion)
        np.add.at(counts, (rows.second[enrolled], columns[enrolled]), 1)
        return counts


def carries(old: LessonInfo, info: LessonInfo) -> bool:
    """Whether check-ins of an earlier lesson that nobody closed still stand on the list of this one."""
    return timedelta(0) < info.started - old.started <= timedelta(days=CARRIED_DAYS)
