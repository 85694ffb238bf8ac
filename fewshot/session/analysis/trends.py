"""Several lessons: the trend of a student or a class over weeks, and two lessons side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from fewshot.session.analysis.grid import Floats, align, all_states
from fewshot.session.analysis.profile import Profile
from fewshot.session.analysis.words import CONFIDENCE_Z
from fewshot.session.lesson import LessonInfo

LEAST_SECONDS = 60
"""Least number of readable seconds for which a student's lesson is a point of a trend."""


@dataclass(frozen=True, eq=False)
class Trend:
    """Shares of states over lessons, in the order of dates.

    Attributes:
        who: a student's name, or "" for the class.
        lessons: rows.
        states: columns.
        share, low, high: 0..1 with a 95 % interval, NaN if there was too little; shape (lessons, states).
        basis: readable seconds (a student) or students (a class), shape (lessons,).
        networks: number of networks; if more than one, a change between lessons may come from the network.
    """

    who: str
    lessons: list[LessonInfo]
    states: list[str]
    share: Floats
    low: Floats
    high: Floats
    basis: Floats
    networks: int


def student_trend(profiles: Sequence[Profile], student: str) -> Trend:
    """One student over lessons. The interval comes from blocks of two minutes within each lesson: it shows how well
    that lesson is known, not how much the student varies from day to day."""
    profiles = sorted((p for p in profiles if student in p.students), key=lambda p: p.info.started)
    states = all_states([p.states for p in profiles])
    rows = [p.students.index(student) for p in profiles]
    basis = np.array([p.readable[row] for p, row in zip(profiles, rows, strict=True)])
    share, error = (np.full((len(profiles), len(states)), np.nan) for _ in range(2))
    for number, (p, row) in enumerate(zip(profiles, rows, strict=True)):
        if basis[number] >= LEAST_SECONDS:
            share[number] = align(p.states, states, p.share[row])
            error[number] = align(p.states, states, p.error[row])
    return _course(student, profiles, states, share, CONFIDENCE_Z * error, basis)


def class_trend(profiles: Sequence[Profile], minimum: int = 1) -> Trend:
    """The class over lessons: the mean over students, who count once each, with Student's interval over students.

    Args:
        minimum: least number of students for which a lesson has values (5 in the whole-class view).
    """
    profiles = sorted(profiles, key=lambda p: p.info.started)
    states = all_states([p.states for p in profiles])
    share, half = (np.full((len(profiles), len(states)), np.nan) for _ in range(2))
    basis = np.zeros(len(profiles))
    for number, p in enumerate(profiles):
        read = p.readable >= LEAST_SECONDS
        basis[number] = read.sum()
        if basis[number] >= max(1, minimum):
            values = align(p.states, states, p.share[read])
            share[number] = values.mean(axis=0)
            half[number] = _half_width(values)
    return _course("", profiles, states, share, half, basis)


def _course(
    who: str, profiles: Sequence[Profile], states: list[str], share: Floats, half: Floats, basis: Floats
) -> Trend:
    low, high = np.clip(share - half, 0, 1), np.clip(share + half, 0, 1)
    networks = len({p.info.network for p in profiles})
    return Trend(who, [p.info for p in profiles], states, share, low, high, basis, networks)


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two lessons: the students who were readable in both are compared with themselves.

    Attributes:
        first, second: the lessons.
        states: rows.
        share: of each lesson, 0..1, shape (states, 2).
        change, low, high: second minus first, with a 95 % interval for all states together (Bonferroni), shape
            (states,); NaN with fewer than two students.
        students: readable in both.
        same_network: if false, a difference may come from the network.
    """

    first: LessonInfo
    second: LessonInfo
    states: list[str]
    share: Floats
    change: Floats
    low: Floats
    high: Floats
    students: int
    same_network: bool


def compare(first: Profile, second: Profile, minimum: int = 1) -> Comparison:
    """Compare two lessons, student by student.

    Certainty: Student's t over the students' own differences; an interval that does not contain 0 is more than chance.
    Rooms, light and topics also differ between lessons, so it does not show what caused the difference.

    Args:
        minimum: least number of students for which values are given (5 in the whole-class view).
    """
    states = all_states([first.states, second.states])
    read = [{n for n, s in zip(p.students, p.readable, strict=True) if s >= LEAST_SECONDS} for p in (first, second)]
    both = sorted(read[0] & read[1])
    share = np.full((len(states), 2), np.nan)
    change, half = np.full(len(states), np.nan), np.full(len(states), np.nan)
    if len(both) >= max(1, minimum):
        values = [align(p.states, states, p.share[[p.students.index(n) for n in both]]) for p in (first, second)]
        share = np.stack([value.mean(axis=0) for value in values], axis=1)
        change = share[:, 1] - share[:, 0]
        half = _half_width(values[1] - values[0], looks=len(states))
    same = first.info.network == second.info.network
    return Comparison(first.info, second.info, states, share, change, change - half, change + half, len(both), same)


def _half_width(values: Floats, looks: int = 1) -> Floats:
    """Half the width of Student's 95 % interval around the mean over rows, shape (columns,); NaN for a single row."""
    count = len(values)
    if count < 2:
        return np.full(values.shape[1], np.nan)
    quantile = special.stdtrit(count - 1, 1 - 0.025 / looks)
    return np.asarray(quantile * values.std(axis=0, ddof=1) / np.sqrt(count))
