"""What the looks at one track say about who it is."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from fewshot.classroom.thresholds import IdentityThresholds
from fewshot.types import Quality, Vectors
from fewshot.unit_vectors import unit_rows

VOTES = 4
"""Frames that decide who a track is ..."""
SPAN = 0.3
"""... and the seconds they must at least span; or this many, if already the first one was sure:"""
VOTES_IF_SURE = 2
PATIENCE = 1.0
"""Seconds after which a track is decided on whatever frames there were."""
DOUBTS = 3
"""IdentityEvidence in a row that contradict a track before it is decided anew."""
MEMORY = 8.0
"""IdentityEvidence that a track's mean remembers."""


def quality_weight(quality: Quality) -> float:
    """How much a face's identity vector counts, 0.05..1: large, sharp, frontal faces most."""
    size = min(quality.size / 80.0, 1.0)
    frontal = float(np.cos(np.radians(min(abs(quality.yaw), 80.0))))
    return max(0.05, size * max(quality.sharpness, 0.1) * frontal)


@dataclass(slots=True)
class IdentityEvidence:
    """What is known about who one track is.

    Attributes:
        total: weighted sum of its identity vectors, shape (k,); ``weight`` is the sum of the weights.
        first, last: seconds of the first and the latest look.
        seen, frame: when it was in view last, seconds, and number of the frame.
        looks: how many there were.
        doubts: latest looks, with weights, that contradict the others.
        suspect: something happened to the track: one look that contradicts is enough.
        unlike: that look showed somebody else, on a face too poor to say who: nobody is named until a better one.
        student: who it is taken for.
        sure: one look was enough to say so.
        scores: similarity to every student, shape (m,); None when there was a look since they were computed.
    """

    total: Vectors
    weight: float
    first: float
    last: float
    seen: float
    frame: int
    looks: int = 1
    doubts: list[tuple[Vectors, float]] = field(default_factory=list)
    suspect: bool = False
    unlike: bool = False
    student: str | None = None
    sure: bool = False
    scores: Vectors | None = None

    def mean(self) -> Vectors:
        return unit_rows(self.total)

    def voted(self) -> bool:
        """Were there enough looks?"""
        if self.student is not None and (self.sure or self.looks >= VOTES_IF_SURE):
            return True
        return self.looks >= VOTES and self.last - self.first >= SPAN

    def decided(self, time: float) -> bool:
        return self.voted() or time - self.first >= PATIENCE

    def glance(self, vector: Vectors, time: float, known: IdentityThresholds) -> None:
        """One look at a face too poor to be read: it may say that this is somebody else, but not who."""
        self.last = time
        if self.suspect:
            self.suspect = self.unlike = float(vector @ self.mean()) < known.same

    def add(self, vector: Vectors, weight: float, time: float, known: IdentityThresholds) -> None:
        """Count one look; after ``DOUBTS`` in a row that show somebody else, start again from those."""
        self.last = time
        if float(vector @ self.mean()) < (known.still if self.suspect else known.same):
            self.doubts.append((vector, weight))
            if self.suspect or len(self.doubts) >= DOUBTS:
                self._restart(time)
            return
        self.doubts.clear()
        self.suspect = self.unlike = False
        fade = min(1.0, MEMORY / (self.weight + weight))
        self.total = (self.total + weight * vector) * np.float32(fade)
        self.weight = (self.weight + weight) * fade
        self.looks += 1
        self.scores = None

    def _restart(self, time: float) -> None:
        self.total = np.sum([weight * vector for vector, weight in self.doubts], axis=0).astype(np.float32)
        self.weight = sum(weight for _, weight in self.doubts)
        self.first, self.looks, self.student = time, len(self.doubts), None
        self.doubts, self.scores = [], None
        self.suspect = self.unlike = self.sure = False
