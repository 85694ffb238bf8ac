"""How soon somebody who comes back is known again, and whether names jump on a track."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from fewshot.data.scoring import Observation, has_right_name
from fewshot.data.truth import Truth
from fewshot.types import FrameResult

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
