"""A lesson as one grid: one row per student, one column per second, in every cell what was shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fewshot.session.lesson import UNREADABLE, Lesson

UNSURE_STATE = "unsure"
"""The last of ``Grid.states``: the face was read, but no state was certain enough."""

NOT_READABLE, AWAY, NOT_WATCHED = -1, -2, -3
"""Cells without a state: in view but never readable; not in view; no frame was analysed in that second."""

Cells = NDArray[np.int16]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Grid:
    """What every student showed in every second.

    Attributes:
        students: names, in the order of the rows.
        states: the lesson's labels, then "unsure".
        shown: index into ``states``, or ``NOT_READABLE``, ``AWAY``, ``NOT_WATCHED``; int16, shape (students, seconds).
        crowd: for a lesson without students: people per state, as the lesson kept them, or (without a class) readable
            faces per frame divided according to their mean probabilities, where "unsure" stays 0; float64, shape
            (seconds, states).
    """

    students: list[str]
    states: list[str]
    shown: Cells
    crowd: Floats

    @property
    def seconds(self) -> int:
        """Length of the lesson."""
        return int(self.shown.shape[1])


def make_grid(lesson: Lesson) -> Grid:
    """Put a lesson's rows into a grid. Faces of people who are not enrolled get no row; they are only in ``crowd``.

    A cell has the state of most readings of that second, as the teacher saw it then: corrections are listed in the
    report and do not change the past.
    """
    rows, labels = lesson.readings, len(lesson.labels)
    seconds = max(len(lesson.frames_per_second), int(rows.second.max()) + 1 if len(rows) else 0)
    frames = np.zeros(seconds, np.int64)
    frames[: len(lesson.frames_per_second)] = lesson.frames_per_second
    shown = np.full((len(lesson.students), seconds), AWAY, np.int16)
    shown[:, frames == 0] = NOT_WATCHED
    cells = np.where(rows.emotion >= 0, rows.emotion, np.where(rows.emotion == UNREADABLE, NOT_READABLE, labels))
    known = rows.student >= 0
    shown[rows.student[known], rows.second[known]] = cells[known]
    return Grid(list(lesson.students), [*lesson.labels, UNSURE_STATE], shown, _crowd(lesson, seconds, frames))


def _crowd(lesson: Lesson, seconds: int, frames: NDArray[np.int64]) -> Floats:
    labels, rows = len(lesson.labels), lesson.readings
    crowd = np.zeros((seconds, labels + 1))
    if lesson.kept_counts is not None:
        kept = lesson.kept_counts[:seconds, : labels + 1]
        crowd[: len(kept)] = kept
        return crowd
    others = (rows.student < 0) & (rows.readable > 0)
    second = rows.second[others]
    faces = rows.readable[others] / np.maximum(1, frames[second])
    crowd[second, :labels] = rows.probabilities[others] * faces[:, None]
    return crowd


def counts_in_blocks(grid: Grid, block: int) -> Floats:
    """Seconds of each state in consecutive blocks of time.

    Args:
        block: seconds; the last one may be shorter.

    Returns:
        Shape (students, blocks, states).
    """
    blocks, states = -(-grid.seconds // block), len(grid.states)
    student, second = np.nonzero(grid.shown >= 0)
    cell = (student * blocks + second // block) * states + grid.shown[student, second]
    flat = np.bincount(cell, minlength=len(grid.students) * blocks * states)
    return flat.reshape(len(grid.students), blocks, states).astype(np.float64)


def align(states: Sequence[str], wanted: Sequence[str], values: Floats) -> Floats:
    """Columns in the order of ``wanted``; a state that a lesson does not have counts 0 seconds.

    Args:
        states: states of the columns of ``values``.
        wanted: states of the columns of the result.
        values: shape (..., states).

    Returns:
        Shape (..., wanted).
    """
    out = np.zeros((*values.shape[:-1], len(wanted)))
    for column, state in enumerate(wanted):
        if state in states:
            out[..., column] = values[..., list(states).index(state)]
    return out


def all_states(lists: Sequence[Sequence[str]]) -> list[str]:
    """Every state of several lessons once, in order of appearance, "unsure" last."""
    seen = dict.fromkeys(state for states in lists for state in states if state != UNSURE_STATE)
    return [*seen, UNSURE_STATE]
