"""What the live page shows: every student's latest state, the last minutes, and the mood of the class."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field

from fewshot.app.palette import AWAY, NOT_READABLE, UNSURE
from fewshot.types import EMOTIONS, Frame, FrameResult, Reading

BUCKET = 5.0
"""Seconds per bar of a sparkline and per step of the mood."""
BARS = 36
"""Bars per sparkline: the last three minutes."""
LOST_AFTER = 2.0
"""Seconds after which a student who is no longer seen counts as not in view."""
FEWEST = 5
"""The mood of the class is shown only for at least this many people: with fewer it could reveal one person."""
_MOST_STEPS = 4096


@dataclass(frozen=True, slots=True)
class Bar:
    """What a student showed most in one bucket, and its confidence (0 if no state is named)."""

    state: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Tile:
    """One student now.

    Attributes:
        state: an emotion, a state of the student's own, or "unsure", "not readable", "not in view".
        confidence: of the nearest prototype, 0..1, also if the state is "unsure"; None if the face was not read.
        age: seconds since the student was last seen; None if never.
        bars: the last minutes, oldest first.
        prototypes: which prototypes decided: "personal", "class" or "population".
    """

    student: str
    state: str
    confidence: float | None
    age: float | None
    bars: tuple[Bar, ...]
    prototypes: str = "population"


@dataclass(frozen=True, slots=True)
class MoodStep:
    """The class in one bucket: the mean number of people in view, and of people per state.

    Attributes:
        second: middle of the bucket.
        people: mean number of people in view and readable.
        counts: mean number of people per state, including "unsure".
    """

    second: float
    people: float
    counts: dict[str, float]

    def share(self, states: Iterable[str]) -> float:
        """Share of the people, 0..1; 0 if there are none."""
        return sum(self.counts.get(state, 0.0) for state in states) / self.people if self.people else 0.0


@dataclass(frozen=True, slots=True)
class BoardView:
    """Everything at one moment; it never changes.

    Attributes:
        second: of the lesson.
        tiles: in the order of the class.
        unknown: faces in view that are not of enrolled students.
        in_view: people in view now (all faces if the class has no students).
        mood: the whole lesson in buckets; empty if fewer than FEWEST people are in the class.
    """

    second: float
    tiles: tuple[Tile, ...]
    unknown: int
    in_view: int
    mood: tuple[MoodStep, ...]


@dataclass(slots=True)
class _Bucket:
    """Sums over the frames of one bucket."""

    frames: int = 0
    people: int = 0
    counts: dict[str, int] = field(default_factory=dict)


class _Row:
    """One student: the latest reading, and the counts of the current bucket."""

    __slots__ = ("bars", "confidences", "counts", "latest", "seen", "started")

    def __init__(self) -> None:
        self.latest: Reading | None = None
        self.seen = -1.0
        self.bars: list[Bar] = []
        self.started = 0
        self.counts: dict[str, int] = {}
        self.confidences: dict[str, float] = {}

    def count(self, state: str, confidence: float) -> None:
        self.counts[state] = self.counts.get(state, 0) + 1
        self.confidences[state] = self.confidences.get(state, 0.0) + confidence

    def finish(self) -> None:
        """Turn the counts into a bar."""
        self.bars = [*self.bars[-(BARS - 1) :], self.current()]
        self.counts, self.confidences = {}, {}

    def current(self) -> Bar:
        if not self.counts:
            return Bar(AWAY, 0.0)
        state = max(self.counts, key=lambda key: self.counts[key])
        return Bar(state, self.confidences[state] / self.counts[state])


class Board:
    """Takes in results in one thread; other threads read it.

    Args:
        students: those who have a tile, in order; empty for a lesson without a class.
    """

    def __init__(self, students: Sequence[str]) -> None:
        self._lock = threading.Lock()
        self._rows = {student: _Row() for student in students}
        self._second, self._bucket = 0.0, 0
        self._unknown = self._in_view = 0
        self._mood: dict[int, _Bucket] = {}

    def add(self, result: FrameResult, second: float | None = None) -> None:
        """Take in one frame; ``second`` of the lesson if it is not the result's own time."""
        with self._lock:
            self._second = result.time if second is None else second
            self._turn(int(self._second / BUCKET))
            best = _surest(result.readings)
            for student, reading in best.items():
                if student in self._rows:
                    row = self._rows[student]
                    row.latest, row.seen = reading, self._second
                    row.count(state_of(reading), reading.confidence or 0.0)
            self._unknown = sum(reading.student not in self._rows for reading in result.readings)
            people = [r for s, r in best.items() if s in self._rows] if self._rows else list(result.readings)
            self._in_view = len(people)
            self._count(people)

    def admit(self, student: str) -> None:
        """Give a student a tile, the last one, from the next result on; nothing changes if there is one."""
        with self._lock:
            self._rows.setdefault(student, _Row())

    def keep(self, students: Collection[str]) -> None:
        """Drop the tiles of all other students."""
        with self._lock:
            self._rows = {student: row for student, row in self._rows.items() if student in students}

    def reading(self, student: str) -> Reading | None:
        """The present reading of a student; None if the student is not in view, or has no tile."""
        with self._lock:
            row = self._rows.get(student)
            return row.latest if row is not None and self._second - row.seen <= LOST_AFTER else None

    def clear(self, student: str) -> None:
        """Empty a tile: what it showed was somebody else's."""
        with self._lock:
            if student in self._rows:
                self._rows[student] = _Row()

    def view(self) -> BoardView:
        """The present state."""
        with self._lock:
            tiles = tuple(self._tile(student, row) for student, row in self._rows.items())
            return BoardView(self._second, tiles, self._unknown, self._in_view, self._mood_steps())

    def _turn(self, bucket: int) -> None:
        """Close the buckets before ``bucket``; several at once after a pause."""
        steps = bucket - self._bucket
        if steps <= 0:
            return
        for row in self._rows.values():
            for _ in range(min(steps, BARS)):
                row.finish()
        self._bucket = bucket

    def _count(self, people: Iterable[Reading]) -> None:
        bucket = self._mood.setdefault(self._bucket, _Bucket())
        if len(self._mood) > _MOST_STEPS:  # five and a half hours: forget the beginning
            del self._mood[next(iter(self._mood))]
        bucket.frames += 1
        for reading in people:
            state = state_of(reading)
            if state != NOT_READABLE:
                bucket.people += 1
                bucket.counts[state] = bucket.counts.get(state, 0) + 1

    def _tile(self, student: str, row: _Row) -> Tile:
        bars = (*row.bars[-(BARS - 1) :], row.current())
        if row.latest is None:
            return Tile(student, AWAY, None, None, bars)
        age = max(0.0, self._second - row.seen)
        if age > LOST_AFTER:
            return Tile(student, AWAY, None, age, bars)
        reading = row.latest
        return Tile(student, state_of(reading), reading.confidence, age, bars, reading.prototypes)

    def _mood_steps(self) -> tuple[MoodStep, ...]:
        if self._rows and len(self._rows) < FEWEST:
            return ()
        steps = []
        for number, bucket in self._mood.items():
            people = bucket.people / bucket.frames if bucket.frames else 0.0
            if people < FEWEST:
                people, counts = 0.0, {}
            else:
                counts = {state: count / bucket.frames for state, count in bucket.counts.items()}
            steps.append(MoodStep((number + 0.5) * BUCKET, people, counts))
        return tuple(steps)


