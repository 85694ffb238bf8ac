"""The loop: one frame in, one result out. Who is who and what a vector means is handed in."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from fewshot.faces.tracker import Tracker
from fewshot.live.smoothing import Smoother
from fewshot.live.sources.base import Shot, Source
from fewshot.live.times import StageTimes
from fewshot.types import Face, Frame, FrameResult, Reading, Vectors

if TYPE_CHECKING:
    from fewshot.prototypes.classifier import Verdict

_Match = tuple[str | None, float | None]


class Perceiving(Protocol):
    """What the loop needs of ``fewshot.perception.Perception``; ``times`` holds seconds a stage of the latest frame."""

    times: dict[str, float]

    def look(self, frame: Frame) -> list[Face]: ...

    def identify(self, frame: Frame, faces: Sequence[Face]) -> None: ...


class Reader(Protocol):
    """Vectors to emotions, by each student's own prototypes (``fewshot.prototypes.classifier.Classifier``)."""

    def read(self, vectors: Vectors, students: Sequence[str | None]) -> Sequence[Verdict]: ...


class Students(Protocol):
    """Who a track is. Keys are opaque here: the loop knows no names. Faces of single pictures have track -1."""

    def wanted(self, tracks: Sequence[int], faces: Sequence[Face], time: float) -> list[int]: ...

    def assign(self, faces: Sequence[Face], time: float) -> Sequence[_Match]: ...

    def forget(self, alive: Collection[int]) -> None: ...


class Strangers:
    """``Students`` of a class that nobody is enrolled in: identity is not looked at."""

    def wanted(self, tracks: Sequence[int], faces: Sequence[Face], time: float) -> list[int]:
        return []

    def assign(self, faces: Sequence[Face], time: float) -> Sequence[_Match]:
        return [(None, None)] * len(faces)

    def forget(self, alive: Collection[int]) -> None:
        """Nothing is remembered."""


class Step(NamedTuple):
    """One frame's outcome. ``faces`` belong to ``result.readings`` one by one; their boxes are pixels of ``frame``."""

    result: FrameResult
    frame: Frame
    faces: list[Face]


