"""The mood of the class over time: which share of the students who could be read showed what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fewshot.session.analysis.grid import AWAY, Floats, Grid
from fewshot.session.analysis.words import wilson

READ_SHARE = 0.25
"""A student counts in a window of which at least this share could be read."""


@dataclass(frozen=True, eq=False)
class Mood:
    """Shares in windows that overlap.

    Attributes:
        states: columns of the shares; "unsure" is the last.
        width: of a window, seconds: what is shown at one time is the mean over it.
        time: middle of each window, seconds, shape (windows,).
        share: 0..1, rows sum to 1; NaN where fewer than ``minimum`` students counted; shape (windows, states).
        low, high: interval of 95 % (Wilson, n = students); NaN as above.
        students: who counted, shape (windows,).
        in_view: students who were seen at all in the window, shape (windows,).
        minimum: students below which nothing is said.
        crowd: made of counts over everybody; ``students`` are the people (faces) of a second, on average.
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
    """Width and step of the windows for a lesson of this length: a minute, and less where six of them do not fit.

    >>> window_for(2700), window_for(120), window_for(10)
    ((60, 15), (20, 5), (4, 1))
    """
    width = min(60, max(4, seconds // 6))
    return width, max(1, width // 4)


def class_mood(grid: Grid, width: int = 60, step: int = 15, minimum: int = 1) -> Mood:
    """The mood over time.

    Each student's share of a state is the part of their readable seconds in the window that showed it; the class's
    share is the mean over the students who could be read for a quarter of the window, so that somebody who is read
    more often does not count for more. "Unsure" is a state of its own; unreadable and absent seconds count nowhere.

    How sure: the interval is Wilson's with one vote a student. It is what another draw of like-minded students would
    give. What the network misreads comes on top, and is larger in a small class with few photos.

    Args:
        width: of a window, seconds: the smoothing.
        step: from one window to the next, seconds.
        minimum: students below which a window says nothing.
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
    """The same over everybody's seconds, for a lesson without students; counted are people (faces) a second."""
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
