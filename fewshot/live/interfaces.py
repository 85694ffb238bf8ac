"""The parts that a loop is given (classification, students), and the results that it produces."""

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
    """Classifies vectors with each student's own prototypes (``fewshot.prototypes.classifier.Classifier``)."""

    def read(self, vectors: Vectors, students: Sequence[str | None]) -> Sequence[Verdict]: ...


class Students(Protocol):
    """Tells which student a track shows. For the loop, keys have no meaning. Faces of single pictures have track -1."""

    def wanted(self, tracks: Sequence[int], faces: Sequence[Face], time: float, /) -> list[int]: ...

    def assign(self, faces: Sequence[Face], time: float, /) -> Sequence[Match]: ...

    def forget(self, alive: Collection[int]) -> None: ...

    def deny(self, track: int, student: str, denied: bool = True) -> None: ...


class SeesFrames(Protocol):
    """Looks at every frame before its faces get names, for example at the labels of a call."""

    def see(self, frame: Frame, faces: Sequence[Face], time: float, /) -> None: ...

    def see_picture(self, frame: Frame, faces: Sequence[Face], /) -> None: ...


class Strangers:
    """``Students`` without any student: no identity vector is computed."""

    def wanted(self, _tracks: Sequence[int], _faces: Sequence[Face], _time: float) -> list[int]:
        """No face needs an identity vector."""
        return []

    def assign(self, faces: Sequence[Face], _time: float) -> Sequence[Match]:
        """(None, None) for every face, because no student is recognised."""
        return [(None, None)] * len(faces)

    def forget(self, alive: Collection[int]) -> None:
        """Nothing is remembered."""

    def deny(self, track: int, student: str, denied: bool = True) -> None:
        """There is no name to deny."""


class Step(NamedTuple):
    """The result of one frame. ``faces`` and ``result.readings`` have the same order; boxes are pixels of ``frame``."""

    result: FrameResult
    frame: Frame
    faces: list[Face]


@dataclass(slots=True)
class Sighting:
    """A frame on its way through the loop.

    Attributes:
        captured: the frame.
        faces: the faces found in it.
        start: when processing began (``perf_counter``).
        seconds: duration of every stage so far.
        time: time of the frame in steady seconds, see ``SteadyClock``.
        tracks: track number of every face.
        alive: tracks that are visible or still remembered.
        chosen: faces that are embedded in this frame.
        unchanged: readable faces that keep the vector of an earlier frame.
        ages: track of each of these -> seconds since its vector was computed.
    """

    captured: CapturedFrame
    faces: list[Face]
    start: float
    seconds: dict[str, float]
    time: float = 0.0
    tracks: list[int] = field(default_factory=list)
    alive: set[int] = field(default_factory=set)
    chosen: list[Face] = field(default_factory=list)
    unchanged: list[Face] = field(default_factory=list)
    ages: dict[int, float] = field(default_factory=dict)