class Loop:
    """Reads sources frame by frame. One loop is one run: track numbers go on from source to source.

    Args:
        perception: frame to faces with expression vectors, and identity vectors on request.
        reader: vectors to verdicts.
        students: tracks to students; None when nobody is enrolled.
        smoother: None takes the usual one; ``Smoother(0)`` smooths nothing.
        tracker: None takes a fresh one.

    Attributes:
        times: seconds of every stage.

    Example:
        >>> for result, frame, faces in loop.run(open_source("lesson.mp4")):  # doctest: +SKIP
        ...     print(result.index, [reading.emotion for reading in result.readings])
    """

    def __init__(
        self,
        perception: Perceiving,
        reader: Reader,
        students: Students | None = None,
        smoother: Smoother | None = None,
        tracker: Tracker | None = None,
    ) -> None:
        self.times = StageTimes()
        self._perception, self._reader = perception, reader
        self._students: Students = students or Strangers()
        self._smoother, self._tracker = smoother or Smoother(), tracker or Tracker()

    def run(self, source: Source) -> Iterator[Step]:
        """Every frame of a source, to its end. The source is closed whatever happens."""
        try:
            self._forget()
            for shot in source:
                yield self.step(shot)
        finally:
            source.close()

    def step(self, shot: Shot) -> Step:
        """One frame."""
        start = perf_counter()
        if shot.independent:
            self._forget()
        faces = self._perception.look(shot.frame)
        tracks = self._track(faces, shot)
        matches = self._match(faces, shot)
        for face, track in zip(faces, tracks, strict=True):
            face.track = track
        with self.times.measure("classify"):
            readings = self._read(faces, matches, shot)
        self.times.merge(self._perception.times)
        self.times.add("total", perf_counter() - start)
        if not shot.independent:
            alive = self._tracker.alive()
            self._students.forget(alive)
            self._smoother.forget(alive)
        width, height = shot.size or (shot.frame.shape[1], shot.frame.shape[0])
        result = FrameResult(shot.source, shot.index, shot.time, width, height, tuple(readings))
        return Step(result, shot.frame, faces)

    def _forget(self) -> None:
        """Carry nothing over; the tracker goes on counting."""
        self._tracker.reset()
        self._students.forget(())
        self._smoother.forget(())

    def _track(self, faces: list[Face], shot: Shot) -> list[int]:
        """Number the faces. Those of a single picture keep track -1 until they are matched: there is no track."""
        with self.times.measure("track"):
            boxes = np.array([face.box for face in faces], np.float32).reshape(-1, 4)
            scores = np.array([face.score for face in faces], np.float32)
            tracks = [int(track) for track in self._tracker.update(boxes, scores, shot.time)]
        if not shot.independent:
            for face, track in zip(faces, tracks, strict=True):
                face.track = track
        return tracks

    def _match(self, faces: list[Face], shot: Shot) -> Sequence[_Match]:
        wanted = self._students.wanted([face.track for face in faces], faces, shot.time)
        if wanted:
            self._perception.identify(shot.frame, [faces[index] for index in wanted])
        return self._students.assign(faces, shot.time)

    def _read(self, faces: list[Face], matches: Sequence[_Match], shot: Shot) -> list[Reading]:
        verdicts = self._classify(faces, [student for student, _ in matches])
        readings = []
        for index, (face, match) in enumerate(zip(faces, matches, strict=True)):
            verdict, age = self._verdict(face, match[0], verdicts.get(index), shot)
            readings.append(_reading(face, match, verdict, age, _box(face, shot)))
        return readings

    def _classify(self, faces: list[Face], students: Sequence[str | None]) -> Mapping[int, Verdict]:
        """Verdicts on all faces that have an expression vector, in one batch, by index."""
        readable = [(i, face.expression) for i, face in enumerate(faces) if face.quality.ok]
        vectors = {i: vector for i, vector in readable if vector is not None}
        if not vectors:
            return {}
        verdicts = self._reader.read(np.stack(list(vectors.values())), [students[i] for i in vectors])
        return dict(zip(vectors, verdicts, strict=True))

    def _verdict(
        self, face: Face, student: str | None, verdict: Verdict | None, shot: Shot
    ) -> tuple[Verdict | None, float]:
        """The smoothed verdict and the age of its crop; None where the crop cannot be read."""
        if shot.independent:
            return verdict, 0.0
        if verdict is not None:
            return self._smoother.smooth(face.track, student, verdict, shot.time), 0.0
        # A readable face without a vector: perception had no time for it in this frame. What was seen last holds.
        held = self._smoother.held(face.track, student) if face.quality.ok else None
        return (held[0], shot.time - held[1]) if held else (None, 0.0)


def _box(face: Face, shot: Shot) -> tuple[float, float, float, float]:
    """The face's box in pixels of the source, inside it, at least one pixel wide and high."""
    height, width = shot.frame.shape[:2]
    source_width, source_height = shot.size or (width, height)
    x0, y0, x1, y1 = (float(value) for value in face.box)
    x0, x1 = _span(x0 * source_width / width, x1 * source_width / width, source_width)
    y0, y1 = _span(y0 * source_height / height, y1 * source_height / height, source_height)
    return x0, y0, x1, y1


def _span(low: float, high: float, limit: int) -> tuple[float, float]:
    low = min(max(low, 0.0), limit - 1.0)
    return low, min(max(high, low + 1.0), float(limit))


def _reading(
    face: Face, match: _Match, verdict: Verdict | None, age: float, box: tuple[float, float, float, float]
) -> Reading:
    student, score = match
    if verdict is None:
        return Reading(face.track, box, face.score, student, score, age=age)
    return Reading(
        track=face.track,
        box=box,
        score=face.score,
        student=student,
        identity_score=score,
        emotion=verdict.emotion,
        confidence=verdict.confidence,
        probabilities=verdict.probabilities,
        prototypes=verdict.prototypes,
        age=age,
    )
