"""Students whom a teacher may want to ask how they are, because they differed from their usual. Not a ranking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from fewshot.session.analysis.grid import UNSURE_STATE, Floats, align, all_states
from fewshot.session.analysis.profile import Profile
from fewshot.session.analysis.words import MINIMUM, percent
from fewshot.translation import later, tr, tr_n
from fewshot.translation.words import emotion_word

LEAST_LESSONS = 3
LEAST_SECONDS = 300
"""Least number of readable seconds for which a lesson is used for a student."""
LEAST_CHANGE = 0.1
FALSE_NAMES = 0.1
"""Expected share of the names on the list that are there by chance (false discovery rate)."""
_FEWEST, _MOST = 2.0, 12.0
"""Limits of the degrees of freedom of the class's common spread, which stabilises a spread from three lessons. With an
upper limit of 30, 11 of 60 made-up lists had a name by chance, although 6 should; 12 was chosen on those 60."""
_ROUGH = 0.03
"""Radians: the smallest spread between lessons that is considered possible."""
IN_VIEW = later("in view")


@dataclass(frozen=True, slots=True)
class CheckIn:
    """How one student differed from their usual.

    Attributes:
        state: a state, or "in view".
        share: in this lesson (of the student's readable time; for "in view" of the lesson), 0..1.
        lowest, highest, usual: in the student's earlier lessons.
        lessons: number of earlier lessons.
        chance: probability of such a difference in a usual lesson of this student, allowing for all comparisons made.
    """

    student: str
    state: str
    share: float
    lowest: float
    highest: float
    usual: float
    lessons: int
    chance: float

    @property
    def text(self) -> str:
        """The evidence in words; always with the student's own range."""
        if self.share > self.usual:
            return tr_n(
                "more {state} than usual: {share} in this lesson, {low} to {high} in {number} earlier lesson",
                "more {state} than usual: {share} in this lesson, {low} to {high} in {number} earlier lessons",
                self.lessons,
                **self._values(),
            )
        return tr_n(
            "less {state} than usual: {share} in this lesson, {low} to {high} in {number} earlier lesson",
            "less {state} than usual: {share} in this lesson, {low} to {high} in {number} earlier lessons",
            self.lessons,
            **self._values(),
        )

    @property
    def carried_text(self) -> str:
        """``text`` on the list of a later lesson."""
        if self.share > self.usual:
            return tr_n(
                "more {state} than usual: {share} in that lesson, {low} to {high} in {number} earlier lesson",
                "more {state} than usual: {share} in that lesson, {low} to {high} in {number} earlier lessons",
                self.lessons,
                **self._values(),
            )
        return tr_n(
            "less {state} than usual: {share} in that lesson, {low} to {high} in {number} earlier lesson",
            "less {state} than usual: {share} in that lesson, {low} to {high} in {number} earlier lessons",
            self.lessons,
            **self._values(),
        )

    def _values(self) -> dict[str, str]:
        return {
            "state": tr(IN_VIEW) if self.state == IN_VIEW else emotion_word(self.state),
            "share": percent(self.share),
            "low": percent(self.lowest),
            "high": percent(self.highest),
        }

    @property
    def sure(self) -> str:
        """The certainty in words: a few earlier lessons never give high certainty."""
        if self.lessons < 6:
            return tr_n(
                "not very certain: there is only {number} earlier lesson to compare with",
                "not very certain: there are only {number} earlier lessons to compare with",
                self.lessons,
            )
        if self.chance > 0.001:
            return tr_n(
                "not very certain, compared with {number} earlier lesson",
                "not very certain, compared with {number} earlier lessons",
                self.lessons,
            )
        return tr_n(
            "fairly certain, compared with {number} earlier lesson",
            "fairly certain, compared with {number} earlier lessons",
            self.lessons,
        )


@dataclass(frozen=True, slots=True)
class CheckIns:
    """The list.

    Attributes:
        found: in the order of names, one entry per student and state.
        too_few: students with fewer than three earlier lessons, or with too little readable time in this one.
        compared: how many students had enough.
        left_out: earlier lessons that cannot be used because their readings come from another network.
        class_shift: the change that the class had in common was removed first.
        order: all students, those furthest from their own usual first, then those who could not be compared, by name.
    """

    found: list[CheckIn]
    too_few: list[str]
    compared: int
    left_out: int
    class_shift: bool
    order: tuple[str, ...] = ()


def check_ins(today: Profile, earlier: Sequence[Profile]) -> CheckIns:
    """Students whose lesson differed from their own earlier ones.

    Shares of readable time are compared on the angular scale (arcsin of the root, which makes spreads similar), with a
    t statistic for one new value against k earlier ones. A spread from three lessons is unreliable, so it is stabilised
    with the class's common spread (Smyth 2004). If at least five students can be compared, the common change of the
    class (the median) is removed first: an exam is unusual for everybody and says nothing about one student. Names are
    selected according to Benjamini & Hochberg (1995) at a false discovery rate of one in ten, and only if the share
    differs by at least 10 points.

    Certainty: rarely high, because a term of lessons is a small sample and the network makes errors. An entry is a
    reason to ask, not a finding. The list is in the order of names.

    Args:
        today: the lesson.
        earlier: earlier lessons of the same class in any order; those of another network are left out.
    """
    usable = [profile for profile in earlier if profile.info.network == today.info.network]
    states = all_states([profile.states for profile in [today, *usable]])
    names = [*states, IN_VIEW]
    now = _angles(today, today.students, states)
    past = np.stack([_angles(p, today.students, states) for p in usable]) if usable else np.zeros((0, *now.shape))
    lessons = (~np.isnan(past[:, :, 0])).sum(axis=0)
    enough = np.flatnonzero((lessons >= LEAST_LESSONS) & ~np.isnan(now[:, 0]))
    too_few = [name for row, name in enumerate(today.students) if row not in set(enough.tolist())]
    left_out = len(earlier) - len(usable)
    if len(enough) == 0:
        return CheckIns([], too_few, 0, left_out, False, _by_name(today.students))
    chance, shifted = _chances(now[enough], past[:, enough], lessons[enough])
    looked = [column for column, name in enumerate(names) if name != UNSURE_STATE]
    per_state = np.minimum(1, chance[:, looked] * len(looked))
    kept = _discoveries(per_state.min(axis=1), FALSE_NAMES)
    found = []
    for row in np.flatnonzero(kept):
        limit = max(FALSE_NAMES / len(enough), float(per_state[row].min()))
        for number, column in enumerate(looked):
            shares = np.sin(past[:, enough[row], column]) ** 2
            shares = shares[~np.isnan(shares)]
            share = float(np.sin(now[enough[row], column]) ** 2)
            if per_state[row, number] <= limit and abs(share - shares.mean()) >= LEAST_CHANGE:
                span = (float(shares.min()), float(shares.max()), float(shares.mean()))
                student = today.students[int(enough[row])]
                chance_ = float(per_state[row, number])
                found.append(CheckIn(student, names[column], share, *span, len(shares), chance_))
    found.sort(key=lambda line: (line.student.casefold(), line.state))
    least = dict(zip((today.students[row] for row in enough), per_state.min(axis=1), strict=True))
    order = sorted(_by_name(list(least)), key=lambda name: least[name])
    return CheckIns(found, too_few, len(enough), left_out, shifted, (*order, *_by_name(too_few)))


def _by_name(students: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted(students, key=str.casefold))


def _angles(profile: Profile, students: Sequence[str], states: Sequence[str]) -> Floats:
    """Shares on the angular scale, NaN if too little could be read, shape (students, states + 1)."""
    rows = {name: row for row, name in enumerate(profile.students)}
    share = align(profile.states, states, profile.share)
    out = np.full((len(students), len(states) + 1), np.nan)
    for number, name in enumerate(students):
        row = rows.get(name)
        if row is not None and profile.readable[row] >= LEAST_SECONDS:
            in_view = profile.in_view[row] / max(1, profile.watched)
            out[number] = np.arcsin(np.sqrt(np.clip([*share[row], in_view], 0, 1)))
    return out


def _chances(now: Floats, past: Floats, lessons: Floats) -> tuple[Floats, bool]:
    """Two-sided chance of each student's difference, shape (students, columns); whether a common shift was removed."""
    own = np.maximum(np.nanvar(past, axis=0, ddof=1), _ROUGH**2)
    free = np.broadcast_to((lessons - 1.0)[:, None], own.shape)
    common = (own * free).sum(axis=0) / free.sum(axis=0)
    prior = _prior(own, free)
    spread = (own * free + common * prior) / (free + prior)
    change = now - np.nanmean(past, axis=0)
    shifted = len(now) >= MINIMUM
    if shifted:
        change = change - np.median(change, axis=0)
    t = change / np.sqrt(spread * (1 + 1 / lessons[:, None]))
    return np.asarray(2 * special.stdtr(free + prior, -np.abs(t))), shifted


def _prior(own: Floats, free: Floats) -> float:
    """How similar the students' spreads are, as degrees of freedom (Smyth 2004, section 6.2, one for all states)."""
    if len(own) < MINIMUM:
        return _FEWEST
    logs = np.log(own) - special.digamma(free / 2) + np.log(free / 2)
    excess = (logs.var(axis=0, ddof=1) - special.polygamma(1, free / 2).mean(axis=0)).mean()
    # The trigamma function decreases, so its inverse is interpolated between the two limits.
    half = np.linspace(_FEWEST / 2, _MOST / 2, 200)
    return float(2 * np.interp(-excess, -special.polygamma(1, half), half))


def _discoveries(chance: Floats, rate: float) -> Floats:
    """Which entries to keep (Benjamini & Hochberg 1995), bool, shape of ``chance``."""
    order = np.argsort(chance)
    below = chance[order] <= rate * np.arange(1, len(chance) + 1) / len(chance)
    kept = np.zeros(len(chance), bool)
    kept[order[: int(np.flatnonzero(below).max()) + 1 if below.any() else 0]] = True
    return kept
