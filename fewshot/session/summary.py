"""Counts what a run saw of every student, in bounded memory for a lesson of any length."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from rich.markup import escape
from rich.table import Table

from fewshot.errors import printable
from fewshot.session.analysis.words import counted, percent
from fewshot.session.time_axis import TimeAxis
from fewshot.types import EMOTIONS, Frame, FrameResult, Reading

UNSURE, NOT_READABLE = "unsure", "not readable"
NOT_ENROLLED = "not enrolled"
"""Label of the row that all faces without a student or a number share."""

Who = str | int | None
"""Whom a row is about: a student's key, the number of a person who is not enrolled, or None for all other faces."""

MOST_PEOPLE = 100
"""People who are not enrolled and have a row of their own."""
UNDECIDED = 3.0
"""Seconds for which the readings of a track can still move to a person's row, once it is known who that is."""

BINS = 1024
_FIRST_WIDTH = 0.1


@dataclass(frozen=True, slots=True)
class StudentCount:
    """The row of one student, or of one person who is not enrolled.

    Attributes:
        student: key; None for faces not enrolled.
        faces: number of readings.
        in_view: share of the frames in which the student (at least one such face) was seen, 0..1.
        emotions: readings per emotion, most frequent first.
        unsure, not_readable: readings without an emotion.
        reasons: readings per reason why they were not readable, most frequent first. A face may have several.
        person: number of a person who is not enrolled; None for students, and for faces without a number.
    """

    student: str | None
    faces: int
    in_view: float
    emotions: dict[str, int]
    unsure: int
    not_readable: int
    reasons: dict[str, int] = field(default_factory=dict)
    person: int | None = None


class Summary:
    """A sink that counts. Time is divided into at most ``BINS`` bins, which double in width when a run needs more.

    Sources follow each other on the time axis; a picture, which has no time, counts as one second.

    Args:
        students: keys of students who get a row even if they are never seen.

    Attributes:
        labels: "unsure", "not readable", the seven emotions, then students' own states in order of appearance.
        frames: number of frames that were counted.
        width: of a bin, seconds.
    """

    def __init__(self, students: Iterable[str] = ()) -> None:
        self.labels: list[str] = [UNSURE, NOT_READABLE, *EMOTIONS]
        self.frames = 0
        self.width = _FIRST_WIDTH
        self._reasons: dict[Who, Counter[str]] = {}
        self._students: dict[Who, NDArray[np.int32]] = {student: self._empty() for student in students}
        self._present: dict[Who, int] = {}
        self._undecided = _Undecided()
        self._frames_of = np.zeros(BINS, np.int32)
        self._course = TimeAxis()

    @property
    def duration(self) -> float:
        """Length in seconds, including the last frame."""
        return self._course.end

    def write(self, result: FrameResult, _frame: Frame | None = None) -> None:
        """Count one frame."""
        time = self._course.place(result)
        bin_ = self._bin(time)
        self.frames += 1
        self._frames_of[bin_] += 1
        people = [_who(reading) for reading in result.readings]
        for who in set(people):
            self._present[who] = self._present.get(who, 0) + 1
        for who, reading in zip(people, result.readings, strict=True):
            column = self._column(_label(reading))  # before the row: a new label widens all rows
            self._row(who)[bin_, column] += 1
            reasons = frozenset(_short(why) for why in reading.reasons)
            self._reasons.setdefault(who, Counter()).update(reasons)
            if isinstance(who, int):
                self._move(reading.track, who)
            elif who is None and reading.track >= 0:
                self._undecided.add(reading.track, _Seen(time, column, self.frames, reasons))
        self._undecided.drop(time - UNDECIDED)

    def close(self) -> None:
        """Nothing is held open."""

    def forget(self, students: Iterable[str]) -> None:
        """Drop the rows of students who must not be named any more."""
        for student in students:
            for rows in (self._students, self._present, self._reasons):
                rows.pop(student, None)

    def counts(self) -> list[StudentCount]:
        """One row per student in the order of names, then one per person who is not enrolled, then all other faces."""
        return [self._count(who) for who in self._order()]

    def strips(self) -> tuple[list[Who], NDArray[np.int64]]:
        """What each student or other person showed most in every bin.

        Returns:
            The rows in the order of ``counts``, and for each the index into ``labels`` or -1 for "not in view",
            shape (rows, bins in use).
        """
        used = min(BINS, max(1, int(np.ceil(self.duration / self.width - 1e-9))))
        # A bin between two frames of a slow camera shows the same as the frame before it.
        seen = np.where(self._frames_of[:used] > 0, np.arange(used), 0)
        source = np.maximum.accumulate(seen)
        rows = [self._students[who][:used] for who in self._order()]
        # If labels are equally frequent, the last one wins: an emotion says more than "not readable".
        last = len(self.labels) - 1
        best = [np.where(row.any(axis=1), last - row[:, ::-1].argmax(axis=1), -1)[source] for row in rows]
        return self._order(), np.array(best, np.int64).reshape(len(rows), used)

    def table(self) -> Table:
        """For the terminal: how long each student was in view, what they showed, and why they were not readable."""
        table = Table("Student", title=f"{counted(self.frames, 'frame')}, {clock(self.duration)}", title_justify="left")
        table.add_column("In view", justify="right")
        table.add_column("Emotions")
        table.add_column("Unsure", justify="right")
        rows = self.counts()
        unreadable = any(row.not_readable and row.reasons for row in rows)
        if unreadable:
            table.add_column("In view, not readable", overflow="fold")
        for row in rows:
            readable = max(1, row.faces - row.not_readable)
            shares = [
                f"{escape(printable(name))} {percent(n / readable)}"
                for name, n in row.emotions.items()
                if n / readable >= 0.005
            ]
            table.add_row(
                escape(printable(row.student)) if row.student is not None else f"[dim]{title_of(row.person)}[/dim]",
                percent(row.in_view) if row.faces else "never",
                ", ".join(shares[:4]) or "-",
                percent(row.unsure / readable) if row.faces > row.not_readable else "-",
                *([_unreadable(row)] if unreadable else []),
            )
        return table

    def _count(self, who: Who) -> StudentCount:
        totals = self._students[who].sum(axis=0)
        emotions = {label: int(n) for label, n in zip(self.labels[2:], totals[2:], strict=True) if n}
        return StudentCount(
            student=who if isinstance(who, str) else None,
            faces=int(totals.sum()),
            in_view=self._present.get(who, 0) / max(1, self.frames),
            emotions=dict(sorted(emotions.items(), key=lambda item: -item[1])),
            unsure=int(totals[0]),
            not_readable=int(totals[1]),
            reasons=dict((+self._reasons.get(who, Counter())).most_common()),
            person=who if isinstance(who, int) else None,
        )

    def _order(self) -> list[Who]:
        known = sorted((key for key in self._students if isinstance(key, str)), key=str.casefold)
        people = sorted(key for key in self._students if isinstance(key, int))
        others = None in self._students and self._students[None].any()
        return [*known, *people, *([None] if others else [])]

    def _row(self, who: Who) -> NDArray[np.int32]:
        if who not in self._students:
            self._students[who] = self._empty()
        return self._students[who]

    def _move(self, track: int, who: int) -> None:
        """Give a person the readings of their track from before it was known whom it shows."""
        for seen in self._undecided.take(track):
            bin_ = self._bin(seen.time)
            self._row(None)[bin_, seen.column] -= 1
            self._row(who)[bin_, seen.column] += 1
            self._reasons[None].subtract(seen.reasons)
            self._reasons[who].update(seen.reasons)
            self._present[who] += 1
            if self._undecided.others(seen.frame) == 0:
                self._present[None] -= 1

    def _bin(self, time: float) -> int:
        while int(time / self.width + 1e-6) >= BINS:
            self.width *= 2
            self._frames_of = _halved(self._frames_of)
            self._students = {student: _halved(counts) for student, counts in self._students.items()}
        return int(time / self.width + 1e-6)

    def _column(self, label: str) -> int:
        if label not in self.labels:
            self.labels.append(label)
            self._students = {key: np.pad(counts, ((0, 0), (0, 1))) for key, counts in self._students.items()}
        return self.labels.index(label)

    def _empty(self) -> NDArray[np.int32]:
        return np.zeros((BINS, len(self.labels)), np.int32)


