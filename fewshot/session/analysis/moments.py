"""Moments that stand out: times when more students changed together than chance explains."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from fewshot.session.analysis.grid import UNSURE_STATE, Floats, Grid, counts_in_blocks
from fewshot.session.analysis.words import MINIMUM, how_sure, minutes, percent

Departures = NDArray[np.float32]

BLOCK = 10
"""Seconds: the time resolution of moments."""
LENGTHS = (6, 12, 18, 30)
"""Lengths of the windows in blocks: 1, 2, 3 and 5 minutes."""
SHORTEST = 300
"""Seconds: in a shorter lesson no moments are searched for."""
LEAST_CHANGE = 0.08
"""Least difference in the share of students; a smaller one is not worth a teacher's time, even if it is certain."""
_STEADY = 0.7
"""Students: least spread of a window, so that a short appearance of a rare state does not count as an event."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A stretch in which the students together differed from their own usual.

    Attributes:
        start, end: seconds.
        state: the state; ``more``: whether there was more of it than usual, or less.
        share, usual: mean share over students, in this stretch and in the rest of the lesson, 0..1.
        students: number of students who could be read in it.
        chance: probability that a lesson without any common change contains a moment as striking as this one.
        also: other states that changed at the same time, in words ("less neutral").
    """

    start: int
    end: int
    state: str
    more: bool
    share: float
    usual: float
    students: int
    chance: float
    also: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """One sentence with the state, the duration and the evidence."""
        word = f"{self.state} faces" if self.state != UNSURE_STATE else "unsure readings"
        now = f"{percent(self.share)} of {self.students} readable students, otherwise {percent(self.usual)}"
        return f"{'More' if self.more else 'Fewer'} {word} than usual for {minutes(self.end - self.start)}: {now}"

    @property
    def sure(self) -> str:
        """The certainty in words."""
        return how_sure(self.chance)


@dataclass(frozen=True, slots=True)
class Moments:
    """The result of the search.

    Attributes:
        found: in the order of time.
        reason: why the search was not possible; "" if it was.
        false_alarms: share of lessons without any common change in which something is found (by design).
        shuffles: number of shuffled lessons on which chance was measured.
    """

    found: list[Moment] = field(default_factory=list)
    reason: str = ""
    false_alarms: float = 0.05
    shuffles: int = 0


@dataclass(frozen=True, eq=False)
class _Windows:
    """All windows of one length: differences from usual in units of their chance spread, shape (windows, states)."""

    length: int
    z: Floats


def find_moments(
    grid: Grid, false_alarms: float = 0.05, shuffles: int = 400, seed: int = 0, most: int = 8, minimum: int = MINIMUM
) -> Moments:
    """Moments that stand out against the lesson's own baseline.

    For each student and state, the student's own mean over the lesson is subtracted; the rest is summed over students
    in windows of 1, 2, 3 and 5 minutes. Chance is measured on the lesson itself: each student's readable time is
    rotated by a random amount, independently of the others. This keeps every student's habits, phases and absences,
    and removes only what they do together. Differences are divided by their spread over these shuffled lessons. The
    largest of all windows, states and directions in each shuffled lesson gives the limit (Westfall & Young 1993), so
    the false alarm rate holds for the whole lesson, not for one window.

    Certainty: ``chance`` is that share of shuffled lessons. It shows that students changed together. It does not show
    why, or that the network named the right state.

    Args:
        false_alarms: accepted share of lessons without common change in which a moment is found.
        shuffles: number of shuffled lessons; more make ``chance`` finer and take longer.
        most: largest number of moments; the most striking are kept.
        minimum: least number of students who must be readable in a window.
    """
    if grid.seconds < SHORTEST:
        return Moments(
            [], f"the lesson is shorter than {minutes(SHORTEST)}, too short to know what is usual", false_alarms
        )
    if not grid.students and grid.crowd.any():
        return Moments([], "the lesson has only counts for the whole class, and no students to compare", false_alarms)
    counts = counts_in_blocks(grid, BLOCK)
    read = counts.sum(axis=2)
    valid = read >= BLOCK / 3
    if (valid.sum(axis=1) >= LENGTHS[0]).sum() < minimum:
        return Moments([], f"fewer than {minimum} students could be read", false_alarms)
    own = np.where(valid[..., None], counts / np.maximum(read, 1)[..., None], 0)
    usual = own.sum(axis=1) / np.maximum(valid.sum(axis=1), 1)[:, None]
    departures = np.where(valid[..., None], own - usual[:, None], 0).astype(np.float32)
    windows, largest = _against_chance(departures, valid, shuffles, np.random.default_rng(seed), minimum)
    found = _pick(grid, own, valid, windows, largest, false_alarms, most)
    return Moments(sorted(found, key=lambda moment: moment.start), "", false_alarms, shuffles)


