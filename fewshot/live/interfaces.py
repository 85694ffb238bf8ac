"""What the loop is made of, handed in: who sees, who reads, who knows the students; and what comes out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

from fewshot.live.readings import Match
from fewshot.live.sources.base import CapturedFrame
from fewshot.types import Face, Frame, FrameResult, Vectors

if TYPE_CHECKING:
    from fewshot.prototypes.classifier import Verdict


class Reader(Protocol):
    """Vectors to emotions, by each student's own prototypes (``fewshot.prototypes.classifier.Classifier``)."""

    def read(self, vectors: Vectors, students: Sequence[str | None]) -> Sequence[Verdict]: ...


class Students(Protocol):
    """Who a track is. Keys are opaque here: the loop knows no names. Faces of single pictures have track -1."""

    def wanted(self, tracks: Sequence[int], faces: Sequence[Face], time: float) -> list[int]: ...

    def assign(self, faces: Sequence[Face], time: float) -> Sequence[Match]: ...

    def forget(self, alive: Collection[int]) -> None: ...


class Strangers:
    """``Students`` of a class that nobody is enrolled in: identity is not looked at."""

    def wanted(self, tracks: Sequence[int], faces: Sequence[Face], time: float) -> list[int]:
        return []

    def assign(self, faces: Sequence[Face], time: float) -> Sequence[Match]:
        return [(None, None)] * len(faces)

    def forget(self, alive: Collection[int]) -> None:
        """Nothing is remembered."""


class Step(NamedTuple):
    """One frame's outcome. ``faces`` belong to ``result.readings`` one by one; their boxes are pixels of ``frame``."""

    result: FrameResult
    frame: Frame
    faces: list[Face]


@dataclass(slots=True)
class Sighting:
    """A frame on its way through the loop.

    Attributes:
        captured: the frame.
        faces: that were found in it.
        start: when work on it began, by ``perf_counter``.
        seconds: of every stage so far.
        time: steady seconds, see ``SteadyClock``.
        tracks: number of every face.
        alive: tracks that are seen or remembered.
        chosen: faces whose turn it is to be embedded.
    """

    captured: CapturedFrame
    faces: list[Face]
    start: float
    seconds: dict[str, float]
    time: float = 0.0
    tracks: list[int] = field(default_factory=list)
    alive: set[int] = field(default_factory=set)
    chosen: list[Face] = field(default_factory=list)
