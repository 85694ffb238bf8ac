"""What a fault is tried on, and what is expected of every one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from fewshot.live.loop import Loop
from fewshot.live.pipeline import Pipeline
from fewshot.live.sources import open_source
from fewshot.research.bench import scoring
from fewshot.research.simulation.faulty_sources import Scripted, named
from fewshot.research.simulation.truth import Truth
from fewshot.room import Classroom
from fewshot.session.analysis.words import percent
from fewshot.types import Frame, FrameResult

FPS = 25.0
ENOUGH = 47
"""Of 49 students that are to be named when everything is well."""
RETURN = 0.5
"""Seconds within which those who were lost from sight are to be named again."""


@dataclass(frozen=True, slots=True)
class Check:
    """One expectation: what it is, what was seen, and whether that is well."""

    fault: str
    expected: str
    seen: str
    good: bool

    def row(self) -> dict[str, str]:
        """One row of the table."""
        return {"fault": self.fault, "expected": self.expected, "seen": self.seen, "good": "yes" if self.good else "NO"}


@dataclass(frozen=True, slots=True)
class Stage:
    """What every fault is tried on.

    Attributes:
        video: the lesson, as the virtual classroom draws it; truth: who sits where in it, and shows what.
        room: a class in which everybody of the lesson is enrolled.
        shared: the folder with data/ and models/.
        work: where files may be written.
    """

    video: Path
    truth: Truth
    room: Classroom
    shared: Path
    work: Path

    def frames(self, count: int, every: int = 1) -> list[Frame]:
        """Some of the class's first frames."""
        source = open_source(self.video)
        found = [
            captured.frame for index, captured in zip(range(count * every), source, strict=False) if index % every == 0
        ]
        source.close()
        return found


def results_of(loop: Loop, source: Scripted) -> list[FrameResult]:
    """The results of every frame of a source that ends."""
    return [step.result for step in Pipeline(loop, source).run()]


def known_again(fault: str, results: list[FrameResult]) -> Check:
    """How long the class takes to be named in results that begin at its return."""
    expected = f"{ENOUGH} of 49 are named within {RETURN:g} s"
    start = results[0].time if results else 0.0
    for result, names in zip(results, named(results), strict=True):
        if len(names) >= ENOUGH:
            return Check(
                fault, expected, f"{len(names)} after {result.time - start:.2f} s", result.time - start <= RETURN
            )
    most = max((len(names) for names in named(results)), default=0)
    return Check(fault, expected, f"{most} at most", False)


def shifted(truth: Truth, start: int, stop: int, shifts: list[tuple[int, int]]) -> Truth:
    """The truth up to frame ``stop``, after seat k's face was moved by ``shifts[k]`` from frame ``start`` on."""
    seats = []
    for seat, (dx, dy) in zip(truth.seats, shifts, strict=True):
        later = [box and (box[0] + dx, box[1] + dy, box[2] + dx, box[3] + dy) for box in seat.faces[start:stop]]
        seats.append(replace(seat, faces=(*seat.faces[:start], *later)))
    return replace(truth, frames=stop, seats=tuple(seats))


def rightly_named(fault: str, truth: Truth, results: list[FrameResult], start: int) -> Iterator[Check]:
    """After frame ``start``: when the right names stand on the class, and how many wrong ones did until then."""
    right, wrong = Counter[int](), Counter[int]()
    for seen in scoring.compare(truth, results).observations:
        right[seen.frame] += scoring.has_right_name(seen)
        wrong[seen.frame] += scoring.has_wrong_name(seen)
    after = next((frame - start for frame in range(start, truth.frames) if right[frame] >= ENOUGH), None)
    found = f"{max(right[frame] for frame in range(start, truth.frames))} at most"
    if after is not None:
        found = f"after {after / FPS:.2f} s"
    yield Check(
        fault,
        f"{ENOUGH} of 49 have their own name within {RETURN:g} s",
        found,
        after is not None and after / FPS <= RETURN,
    )
    share = sum(wrong[frame] for frame in range(start, truth.frames)) / sum(
        len(truth.at(frame)) for frame in range(start, truth.frames)
    )
    yield Check(fault, "wrong names in 0.5 % of face-frames at most", percent(share, 1), share <= 0.005)
