"""Sums up frame results per second for a lesson, in memory that does not grow with its length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fewshot.session.lesson import UNREADABLE, UNSURE
from fewshot.types import EMOTIONS, FrameResult, Reading

FEWEST = 5
"""Counts of fewer people than this are not stored: they could reveal single people."""


@dataclass(frozen=True, eq=False, slots=True)
class PersonSecond:
    """One student (None: all faces not enrolled) in one second; see ``lesson.Readings``."""

    student: str | None
    frames: int
    readable: int
    faces: int
    emotion: int
    confidence: float | None
    probabilities: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Second:
    """One second of a lesson.

    Attributes:
        number: seconds since the start.
        frames: number of frames that were analysed.
        people: one entry per person in view; empty in a lesson with only counts.
        counts: in such a lesson, people per state that they showed most: labels, unsure, not readable; None if fewer
            than ``FEWEST`` were in view at once.
    """

    number: int
    frames: int
    people: tuple[PersonSecond, ...] = ()
    counts: tuple[int, ...] | None = None


@dataclass(slots=True)
class _Person:
    """Sums over the readings of one person in the current second."""

    frames: int = 0
    faces: int = 0
    readable: int = 0
    sums: dict[str, float] = field(default_factory=dict)
    shown: dict[str | None, list[float]] = field(default_factory=dict)

    def add(self, reading: Reading) -> None:
        self.faces += 1
        if not reading.probabilities:
            return
        self.readable += 1
        for label, probability in reading.probabilities.items():
            self.sums[label] = self.sums.get(label, 0.0) + probability
        entry = self.shown.setdefault(reading.emotion, [0, 0.0])
        entry[0] += 1
        entry[1] += reading.confidence or 0.0

    def most(self) -> tuple[str | None, float]:
        """What was shown most, and its mean confidence. If equally frequent, an emotion wins over "unsure"."""
        label = max(self.shown, key=lambda name: (self.shown[name][0], name is not None))
        return label, self.shown[label][1] / self.shown[label][0]


class SecondCounter:
    """Sums up frames in the order of their time.

    Args:
        students: the known students; any other reading counts as not enrolled.
        aggregate: only count people, and store nothing about single ones.
        labels: those that a lesson has already, if it is continued.

    Attributes:
        labels: the seven emotions, then own states in order of appearance.
        frames: number of frames in the current second.
    """

    def __init__(self, students: Sequence[str] = (), aggregate: bool = False, labels: Sequence[str] = EMOTIONS) -> None:
        self.labels: list[str] = list(labels)
        self.aggregate = aggregate
        self.frames = 0
        self._known = frozenset(students)
        self._number: int | None = None
        self._people: dict[str | int | None, _Person] = {}
        self._together = 0

    def add(self, result: FrameResult, time: float) -> Second | None:
        """Count one frame.

        Args:
            time: seconds since the start of the lesson; it never decreases.

        Returns:
            The previous second, if this frame is the first of a new one.
        """
        finished = None
        if self._number is not None and int(time) != self._number:
            finished = self.current()
            self.frames, self._people, self._together = 0, {}, 0
        self._number = int(time)
        self.frames += 1
        self._together = max(self._together, len(result.readings))
        present = set()
        for reading in result.readings:
            key = self._key(reading)
            present.add(key)
            self._people.setdefault(key, _Person()).add(reading)
        for key in present:
            self._people[key].frames += 1
        return finished

    def admit(self, student: str) -> None:
        """Count a student under this name from the next frame on."""
        self._known |= {student}

    def current(self) -> Second | None:
        """The current second so far; None before the first frame."""
        if self._number is None:
            return None
        if self.aggregate:
            counts = self._counts() if self._together >= FEWEST else None
            return Second(self._number, self.frames, counts=counts)
        people = tuple(self._finish(key, person) for key, person in self._people.items() if not isinstance(key, int))
        return Second(self._number, self.frames, people)

    def _key(self, reading: Reading) -> str | int | None:
        if reading.student in self._known:
            return reading.student
        return reading.track if self.aggregate else None

    def _finish(self, student: str | None, person: _Person) -> PersonSecond:
        emotion, confidence = self._shown(person)
        columns = [self._column(label) for label in person.sums]  # first, because a new label makes the row wider
        probabilities = np.zeros(len(self.labels), np.float32)
        probabilities[columns] = [total / person.readable for total in person.sums.values()]
        return PersonSecond(student, person.frames, person.readable, person.faces, emotion, confidence, probabilities)

    def _shown(self, person: _Person) -> tuple[int, float | None]:
        if not person.readable:
            return UNREADABLE, None
        label, confidence = person.most()
        return (UNSURE if label is None else self._column(label)), confidence

    def _counts(self) -> tuple[int, ...]:
        emotions = [self._shown(person)[0] for person in self._people.values()]
        named = [emotions.count(column) for column in range(len(self.labels))]
        return (*named, emotions.count(UNSURE), emotions.count(UNREADABLE))

    def _column(self, label: str) -> int:
        if label not in self.labels:
            self.labels.append(label)
        return self.labels.index(label)
