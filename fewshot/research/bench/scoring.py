"""How well results agree with the truth of a virtual classroom: faces, identities, emotions.

The denominator of every accuracy is true face-frames (one face in one frame). A face that was not found, a student who
was called unknown and an emotion that was called unsure are all wrong.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from fewshot.faces.boxes import pairwise_iou
from fewshot.faces.pairing import best_pairs
from fewshot.research.simulation.truth import TrueFace, Truth
from fewshot.types import FrameResult, Reading

OVERLAP = 0.5


@dataclass(frozen=True, slots=True)
class Observation:
    """One true face in one frame, and what was said about it (None: not found)."""

    frame: int
    true: TrueFace
    reading: Reading | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """All true face-frames of a video, and how many faces were found where there is none."""

    observations: list[Observation]
    false_faces: int
    frames: int


@dataclass(frozen=True, slots=True)
class Share:
    """A share of face-frames with its 95 % interval (bootstrap over subjects); NaN if there is nothing to count."""

    value: float
    low: float
    high: float
    count: int

    def __str__(self) -> str:
        if not self.count:
            return "-"
        return f"{100 * self.value:.1f} ({100 * self.low:.1f}-{100 * self.high:.1f})"


def match(true: NDArray[np.floating], found: NDArray[np.floating], least: float = OVERLAP) -> list[tuple[int, int]]:
    """Pairs (true, found) one to one with the largest total overlap, each of at least ``least``."""
    table = pairwise_iou(np.asarray(true, np.float64), np.asarray(found, np.float64))
    # What is below the limit must not pull a pair apart that is above it.
    table = np.where(table >= least, table, 0.0)
    rows, columns = best_pairs(table, 0.0)
    return list(zip(rows.tolist(), columns.tolist(), strict=True))


def compare(truth: Truth, results: Iterable[FrameResult]) -> Comparison:
    """Find every true face in the results; a frame that the results lack counts as one in which nothing was found."""
    by_frame = {result.index: result for result in results}
    observations, false_faces = [], 0
    for frame in range(truth.frames):
        true = truth.at(frame)
        readings: Sequence[Reading] = by_frame[frame].readings if frame in by_frame else ()
        pairs = dict(match(np.array([face.box for face in true]), np.array([reading.box for reading in readings])))
        false_faces += len(readings) - len(pairs)
        observations += [
            Observation(frame, face, readings[pairs[row]] if row in pairs else None) for row, face in enumerate(true)
        ]
    return Comparison(observations, false_faces, truth.frames)


def share(
    observations: Iterable[Observation],
    right: Callable[[Observation], bool],
    of: Callable[[Observation], bool] = lambda _: True,
    resamples: int = 2000,
) -> Share:
    """Share of the face-frames in ``of`` that are ``right``.

    Frames of one person are alike, so the interval comes from drawing whole subjects with replacement (percentiles of
    ``resamples`` draws; Efron 1979).
    """
    counted: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for seen in observations:
        if of(seen):
            counted[seen.true.student][0] += right(seen)
            counted[seen.true.student][1] += 1
    if not counted:
        return Share(float("nan"), float("nan"), float("nan"), 0)
    table = np.array(list(counted.values()))
    draws = np.random.default_rng(0).integers(len(table), size=(resamples, len(table)))
    sums = table[draws].sum(axis=1)
    low, high = np.percentile(sums[:, 0] / sums[:, 1], [2.5, 97.5])
    good, total = table.sum(axis=0)
    return Share(float(good / total), float(low), float(high), int(total))


def is_found(seen: Observation) -> bool:
    """Whether a detected face lies on the true one."""
    return seen.reading is not None


def is_enrolled(seen: Observation) -> bool:
    """Whether the person is enrolled."""
    return seen.true.enrolled


def is_stranger(seen: Observation) -> bool:
    """Whether the person is not enrolled."""
    return not seen.true.enrolled


def is_named(seen: Observation) -> bool:
    """Whether the face got a name, right or wrong."""
    return seen.reading is not None and seen.reading.student is not None


def has_right_name(seen: Observation) -> bool:
    """Whether the face got the name of its person."""
    return seen.reading is not None and seen.reading.student == seen.true.student


def has_wrong_name(seen: Observation) -> bool:
    """Whether the face got another person's name."""
    return is_named(seen) and not has_right_name(seen)


def has_right_emotion(seen: Observation) -> bool:
    """Whether the predicted emotion is the true one."""
    return seen.reading is not None and seen.reading.emotion == seen.true.emotion


def is_unsure(seen: Observation) -> bool:
    """Whether the face was found and no emotion was named."""
    return seen.reading is not None and seen.reading.emotion is None


def balanced_emotion_accuracy(observations: Sequence[Observation]) -> float:
    """Mean over the true emotions of the share that is right: rare emotions count as much as frequent ones."""
    groups: dict[str, list[bool]] = defaultdict(list)
    for seen in observations:
        groups[seen.true.emotion].append(has_right_emotion(seen))
    return float(np.mean([np.mean(group) for group in groups.values()])) if groups else float("nan")


def switches(observations: Iterable[Observation], said: Callable[[Reading], object | None]) -> int:
    """How often what is said about one person turns into something else; saying nothing in between does not count.

    Args:
        said: for example the student's name (identity switches), or the number of the track.
    """
    last: dict[int, object] = {}
    count = 0
    for seen in sorted(observations, key=lambda one: one.frame):
        value = said(seen.reading) if seen.reading is not None else None
        if value is None:
            continue
        count += last.get(seen.true.seat, value) != value
        last[seen.true.seat] = value
    return count


AWAY = 0.5
"""Seconds out of view that make a return."""


@dataclass(frozen=True, slots=True)
class Return:
    """An enrolled student came back into view.

    Attributes:
        student: who.
        time: when, seconds.
        known_after: seconds until the right name first stood there; None if it never did.
    """

    student: str
    time: float
    known_after: float | None


def returns(truth: Truth, observations: Sequence[Observation]) -> list[Return]:
    """Every return of an enrolled student, on whatever tile, in order of time."""
    seen: dict[str, dict[int, bool]] = defaultdict(dict)
    for one in observations:
        if one.true.enrolled:
            seen[one.true.student][one.frame] = has_right_name(one)
    found = []
    for student, named in seen.items():
        frames = sorted(named)
        for before, back in pairwise(frames):
            if back - before > AWAY * truth.fps:
                known = next((frame for frame in frames if frame >= back and named[frame]), None)
                after = None if known is None else (known - back) / truth.fps
                found.append(Return(student, back / truth.fps, after))
    return sorted(found, key=lambda one: one.time)


def renamed_tracks(results: Iterable[FrameResult]) -> int:
    """How often the name on a track turned into another name; having none in between does not count."""
    names: dict[int, str] = {}
    count = 0
    for result in results:
        for reading in result.readings:
            if reading.student is not None:
                count += names.get(reading.track, reading.student) != reading.student
                names[reading.track] = reading.student
    return count
