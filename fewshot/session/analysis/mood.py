"""The mood of the class over time: the share of the readable students in each state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fewshot.session.analysis.grid import AWAY, NOT_WATCHED, Floats, Grid
from fewshot.session.analysis.words import wilson

READ_SHARE = 0.25
"""A student counts in a window if at least this share of it could be read."""
GAP = 5
"""Seconds without a readable face from which the lesson counts as interrupted; or three usual steps between frames."""
_BEFORE = 0.01
"""Seconds between the last point before a cut and the cut itself."""

Edges = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Mood:
    """Shares in windows that overlap.

    Attributes:
        states: columns of the shares; "unsure" is the last.
        width: of a window, seconds; every value is the mean over a window.
        time: seconds, shape (windows,): the middle of each window; at a gap or a cut also its two edges.
        share: 0..1, rows sum to 1; NaN if fewer than ``minimum`` students count; shape (windows, states).
        low, high: 95 % interval (Wilson, n = students); NaN as above.
        students: number of students who count, shape (windows,).
        in_view: number of students who were seen in the window, shape (windows,).
        minimum: least number of students for which shares are given.
        crowd: based on counts of all people; ``students`` is then the mean number of people (faces) per second.
        seconds: length of the lesson; 0 if unknown.
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
    seconds: int = 0


def window_for(seconds: int) -> tuple[int, int]:
    """Width and step of the windows for a lesson of this length: a minute, or less if six of them do not fit.

    >>> window_for(2700), window_for(120), window_for(10)
    ((60, 15), (20, 5), (4, 1))
    """
    width = min(60, max(4, seconds // 6))
    return width, max(1, width // 4)


def class_mood(grid: Grid, width: int = 60, step: int = 15, minimum: int = 1, cuts: Sequence[float] = ()) -> Mood:
    """The mood over time.

    A student's share of a state is the part of their readable seconds in the window that showed it. The class's share
    is the mean over the students who could be read for at least a quarter of the window, so that every student has the
    same weight. "Unsure" is a state like the others; unreadable and absent seconds are not counted.

    No window reaches across a gap of the lesson, or across a cut: what begins at a marker must not seem to begin
    before it. Within a gap the values are NaN.

    Certainty: the interval is Wilson's with one vote per student. It shows what another sample of similar students
    would give. The network's errors come on top; they are larger in a small class with few photos.

    Args:
        width: of a window, seconds; a larger one smooths more.
        step: from one window to the next, seconds.
        minimum: least number of students for which a window has values.
        cuts: seconds at which something may have changed at once, such as the teacher's markers.
    """
    time, edges = _windows(grid, width, step, cuts)
    crowd = len(grid.students) == 0
    share, counted, seen = _crowd(grid, edges) if crowd else _students(grid, edges)
    share[counted < max(minimum, 1e-9)] = np.nan
    low, high = wilson(share, counted[:, None])
    low[np.isnan(share)] = high[np.isnan(share)] = np.nan
    return Mood(grid.states, width, time, share, low, high, counted, seen, minimum, crowd, grid.seconds)


def _windows(grid: Grid, width: int, step: int, cuts: Sequence[float]) -> tuple[Floats, Edges]:
    """Points in time, shape (windows,), and first and last + 1 second of their windows, shape (2, windows)."""
    if grid.seconds == 0:
        return np.zeros(0), np.zeros((2, 0), np.int64)
    parts = _parts(grid, width, step, cuts)
    points: dict[float, tuple[int, int]] = {}
    for middle in range(0, max(1, grid.seconds - width // 2), step):
        first, last = next(((a, b) for a, b in parts if a <= middle < b), (middle, middle))
        points[float(middle)] = (max(first, middle - width // 2), min(last, middle + width - width // 2))
    for first, last in parts:
        if first > 0:
            points[float(first)] = (first, min(last, first + width - width // 2))
        if last < grid.seconds:
            points[last - _BEFORE] = (max(first, last - width // 2), last)
            points.setdefault(float(last), (last, last))  # a gap, unless a part begins here
    for first, _ in parts:  # a gap that ends here
        if first > 0 and first - _BEFORE not in points:
            points[first - _BEFORE] = (first, first)
    if len(points) == 1:  # a lesson of a few seconds: one point would not be seen in a chart
        points[grid.seconds - _BEFORE] = next(iter(points.values()))
    time = np.array(sorted(points))
    return time, np.array([points[at] for at in time.tolist()], np.int64).reshape(-1, 2).T


def _parts(grid: Grid, width: int, step: int, cuts: Sequence[float]) -> list[tuple[int, int]]:
    """First and last + 1 second of each part of the lesson without a gap or a cut in it."""
    seconds = np.flatnonzero(_known(grid, width))
    if len(seconds) == 0:
        return [(0, grid.seconds)]
    between = np.diff(seconds)
    # A source with a frame every ten seconds has no gap between them.
    gap = max(GAP, 3 * float(np.median(between))) if len(between) else GAP
    ends = np.flatnonzero(between > gap)
    parts = []
    for first, last in zip([seconds[0], *seconds[ends + 1]], [*seconds[ends], seconds[-1]], strict=True):
        start = 0 if first <= gap else int(first)
        stop = grid.seconds if last + gap >= grid.seconds else int(last) + 1
        for cut in sorted(round(cut) for cut in cuts):
            # A part shorter than a step would show the noise of a few seconds.
            if start + step <= cut < stop:
                parts.append((start, cut))
                start = cut
        parts.append((start, stop))
    return parts


def _known(grid: Grid, width: int) -> NDArray[np.bool_]:
    """Seconds that belong to no gap: they were watched, and somebody was readable within half a window."""
    if len(grid.students) == 0:
        return np.asarray(grid.crowd.any(axis=1))
    watched: NDArray[np.bool_] = np.asarray((grid.shown > NOT_WATCHED).any(axis=0))
    read = np.flatnonzero((grid.shown >= 0).any(axis=0))
    for first, last in zip([-1, *read], [*read, grid.seconds], strict=True):
        if last - first > max(GAP, width // 2):
            watched[first + 1 : last] = False
    return watched


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
