"""A lesson in one small table: how long each student showed each state. Lessons are compared with it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fewshot.session.analysis.grid import Floats, Grid, counts_in_blocks, make_grid
from fewshot.session.analysis.students import visibility
from fewshot.session.lesson import Lesson, LessonInfo

BLOCK = 120
"""Seconds: blocks of this length are treated as independent (moods last seconds to a minute)."""


@dataclass(frozen=True, eq=False)
class Profile:
    """The part of a lesson that check-ins, trends and comparisons need; a few kilobytes.

    Attributes:
        info: of the lesson.
        students: names, rows of the arrays.
        states: columns: the lesson's labels, then "unsure".
        seconds: readable seconds of each state, shape (students, states).
        error: standard error of each student's shares, from blocks of two minutes, shape (students, states); NaN with
            fewer than three of them.
        in_view: seconds, shape (students,).
        watched: seconds in which at least one frame was analysed.
    """

    info: LessonInfo
    students: list[str]
    states: list[str]
    seconds: Floats
    error: Floats
    in_view: Floats
    watched: int

    @property
    def readable(self) -> Floats:
        """Readable seconds, shape (students,)."""
        return np.asarray(self.seconds.sum(axis=1))

    @property
    def share(self) -> Floats:
        """Share of the readable time, 0..1, NaN for students who were never readable; shape (students, states)."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(self.seconds / self.readable[:, None])


def make_profile(lesson: Lesson, grid: Grid | None = None) -> Profile:
    """The profile of a lesson; ``grid`` if it was made already."""
    grid = make_grid(lesson) if grid is None else grid
    blocks = counts_in_blocks(grid, BLOCK) if grid.seconds else np.zeros((len(grid.students), 0, len(grid.states)))
    seen = visibility(grid)
    in_view = np.array([row.in_view for row in seen], np.float64)
    watched = seen[0].watched if seen else int((np.asarray(lesson.frames_per_second) > 0).sum())
    error = _error(blocks)
    return Profile(lesson.info, grid.students, grid.states, blocks.sum(axis=1), error, in_view, watched)


def _error(blocks: Floats) -> Floats:
    """Standard error of a ratio of sums over blocks (Cochran 1977, eq. 6.13), shape (students, states)."""
    read = blocks.sum(axis=2)
    number = (read > 0).sum(axis=1)
    total = read.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = blocks.sum(axis=1) / total[:, None]
        residuals = blocks - share[:, None] * read[..., None]
        factor = number / np.where(number > 2, number - 1, np.nan) / total**2
        return np.asarray(np.sqrt(np.square(residuals).sum(axis=1) * factor[:, None]))