class BoardSink:
    """Passes every result of a run to the board.

    Args:
        board: gets the results.
        then: called after each result with its second.
        shown: the result as it may be shown.
    """

    def __init__(
        self, board: Board, then: Callable[[float], None], shown: Callable[[FrameResult], FrameResult]
    ) -> None:
        self._board, self._then, self._shown = board, then, shown

    def write(self, result: FrameResult, _frame: Frame | None = None) -> None:
        """Show one result."""
        self._board.add(self._shown(result))
        self._then(result.time)

    def close(self) -> None:
        """Nothing is held open."""


def state_of(reading: Reading) -> str:
    """The word for a reading."""
    if not reading.probabilities:
        return NOT_READABLE
    return reading.emotion or UNSURE


def states_in(mood: Sequence[MoodStep]) -> tuple[str, ...]:
    """States that occur: the seven emotions first, then students' own states, "unsure" last."""
    seen = {state for step in mood for state in step.counts}
    own = sorted(seen - {*EMOTIONS, UNSURE})
    return (*(e for e in EMOTIONS if e in seen), *own, *((UNSURE,) if UNSURE in seen else ()))


def _surest(readings: Iterable[Reading]) -> dict[str, Reading]:
    """One reading per student: if two faces have one name, the one with the higher confidence."""
    best: dict[str, Reading] = {}
    for reading in readings:
        if reading.student is not None:
            other = best.get(reading.student)
            if other is None or (reading.confidence or 0.0) > (other.confidence or 0.0):
                best[reading.student] = reading
    return best
