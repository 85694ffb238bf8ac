"""Moments that stand out: times when more students changed together than chance explains."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from fewshot.session.analysis.grid import UNSURE_STATE, Floats, Grid, counts_in_blocks
from fewshot.session.analysis.words import MINIMUM, how_sure, minutes, percent
from fewshot.translation import tr, tr_n
from fewshot.translation.words import emotion_word

Departures = NDArray[np.float32]
_Found = tuple[float, int, int, int]
"""A window beyond the limit: difference in units of its chance spread, first block, length in blocks, state."""

BLOCK = 10
"""Seconds: the time resolution of moments."""
LENGTHS = (6, 12, 18, 30)
"""Lengths of the windows in blocks: 1, 2, 3 and 5 minutes."""
SHORTEST = 300
"""Seconds: in a shorter lesson no moments are searched for."""
LEAST_CHANGE = 0.08
"""Least difference in the share of students; a smaller one is not worth a teacher's time, even if it is certain."""
_CALM = ("neutral", UNSURE_STATE)
"""States that make room when another state appears, and fill it when one goes."""
_EXPLAINS = 1 / 3
"""Least part of a calm state's change that another state must explain to lead the moment in its place, or that two must
explain together for the sentence to begin with them."""
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
        also: other states that changed at the same time: "more" or "less" and the state ("less neutral").
        risen: the two states that together explain a calm state's drop, if no single state does.
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
    risen: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """One sentence with the state, the duration and the evidence; it begins with what changed."""
        said = self.clause
        return f"{said[:1].upper()}{said[1:]}"

    @property
    def clause(self) -> str:
        """``text`` as the end of a sentence: "more sad faces than usual ..."."""
        length, share, usual = minutes(self.end - self.start), percent(self.share), percent(self.usual)
        if self.risen:
            return tr_n(
                "more {states} faces than usual for {length}: {state} {share} of {number} readable student, "
                "otherwise {usual}",
                "more {states} faces than usual for {length}: {state} {share} of {number} readable students, "
                "otherwise {usual}",
                self.students, states=_both(self.risen), length=length, state=emotion_word(self.state), share=share,
                usual=usual,
            )  # fmt: skip
        values = {"state": emotion_word(self.state), "length": length, "share": share, "usual": usual}
        if self.state == UNSURE_STATE:
            return self._unsure(values)
        if self.more:
            return tr_n(
                "more {state} faces than usual for {length}: {share} of {number} readable student, otherwise {usual}",
                "more {state} faces than usual for {length}: {share} of {number} readable students, otherwise {usual}",
                self.students,
                **values,
            )
        return tr_n(
            "fewer {state} faces than usual for {length}: {share} of {number} readable student, otherwise {usual}",
            "fewer {state} faces than usual for {length}: {share} of {number} readable students, otherwise {usual}",
            self.students,
            **values,
        )

    def _unsure(self, values: dict[str, str]) -> str:
        if self.more:
            return tr_n(
                "more unsure readings than usual for {length}: {share} of {number} readable student, otherwise {usual}",
                "more unsure readings than usual for {length}: {share} of {number} readable students, "
                "otherwise {usual}",
                self.students,
                **values,
            )
        return tr_n(
            "fewer unsure readings than usual for {length}: {share} of {number} readable student, otherwise {usual}",
            "fewer unsure readings than usual for {length}: {share} of {number} readable students, otherwise {usual}",
            self.students,
            **values,
        )

    @property
    def leads(self) -> str:
        """The state to show beside the moment: what changed, not the calm state that made room for it."""
        return self.risen[0] if self.risen else self.state

    @property
    def others(self) -> tuple[str, ...]:
        """Of ``also``, what the sentence does not say yet, as the reader sees it."""
        return tuple(_change(word) for word in self.also if word.removeprefix("more ") not in self.risen)

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

    They are searched one after the other: what belongs to a moment is left out of the baseline of the next. Otherwise
    a long exercise would make the calm minutes before it stand out. A moment is led by the state that rose or fell; if
    neutral merely made room for another state, that one leads. All shares of "otherwise" are over the lesson without
    any of its moments, so that one list has one usual.

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
        short = tr("the lesson is shorter than {length}, too short to know what is usual", length=minutes(SHORTEST))
        return Moments([], short, false_alarms)
    if not grid.students and grid.crowd.any():
        reason = tr("the lesson has only counts for the whole class, and no students to compare")
        return Moments([], reason, false_alarms)
    counts = counts_in_blocks(grid, BLOCK)
    read = counts.sum(axis=2)
    valid = read >= BLOCK / 3
    if (valid.sum(axis=1) >= LENGTHS[0]).sum() < minimum:
        few = tr_n("fewer than {number} student could be read", "fewer than {number} students could be read", minimum)
        return Moments([], few, false_alarms)
    own = np.where(valid[..., None], counts / np.maximum(read, 1)[..., None], 0)
    rng = np.random.default_rng(seed)
    left = valid.copy()
    found: list[Moment] = []
    while len(found) < most and (left.sum(axis=1) >= LENGTHS[0]).sum() >= minimum:
        usual = np.where(left[..., None], own, 0).sum(axis=1) / np.maximum(left.sum(axis=1), 1)[:, None]
        departures = np.where(left[..., None], own - usual[:, None], 0).astype(np.float32)
        windows, largest = _against_chance(departures, left, shuffles, rng, minimum)
        moment = _strongest(grid, own, left, windows, largest, false_alarms)
        if moment is None:
            break
        found.append(moment)
        left[:, moment.start // BLOCK : -(-moment.end // BLOCK)] = False
    return Moments(_with_one_usual(grid, own, valid, found), "", false_alarms, shuffles)


def _both(states: tuple[str, ...]) -> str:
    """One state, or two that rose together, as the reader sees them."""
    shown = [emotion_word(state) for state in states]
    return tr("{one_state} and {other_state}", one_state=shown[0], other_state=shown[1]) if len(shown) > 1 else shown[0]


def _change(word: str) -> str:
    """An entry of ``Moment.also`` as the reader sees it."""
    direction, _, state = word.partition(" ")
    shown = emotion_word(state)
    return tr("more {state}", state=shown) if direction == "more" else tr("less {state}", state=shown)


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


def _strongest(
    grid: Grid, own: Floats, valid: NDArray[np.bool_], windows: list[_Windows], largest: Floats, false_alarms: float
) -> Moment | None:
    """The most striking window beyond the limit, led by the state that made it; None if there is none."""
    limit = np.quantile(largest, 1 - false_alarms, method="higher")
    candidates = [
        (float(window.z[start, state]), int(start), window.length, int(state))
        for window in windows
        for start, state in zip(*np.nonzero(np.abs(window.z) > limit), strict=True)
    ]
    # If two windows are equally striking, the increase comes first: a share that grows reduces all others.
    candidates.sort(key=lambda found: -abs(found[0]) - 1e-3 * (found[0] > 0))
    for first in candidates:
        share, usual, _ = _shares(own, valid, *first[1:])
        if abs(share - usual) < LEAST_CHANGE:
            continue
        around = [other for other in candidates if _share_of_overlap(first, other) >= 0.5]
        z, start, length, state = _leading(grid, own, valid, first, share - usual, around)
        share, usual, students = _shares(own, valid, start, length, state)
        also: dict[int, str] = {}
        for other in around:
            if other[3] != state:
                also.setdefault(other[3], f"{'more' if other[0] > 0 else 'less'} {grid.states[other[3]]}")
        chance = (1 + int((largest >= abs(z)).sum())) / (1 + len(largest))
        span = (start * BLOCK, min((start + length) * BLOCK, grid.seconds))
        told = tuple(list(also.values())[:3])
        risen = _risen(grid, own, valid, around, usual - share) if grid.states[state] in _CALM and z < 0 else ()
        return Moment(*span, grid.states[state], z > 0, share, usual, students, chance, told, risen)
    return None


def _leading(
    grid: Grid, own: Floats, valid: NDArray[np.bool_], first: _Found, change: float, around: list[_Found]
) -> _Found:
    """The window of the state that explains most of a change of a calm state, if one explains enough of it."""
    if grid.states[first[3]] not in _CALM:
        return first
    for other in around:
        if grid.states[other[3]] not in _CALM and other[0] * first[0] < 0:
            share, usual, _ = _shares(own, valid, *other[1:])
            if abs(share - usual) >= max(LEAST_CHANGE, _EXPLAINS * abs(change)):
                return other
    return first


def _risen(grid: Grid, own: Floats, valid: NDArray[np.bool_], around: list[_Found], drop: float) -> tuple[str, ...]:
    """The two states that rose most while a calm state fell by ``drop``, if they explain enough of it together."""
    rises: dict[str, float] = {}
    for other in around:
        name = grid.states[other[3]]
        if name not in _CALM and other[0] > 0 and name not in rises:
            share, usual, _ = _shares(own, valid, *other[1:])
            rises[name] = share - usual
    most = sorted(rises, key=lambda name: -rises[name])[:2]
    return tuple(most) if sum(rises[name] for name in most) >= _EXPLAINS * drop else ()


def _share_of_overlap(one: _Found, other: _Found) -> float:
    """How much of the shorter of two windows lies in the longer one, 0..1."""
    common = min(one[1] + one[2], other[1] + other[2]) - max(one[1], other[1])
    return max(0, common) / min(one[2], other[2])


def _with_one_usual(grid: Grid, own: Floats, valid: NDArray[np.bool_], found: list[Moment]) -> list[Moment]:
    """The moments by time, each compared with the same usual: the lesson without all of them."""
    outside = valid.copy()
    for moment in found:
        outside[:, moment.start // BLOCK : -(-moment.end // BLOCK)] = False
    who = outside.sum(axis=1) >= LENGTHS[0]
    if not who.any():
        return sorted(found, key=lambda moment: moment.start)
    usual = (np.where(outside[..., None], own, 0).sum(axis=1)[who] / outside.sum(axis=1)[who, None]).mean(axis=0)
    told = [replace(moment, usual=float(usual[grid.states.index(moment.state)])) for moment in found]
    # Other students may be in view during a moment: numbers that do not support the sentence are not shown.
    kept = [m for m in told if (m.share - m.usual) * (1 if m.more else -1) >= LEAST_CHANGE]
    return sorted(kept, key=lambda moment: moment.start)


def _shares(own: Floats, valid: NDArray[np.bool_], start: int, length: int, state: int) -> tuple[float, float, int]:
    """Share in the window and outside of it over the same students, and their number."""
    inside = np.zeros(valid.shape[1], bool)
    inside[start : start + length] = True
    here, there = (valid & inside).sum(axis=1), (valid & ~inside).sum(axis=1)
    both = (here >= length / 2) & (there > 0)
    now = (own[both][:, inside, state].sum(axis=1) / here[both]).mean()
    usual = (own[both][:, ~inside, state].sum(axis=1) / there[both]).mean()
    return float(now), float(usual), int(both.sum())
