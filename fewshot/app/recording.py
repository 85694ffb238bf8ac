"""A lesson as a file of readings that can be played again: no pictures and no vectors."""

from __future__ import annotations

import json
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fewshot.errors import StoreError
from fewshot.translation import later
from fewshot.types import FrameResult, Reading

SAMPLE = "sample_lesson.npz"
EARLIER = ("sample_earlier_1.npz", "sample_earlier_2.npz", "sample_earlier_3.npz")
"""Shorter lessons of the same class in the weeks before, oldest first."""
UNSURE, NOT_READABLE, AWAY = -1, -2, -3
"""Values of ``Recording.states`` that are not an index into the labels."""

_VERSION = 1
_FAULTS = (
    OSError, EOFError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RuntimeError, MemoryError,
    zipfile.BadZipFile, zlib.error, struct.error,
)  # fmt: skip


@dataclass(frozen=True)
class Recording:
    """What a loop predicted for a class, step by step.

    Attributes:
        students: keys in the order of the columns.
        labels: the states that ``states`` and ``shares`` refer to.
        times: seconds of every step, increasing, float32, shape (steps,).
        states: index into ``labels``, or UNSURE, NOT_READABLE, AWAY, int8, shape (steps, students).
        shares: probabilities in 1/255, uint8, shape (steps, students, labels).
        boxes: x0, y0, x1, y1 of each student's place in the frame, int16, shape (students, 4).
        about: where it comes from: title, network, source, width, height, markers ([second, text], ...), and for the
            sample lessons weeks_before.
    """

    students: tuple[str, ...]
    labels: tuple[str, ...]
    times: NDArray[np.float32]
    states: NDArray[np.int8]
    shares: NDArray[np.uint8]
    boxes: NDArray[np.int16]
    about: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.times)

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return float(self.times[-1] + np.median(np.diff(self.times))) if len(self) > 1 else 0.0

    @property
    def markers(self) -> list[tuple[float, str]]:
        """Moments that were marked: (second, text)."""
        return [(float(second), str(text)) for second, text in self.about.get("markers", [])]

    def result(self, step: int) -> FrameResult:
        """One step as the loop produced it, except that probabilities are rounded to 1/255."""
        width, height = int(self.about.get("width", 1920)), int(self.about.get("height", 1080))
        shares = self.shares[step].astype(np.float64)
        shares /= np.maximum(shares.sum(axis=1, keepdims=True), 1.0)
        rows = zip(self.students, self.states[step].tolist(), shares.tolist(), self.boxes.tolist(), strict=True)
        readings = tuple(self._reading(column, *row) for column, row in enumerate(rows) if row[1] != AWAY)
        source = str(self.about.get("source", "recording"))
        return FrameResult(source, step, float(self.times[step]), width, height, readings)

    def results(self) -> Iterator[FrameResult]:
        """All steps in order."""
        return (self.result(step) for step in range(len(self)))

    def _reading(self, column: int, student: str, state: int, shares: list[float], box: list[int]) -> Reading:
        x0, y0, x1, y1 = (float(value) for value in box)
        if state == NOT_READABLE:
            return Reading(column, (x0, y0, x1, y1), 0.9, student)
        return Reading(
            track=column,
            box=(x0, y0, x1, y1),
            score=0.9,
            student=student,
            emotion=self.labels[state] if state >= 0 else None,
            confidence=max(shares),
            probabilities=dict(zip(self.labels, shares, strict=True)),
            prototypes="personal",
        )

    def save(self, path: Path) -> None:
        """Write a compressed file. Probabilities are stored as differences in time, which halves their size."""
        changes = np.diff(
            self.shares, axis=0, prepend=np.zeros_like(self.shares[:1])
        )  # uint8 wraps around, and so does the sum when it is read
        head = {"version": _VERSION, "students": self.students, "labels": self.labels, "about": self.about}
        np.savez_compressed(
            path,
            head=np.array(json.dumps(head)),
            times=self.times,
            states=self.states,
            changes=changes.transpose(1, 2, 0),
            boxes=self.boxes,
        )

    @classmethod
    def load(cls, path: Path) -> Recording:
        """Read one.

        Raises:
            StoreError: there is no such file, or it is not a recording.
        """
        try:
            with np.load(path, allow_pickle=False) as stored:
                head = json.loads(str(stored["head"]))
                if head["version"] != _VERSION:
                    raise StoreError(
                        later(
                            "The recording {path} was made by another version of fewshot. Install fewshot again.",
                            path=path,
                        )
                    )
                shares = np.cumsum(stored["changes"].transpose(2, 0, 1), axis=0, dtype=np.uint8)
                labels, students = tuple(head["labels"]), tuple(head["students"])
                return cls(
                    students, labels, stored["times"], stored["states"], shares, stored["boxes"], dict(head["about"])
                )
        except _FAULTS as error:
            raise StoreError(
                later("The recording {path} cannot be read ({reason}). Install fewshot again.", path=path, reason=error)
            ) from error


class RecordingWriter:
    """Collects results into a ``Recording``.

    Args:
        students, labels: what to keep; other faces are left out.
    """

    def __init__(self, students: Sequence[str], labels: Sequence[str]) -> None:
        self._students, self._labels = tuple(students), tuple(labels)
        self._times: list[float] = []
        self._states: list[NDArray[np.int8]] = []
        self._shares: list[NDArray[np.uint8]] = []
        self._boxes: list[list[tuple[float, float, float, float]]] = [[] for _ in students]

    def add(self, result: FrameResult) -> None:
        """Keep one result. If two faces have the same name, the one with the higher confidence counts."""
        states = np.full(len(self._students), AWAY, np.int8)
        shares = np.zeros((len(self._students), len(self._labels)), np.uint8)
        column_of = {student: column for column, student in enumerate(self._students)}
        for reading in sorted(result.readings, key=lambda reading: reading.confidence or 0.0):
            column = column_of.get(reading.student or "")
            if column is None:
                continue
            self._boxes[column].append(reading.box)
            row = [reading.probabilities.get(label, 0.0) for label in self._labels]
            shares[column] = np.round(255 * np.array(row))
            states[column] = self._state(reading)
        self._times.append(result.time)
        self._states.append(states)
        self._shares.append(shares)

    def finish(self, about: dict[str, Any]) -> Recording:
        """The recording of all frames added so far.

        Args:
            about: what it shows and how it was made, as plain values.
        """
        boxes = [np.median(np.array(seen or [(0, 0, 1, 1)]), axis=0) for seen in self._boxes]
        return Recording(
            self._students,
            self._labels,
            np.array(self._times, np.float32),
            np.stack(self._states),
            np.stack(self._shares),
            np.array(boxes).round().astype(np.int16),
            about,
        )

    def _state(self, reading: Reading) -> int:
        if not reading.probabilities:
            return NOT_READABLE
        return self._labels.index(reading.emotion) if reading.emotion in self._labels else UNSURE


def sample_recording(name: str = SAMPLE) -> Recording:
    """A lesson that ships with the package (made by experiments/record_sample_lesson.py)."""
    return Recording.load(Path(str(files("fewshot.app") / name)))


def earlier_recordings() -> list[Recording]:
    """Lessons of the same class in the weeks before, oldest first."""
    return [sample_recording(name) for name in EARLIER]
