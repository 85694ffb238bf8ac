"""The mood of the class over time: the share of the readable students in each state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fewshot.session.analysis.grid import AWAY, Floats, Grid
from fewshot.session.analysis.words import wilson

READ_SHARE = 0.25
"""A student counts in a window if at least this share of it could be read."""


@dataclass(frozen=True, eq=False)
class Mood:
    """Shares in windows that overlap.

    Attributes:
        states: columns of the shares; "unsure" is the last.
        width: of a window, seconds; every value is the mean over a window.
        time: middle of each window, seconds, shape (windows,).
        share: 0..1, rows sum to 1; NaN if fewer than ``minimum`` students count; shape (windows, states).
        low, high: 95 % interval (Wilson, n = students); NaN as above.
        students: number of students who count, shape (windows,).
        in_view: number of students who were seen in the window, shape (windows,).
        minimum: least number of students for which shares are given.
        crowd: based on counts of all people; ``students`` is then the mean number of people (faces) per second.
    """

    states: list[str]
    width: float
    time: Floats
    share: Floats
    low: Floats
    high: Floats
    students: Floats
    in_view: Floats
    minimum: int
    crowd: bool = False


def window_for(seconds: int) -> tuple[int, int]:
    """Width and step of the windows for a lesson of this length: a minute, or less if six of them do not fit.

    >>> window_for(2700), window_for(120), window_for(10)
    ((60, 15), (20, 5), (4, 1))
    """
    width = min(60, max(4, seconds // 6))
    return width, max(1, width // 4)


def class_mood(grid: Grid, width: int = 60, step: int = 15, minimum: int = 1) -> Mood:
    """The mood over time.

    A student's share of a state is the part of their readable seconds in the window that showed it. The class's share
    is the mean over the students who could be read for at least a quarter of the window, so that every student has the
    same weight. "Unsure" is a state like the others; unreadable and absent seconds are not counted.

    Certainty: the interval is Wilson's with one vote per student. It shows what another sample of similar students
    would give. The network's errors come on top; they are larger in a small class with few photos.

    Args:
        width: of a window, seconds; a larger one smooths more.
        step: from one window to the next, seconds.
        minimum: least number of students for which a window has values.
    """
    starts = np.arange(0, max(1, grid.seconds - width // 2), step)[: max(1, grid.seconds)]
    edges = np.clip(np.stack([starts - width // 2, starts + width - width // 2]), 0, grid.seconds)
    if grid.seconds == 0:
        starts, edges = starts[:0], edges[:, :0]
    crowd = len(grid.students) == 0
    share, counted, seen = _crowd(grid, edges) if crowd else _students(grid, edges)
    share[counted < max(minimum, 1e-9)] = np.nan
    low, high = wilson(share, counted[:, None])
    low[np.isnan(share)] = high[np.isnan(share)] = np.nan
    return Mood(grid.states, width, starts.astype(float), share, low, high, counted, seen, minimum, crowd)


def _students(grid: Grid, edges: NDArray[Any]) -> tuple[Floats, Floats, Floats]:
    """Shares (windows, states), students counted and students seen (windows,)."""
    windows, states = edges.shape[1], len(grid.states)
    seconds = np.empty((states, len(grid.students), windows), np.float32)
    for state in range(states):
        seconds[state] = _in_windows(grid.shown == state, edges)
    read = seconds.sum(axis=0)
    counts = read >= np.maximum(1, READ_SHARE * (edges[1] - edges[0]))
    counted = counts.sum(axis=0).astype(float)
    own = np.where(counts, seconds / np.maximum(read, 1), 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = own.sum(axis=1, dtype=np.float64) / counted
    seen = (_in_windows(grid.shown > AWAY, edges) > 0).sum(axis=0).astype(float)
    return share.T.copy(), counted, seen


def _crowd(grid: Grid, edges: NDArray[Any]) -> tuple[Floats, Floats, Floats]:
    """The same for a lesson without students, over all people; the number counted is people (faces) per second."""
    size = grid.crowd.sum(axis=1)
    sums, total = _in_windows(grid.crowd.T, edges), _in_windows(size[None], edges)[0]
    counted = np.round(total / np.maximum(1, _in_windows((size > 0)[None], edges)[0]))
    with np.errstate(invalid="ignore", divide="ignore"):
        share = (sums / total).T.copy()
    return share, counted, counted.copy()


def _in_windows(rows: NDArray[Any], edges: NDArray[Any]) -> Floats:
    """Sums over windows of time, shape (rows, windows)."""
    total = np.zeros((rows.shape[0], rows.shape[1] + 1))
    np.cumsum(rows, axis=1, out=total[:, 1:])
    return total[:, edges[1]] - total[:, edges[0]]
