"""One student's lesson: bands of what was shown, and how long the student was in view and readable."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fewshot.session.analysis.grid import AWAY, NOT_READABLE, NOT_WATCHED, Cells, Grid

NOT_READABLE_STATE, AWAY_STATE, NOT_WATCHED_STATE = "not readable", "not in view", "not watched"
_WITHOUT = {NOT_READABLE: NOT_READABLE_STATE, AWAY: AWAY_STATE, NOT_WATCHED: NOT_WATCHED_STATE}


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of time in which one student showed one thing; ``end`` is the first second after it."""

    student: str
    state: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Visibility:
    """How long one student could be seen and read: counted, not estimated, and only for recognised faces.

    Attributes:
        in_view, readable: seconds.
        watched: seconds in which at least one frame was analysed.
    """

    student: str
    in_view: int
    readable: int
    watched: int

    @property
    def in_view_share(self) -> float:
        """0..1; NaN if nothing was watched."""
        return self.in_view / self.watched if self.watched else float("nan")

    @property
    def readable_share(self) -> float:
        """Of the watched seconds, 0..1; NaN if nothing was watched."""
        return self.readable / self.watched if self.watched else float("nan")


def bands(grid: Grid, width: int = 1) -> list[Band]:
    """What every student showed, as stretches of time, student by student; there are no bands for time out of view.

    Args:
        width: seconds per cell; a wider cell shows what most of its seconds showed (if equally frequent, a state before
            "not readable" before "not in view").
    """
    shown = grid.shown if width == 1 else coarse(grid, width)
    found = []
    for name, row in zip(grid.students, shown, strict=True):
        cuts = np.flatnonzero(np.diff(row)) + 1
        for start, end in zip([0, *cuts], [*cuts, len(row)], strict=True):
            if start < end and row[start] not in (AWAY, NOT_WATCHED):
                last = min(int(end) * width, grid.seconds)
                found.append(Band(name, state_name(grid, int(row[start])), int(start) * width, last))
    return found


def coarse(grid: Grid, width: int) -> Cells:
    """``Grid.shown`` in cells of ``width`` seconds, shape (students, cells)."""
    cells = -(-grid.seconds // width)
    codes = [*range(len(grid.states)), NOT_READABLE, AWAY, NOT_WATCHED]
    padded = np.full((len(grid.students), cells * width), NOT_WATCHED, np.int16)
    padded[:, : grid.seconds] = grid.shown
    blocks = padded.reshape(len(grid.students), cells, width)
    counts = np.stack([(blocks == code).sum(axis=2) for code in codes])
    # In a short last cell, padding must not outweigh what was seen.
    counts[-1] = np.where(counts[:-1].any(axis=0), 0, counts[-1])
    return np.asarray(np.array(codes, np.int16)[counts.argmax(axis=0)])


def state_name(grid: Grid, code: int) -> str:
    """The word for a cell of ``Grid.shown``."""
    return grid.states[code] if code >= 0 else _WITHOUT[code]


def visibility(grid: Grid) -> list[Visibility]:
    """How long each student was in view and readable, in the order of ``Grid.students``."""
    watched = int((grid.shown > NOT_WATCHED).any(axis=0).sum()) if len(grid.students) else 0
    in_view, readable = (grid.shown > AWAY).sum(axis=1), (grid.shown >= 0).sum(axis=1)
    rows = zip(grid.students, in_view, readable, strict=True)
    return [Visibility(name, int(seen), int(read), watched) for name, seen, read in rows]
