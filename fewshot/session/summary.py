"""Counts what a run saw of every student, in bounded memory for a lesson of any length."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from fewshot.session.analysis.words import counted, percent
from fewshot.session.time_axis import TimeAxis
from fewshot.types import EMOTIONS, Frame, FrameResult, Reading

UNSURE, NOT_READABLE = "unsure", "not readable"
NOT_ENROLLED = "not enrolled"
"""Label of the row that all faces without a student share."""

BINS = 1024
_FIRST_WIDTH = 0.1


@dataclass(frozen=True, slots=True)
class StudentCount:
    """One student's row.

    Attributes:
        student: key; None for all faces not enrolled.
        faces: number of readings.
        in_view: share of the frames in which the student (at least one stranger) was seen, 0..1.
        emotions: readings per emotion, most frequent first.
        unsure, not_readable: readings without an emotion.
        reasons: readings per reason why they were not readable, most frequent first. A face may have several.
    """

    student: str | None
    faces: int
    in_view: float
    emotions: dict[str, int]
    unsure: int
    not_readable: int
    reasons: dict[str, int] = field(default_factory=dict)


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
        self._students: dict[str | None, NDArray[np.int32]] = {student: self._empty() for student in students}
        self._present: dict[str | None, int] = {}
        self._reasons: dict[str | None, Counter[str]] = {}
        self._frames_of = np.zeros(BINS, np.int32)
        self._course = TimeAxis()

    @property
    def duration(self) -> float:
        """Length in seconds, including the last frame."""
        return self._course.end

    def write(self, result: FrameResult, _frame: Frame | None = None) -> None:
        """Count one frame."""
        bin_ = self._bin(self._course.place(result))
        self.frames += 1
        self._frames_of[bin_] += 1
        for student in {reading.student for reading in result.readings}:
            self._present[student] = self._present.get(student, 0) + 1
        for reading in result.readings:
            column = self._column(_label(reading))  # before the row: a new label widens all rows
            if reading.student not in self._students:
                self._students[reading.student] = self._empty()
            self._students[reading.student][bin_, column] += 1
            if reading.reasons:
                self._reasons.setdefault(reading.student, Counter()).update({_short(why) for why in reading.reasons})

    def close(self) -> None:
        """Nothing is held open."""

    def counts(self) -> list[StudentCount]:
        """One row per student in the order of names, strangers last."""
        return [self._count(student) for student in self._order()]

    def strips(self) -> tuple[list[str | None], NDArray[np.int64]]:
        """What each student showed most in every bin.

        Returns:
            Students (None: strangers), and for each the index into ``labels`` or -1 for "not in view",
            shape (students, bins in use).
        """
        used = min(BINS, max(1, int(np.ceil(self.duration / self.width - 1e-9))))
        # A bin between two frames of a slow camera shows the same as the frame before it.
        seen = np.where(self._frames_of[:used] > 0, np.arange(used), 0)
        source = np.maximum.accumulate(seen)
        rows = [self._students[student][:used] for student in self._order()]
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
            shares = [f"{name} {percent(n / readable)}" for name, n in row.emotions.items() if n / readable >= 0.005]
            table.add_row(
                row.student if row.student is not None else f"[dim]{NOT_ENROLLED}[/dim]",
                percent(row.in_view) if row.faces else "never",
                ", ".join(shares[:4]) or "-",
                percent(row.unsure / readable) if row.faces > row.not_readable else "-",
                *([_unreadable(row)] if unreadable else []),
            )
        return table

    def _count(self, student: str | None) -> StudentCount:
        totals = self._students[student].sum(axis=0)
        emotions = {label: int(n) for label, n in zip(self.labels[2:], totals[2:], strict=True) if n}
        return StudentCount(
            student=student,
            faces=int(totals.sum()),
            in_view=self._present.get(student, 0) / max(1, self.frames),
            emotions=dict(sorted(emotions.items(), key=lambda item: -item[1])),
            unsure=int(totals[0]),
            not_readable=int(totals[1]),
            reasons=dict(self._reasons.get(student, Counter()).most_common()),
        )

    def _order(self) -> list[str | None]:
        known = sorted((key for key in self._students if key is not None), key=str.casefold)
        return [*known, *([None] if None in self._students else [])]

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


def _label(reading: Reading) -> str:
    if not reading.probabilities:
        return NOT_READABLE
    return reading.emotion or UNSURE
