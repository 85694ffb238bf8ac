"""Lessons that nobody held: plausible readings of a made-up class, for tests, figures and false alarm rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from fewshot.session.lesson import UNREADABLE, UNSURE, Correction, Lesson, LessonInfo, Marker, Readings
from fewshot.types import EMOTIONS

LABELS = (*EMOTIONS, "confused", "concentrating")
USUAL = {
    "neutral": 0.44,
    "concentrating": 0.2,
    "happy": 0.14,
    "confused": 0.07,
    "surprise": 0.05,
    "sad": 0.05,
    "angry": 0.02,
    "fear": 0.02,
    "disgust": 0.01,
}
NAMES = (
    "Asha", "Bela", "Chloé", "Dmitri", "Emre", "Fatima", "Goran", "Hana", "Ines", "João", "Kofi", "Lena", "Mateo",
    "Nadia", "Óscar", "Priya", "Quentin", "Rosa", "Siddharth", "Tomás", "Ulla", "Viktor", "Wanjiru", "Xenia", "Yusuf",
    "Zoë", "Ωmega", "王小明", "हिमांशु", "Анна", "سارة", "Maximiliane-Charlotte", "Li", "Noor", "Oluwaseun", "Pia",
    "Rafael", "Sakura", "Thảo", "Umar", "Vera", "William", "Ximena", "Yara", "Zbigniew", "Amélie",
    "Björn", "Camila", "Daniel",
)  # fmt: skip
AWAY_CODE, BOUT = -3, 25.0
FLAT = "flat"
"""As ``Planted.state``: faces are neutral and still most of the time, and turned away or gone for a quarter of it."""


@dataclass(frozen=True, slots=True)
class Planted:
    """Something that happens: for ``seconds`` from ``start``, ``share`` of the students show ``state``.

    Attributes:
        state: a label, or ``FLAT``.
        who: the only student to whom it happens; "" for ``share`` of the class.
    """

    start: int
    seconds: int
    state: str
    share: float
    who: str = ""


def make_lesson(
    students: int = 49,
    seconds: int = 2700,
    seed: int = 0,
    planted: Sequence[Planted] = (),
    unlike: Mapping[str, Mapping[str, float]] | None = None,
    number: int = 1,
    labels: Sequence[str] = LABELS,
    absent: bool = True,
    counts_only: bool = False,
) -> Lesson:
    """A lesson of a made-up class. The same class (names, habits) for every ``seed``, another day.

    Each student has habits of their own (Dirichlet around ``USUAL``) and shows states in bouts (gamma, mean 25 s),
    independently of everybody else but for what is ``planted``; is unsure, unreadable or away for bouts of their own.

    Args:
        planted: events of the whole class.
        unlike: for students, states of which they show more that day: share of their time.
        number: id of the lesson; lessons are a week apart.
        absent: students come late and go away now and then.
        counts_only: keep nothing of any student, as an aggregate lesson does.
    """
    names = sorted((NAMES[i] if i < len(NAMES) else f"Student {i + 1}" for i in range(students)), key=str.casefold)
    day, habits = np.random.default_rng([seed, number]), np.random.default_rng(7)
    usual = np.array([USUAL.get(label, 0.02) for label in labels])
    own = habits.dirichlet(usual / usual.sum() * 12, size=students)
    shown = np.full((students, seconds), AWAY_CODE, np.int32)
    for row, name in enumerate(names):
        today = day.dirichlet(own[row] * 60 + 0.02)
        for state, share in (unlike or {}).get(name, {}).items():
            today = today * (1 - share)
            today[list(labels).index(state)] += share
        shown[row] = _student(today, seconds, day, absent)
    still = np.zeros(shown.shape, bool)
    for event in planted:
        _plant(shown, still, event, list(labels), day, names)
    if counts_only:
        return _lesson([], labels, Readings.empty(len(labels)), seconds, number, _counts(shown, len(labels)))
    return _lesson(names, labels, _rows(shown, len(labels), day, still), seconds, number)


def _student(today: NDArray[np.float64], seconds: int, day: np.random.Generator, absent: bool) -> NDArray[np.int32]:
    """One student's lesson: index of the label, or -1, -2, -3 (away), shape (seconds,)."""
    row = _bouts(day.choice(len(today), 4 * seconds // int(BOUT) + 9, p=today).astype(np.int32), BOUT, seconds, day)
    for code, rate, mean in ((UNSURE, 0.12, 6.0), (UNREADABLE, 0.05, 15.0), (AWAY_CODE, 0.04, 60.0)):
        if code != AWAY_CODE or absent:
            hidden = _bouts((day.random(4 * seconds // int(mean) + 9) < rate).astype(np.int32), mean, seconds, day)
            row[hidden > 0] = code
    if absent and day.random() < 0.15:
        row[: int(day.integers(30, 400))] = AWAY_CODE
    return row


def _bouts(states: NDArray[np.int32], mean: float, seconds: int, day: np.random.Generator) -> NDArray[np.int32]:
    lengths = np.maximum(1, day.gamma(2.0, mean / 2, len(states))).astype(int)
    return np.resize(np.repeat(states, lengths), seconds).astype(np.int32)


def _plant(
    shown: NDArray[np.int32],
    still: NDArray[np.bool_],
    event: Planted,
    labels: list[str],
    day: np.random.Generator,
    names: Sequence[str],
) -> None:
    rows = [names.index(event.who)] if event.who else np.flatnonzero(day.random(len(shown)) < event.share)
    for row in rows:
        start, end = event.start + day.integers(-8, 9), event.start + event.seconds + day.integers(-8, 9)
        part = shown[row, max(0, start) : end]
        if event.state == FLAT:
            still[row, max(0, start) : end] = True
            part[(part >= 0) & (day.random(len(part)) < 0.8)] = labels.index("neutral")
            away = _bouts((day.random(len(part) + 9) < 0.25).astype(np.int32), 8.0, len(part), day) > 0
            part[away] = UNREADABLE if day.random() < 0.7 else AWAY_CODE
        else:
            part[(part >= 0) & (day.random(len(part)) < 0.85)] = labels.index(event.state)


def _rows(shown: NDArray[np.int32], labels: int, day: np.random.Generator, still: NDArray[np.bool_]) -> Readings:
    second, student = np.nonzero(shown.T > AWAY_CODE)
    emotion = shown[student, second]
    count = len(second)
    readable = np.where(emotion == UNREADABLE, 0, day.integers(4, 9, count))
    confidence = np.where(emotion >= 0, 0.55 + 0.4 * day.random(count), 0.25 + 0.15 * day.random(count))
    # A face that does not move gives nearly the same reading in every second.
    confidence = np.where(still[student, second] & (emotion >= 0), 0.75 + 0.2 * (confidence - 0.75), confidence)
    probabilities = np.repeat(((1 - confidence) / (labels - 1))[:, None], labels, axis=1)
    top = np.where(emotion >= 0, emotion, day.integers(0, labels, count))
    probabilities[np.arange(count), top] = confidence
    probabilities[emotion == UNREADABLE] = 0
    confidence[emotion == UNREADABLE] = np.nan
    faces = np.maximum(readable, 1).astype(np.int32)
    floats = confidence.astype(np.float32), probabilities.astype(np.float32)
    whole = second.astype(np.int32), student.astype(np.int32), faces, readable.astype(np.int32), faces
    return Readings(*whole, emotion, *floats)


def _counts(shown: NDArray[np.int32], labels: int) -> NDArray[np.int32]:
    """People by state, "unsure" and "not readable" last, as an aggregate lesson keeps them: none under five people."""
    codes = [*range(labels), UNSURE, UNREADABLE]
    counts = np.stack([(shown == code).sum(axis=0) for code in codes], axis=1).astype(np.int32)
    counts[counts.sum(axis=1) < 5] = 0
    return counts


def _lesson(
    names: list[str],
    labels: Sequence[str],
    rows: Readings,
    seconds: int,
    number: int,
    kept: NDArray[np.int32] | None = None,
) -> Lesson:
    start = datetime(2026, 9, 7, 8, 15, tzinfo=UTC) + timedelta(weeks=number - 1)
    end = start + timedelta(seconds=seconds)
    info = LessonInfo(
        id=number, classroom="physics", title=f"Physics, week {number}", started=start, ended=end, state="ended",
        source="made up", network="made-up 1", sample=True, seconds=float(seconds), aggregate=kept is not None,
    )  # fmt: skip
    marks = [(0.09, "homework"), (0.31, "exercise 1"), (0.33, "group work"), (0.55, "exercise 2"), (0.87, "summary")]
    markers = [Marker(i + 1, round(share * seconds), text) for i, (share, text) in enumerate(marks)]
    said = Correction(1, seconds / 3, names[0], "confused", "concentrating", end, False) if names else None
    return Lesson(info, names, list(labels), rows, np.full(seconds, 8, np.int32), markers, [said] if said else [], kept)