def _against_chance(
    departures: Departures, valid: NDArray[np.bool_], shuffles: int, rng: np.random.Generator, minimum: int
) -> tuple[list[_Windows], Floats]:
    """The lesson's windows, and the largest difference of every shuffled lesson, shape (shuffles,)."""
    blocks = departures.shape[1]
    totals = np.zeros((shuffles + 1, blocks + 1, departures.shape[2]), np.float32)
    totals[0, 1:] = departures.sum(axis=0)
    totals[1:, 1:] = _shuffled(departures, valid, shuffles, rng)
    np.cumsum(totals, axis=1, out=totals)
    inside = np.cumsum(np.pad(valid, ((0, 0), (1, 0))), axis=1)
    found, largest = [], np.zeros(shuffles)
    for length in (length for length in LENGTHS if length <= blocks // 3):
        readable = inside[:, length:] - inside[:, :-length] >= length / 2
        window = totals[:, length:] - totals[:, :-length]
        # Over the lesson and its copies: otherwise a copy's own extremes would shrink, and the lesson's not.
        spread = np.sqrt(np.square(window).mean(axis=0))
        z = window / np.maximum(spread, _STEADY * length)
        z[:, np.asarray(readable).sum(axis=0) < minimum] = 0
        largest = np.maximum(largest, np.abs(z[1:]).max(axis=(1, 2)))
        found.append(_Windows(length, z[0]))
    return found, largest


def _shuffled(departures: Departures, valid: NDArray[np.bool_], shuffles: int, rng: np.random.Generator) -> Departures:
    """Sums over students, with readable blocks rotated by a random amount each, shape (shuffles, blocks, states)."""
    sums = np.zeros((shuffles, *departures.shape[1:]), np.float32)
    for own, readable in zip(departures, valid, strict=True):
        where = np.flatnonzero(readable)
        if len(where):
            turned = (np.arange(len(where)) + rng.integers(0, len(where), (shuffles, 1))) % len(where)
            sums[:, where] += own[where][turned]
    return sums


def _pick(
    grid: Grid,
    own: Floats,
    valid: NDArray[np.bool_],
    windows: list[_Windows],
    largest: Floats,
    false_alarms: float,
    most: int,
) -> list[Moment]:
    """Windows beyond the limit, the most striking first; a window that overlaps a chosen one is listed with it."""
    limit = np.quantile(largest, 1 - false_alarms, method="higher")
    candidates = []
    for window in windows:
        for start, state in zip(*np.nonzero(np.abs(window.z) > limit), strict=True):
            candidates.append((float(window.z[start, state]), int(start), window.length, int(state)))
    # If two windows are equally striking, the increase comes first: a share that grows reduces all others.
    candidates.sort(key=lambda found: -abs(found[0]) - 1e-3 * (found[0] > 0))
    taken: list[tuple[Moment, list[str]]] = []
    for z, start, length, state in candidates:
        first, last = start * BLOCK, min((start + length) * BLOCK, grid.seconds)
        name = grid.states[state]
        near = next((t for t in taken if first < t[0].end + 60 and last > t[0].start - 60), None)
        if near is not None:
            told = f"{'more' if z > 0 else 'less'} {name}"
            if name != near[0].state and told not in near[1]:
                near[1].append(told)
            continue
        share, usual, students = _shares(own, valid, start, length, state)
        if len(taken) < most and abs(share - usual) >= LEAST_CHANGE:
            chance = (1 + int((largest >= abs(z)).sum())) / (1 + len(largest))
            taken.append((Moment(first, last, name, z > 0, share, usual, students, chance), []))
    return [_with(moment, also) for moment, also in taken]


def _shares(own: Floats, valid: NDArray[np.bool_], start: int, length: int, state: int) -> tuple[float, float, int]:
    """Share in the window and outside of it over the same students, and their number."""
    inside = np.zeros(valid.shape[1], bool)
    inside[start : start + length] = True
    here, there = (valid & inside).sum(axis=1), (valid & ~inside).sum(axis=1)
    both = (here >= length / 2) & (there > 0)
    now = (own[both][:, inside, state].sum(axis=1) / here[both]).mean()
    usual = (own[both][:, ~inside, state].sum(axis=1) / there[both]).mean()
    return float(now), float(usual), int(both.sum())


def _with(moment: Moment, also: list[str]) -> Moment:
    return replace(moment, also=tuple(also[:3]))