@dataclass(frozen=True, slots=True)
class _Seen:
    """A reading of a face that had neither a student nor a number: its time, label, frame, and why it is unreadable."""

    time: float
    column: int
    frame: int
    reasons: frozenset[str]


class _Undecided:
    """The latest readings of tracks whose person is not known yet."""

    def __init__(self) -> None:
        self._tracks: dict[int, deque[_Seen]] = {}
        self._faces: dict[int, int] = {}

    def add(self, track: int, seen: _Seen) -> None:
        self._tracks.setdefault(track, deque()).append(seen)
        self._faces[seen.frame] = self._faces.get(seen.frame, 0) + 1

    def take(self, track: int) -> Collection[_Seen]:
        """The readings of a track; they are forgotten here."""
        taken = self._tracks.pop(track, deque())
        for seen in taken:
            self._faces[seen.frame] -= 1
        return taken

    def others(self, frame: int) -> int:
        """How many readings of the row of all other faces the frame still has."""
        return self._faces[frame]

    def drop(self, before: float) -> None:
        """Forget readings from before a time, in seconds: they stay where they are."""
        for track, readings in list(self._tracks.items()):
            while readings and readings[0].time < before:
                readings.popleft()
            if not readings:
                del self._tracks[track]
        oldest = min((readings[0].frame for readings in self._tracks.values()), default=None)
        while self._faces and (oldest is None or next(iter(self._faces)) < oldest):
            del self._faces[next(iter(self._faces))]


def title_of(person: int | None) -> str:
    """The title of a row without a student: "person 2", or "not enrolled" for all faces without a number."""
    return NOT_ENROLLED if person is None else f"person {person}"


def clock(seconds: float) -> str:
    """75.0 -> "1:15"; an hour or more: "1:02:03"."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}" if minutes >= 60 else f"{minutes}:{rest:02d}"


def _halved(counts: NDArray[np.int32]) -> NDArray[np.int32]:
    """Merge every two bins into one; the second half is then empty."""
    pairs = counts[0::2] + counts[1::2]
    return np.concatenate([pairs, np.zeros_like(pairs)])


def _short(reason: str) -> str:
    """ "too dark: mean grey level 5, at least 6 needed" -> "too dark"."""
    return reason.partition(":")[0]


def _unreadable(row: StudentCount) -> str:
    """For a cell of the table: the share of the readings that were not readable, and why."""
    if not row.not_readable:
        return "-"
    total = percent(row.not_readable / row.faces)
    if len(row.reasons) == 1:
        return f"{total}: {next(iter(row.reasons))}"
    shares = [f"{reason} {percent(count / row.faces)}" for reason, count in row.reasons.items()]
    return f"{total}: {', '.join(shares[:3])}" if shares else total


def _who(reading: Reading) -> Who:
    if reading.student is not None or reading.person is None or reading.person > MOST_PEOPLE:
        return reading.student
    return reading.person


def _label(reading: Reading) -> str:
    if not reading.probabilities:
        return NOT_READABLE
    return reading.emotion or UNSURE
