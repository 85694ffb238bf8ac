"""The identity vectors of one track, summed up: who the track is likely to be."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from fewshot.classroom.thresholds import IdentityThresholds
from fewshot.types import Quality, Vectors
from fewshot.unit_vectors import unit_rows

VOTES = 4
"""Identity vectors that are needed to decide who a track is ..."""
SPAN = 0.3
"""... and the shortest time, in seconds, between the first and the last of them."""
VOTES_IF_SURE = 2
"""Identity vectors that are enough if the first one was sure already."""
PATIENCE = 1.0
"""Seconds after which a track is decided with the vectors it has."""
DOUBTS = 3
"""A track starts again after this many vectors in a row that show a different person."""
MEMORY = 8.0
"""Largest total weight of a track's mean: roughly the number of vectors that it remembers."""


def quality_weight(quality: Quality) -> float:
    """Weight of a face's identity vector, 0.05..1; highest for large, sharp, frontal faces."""
    size = min(quality.size / 80.0, 1.0)
    frontal = float(np.cos(np.radians(min(abs(quality.yaw), 80.0))))
    return max(0.05, size * max(quality.sharpness, 0.1) * frontal)


@dataclass(slots=True)
class IdentityEvidence:
    """What is known about the identity of one track.

    Attributes:
        total: weighted sum of its identity vectors, shape (k,).
        weight: sum of the weights.
        first, last: times of the first and of the latest identity vector, seconds.
        seen, frame: time (seconds) and number of the frame in which the track was last visible.
        count: number of identity vectors.
        doubts: the latest vectors, with weights, that show a different person than the others.
        suspect: the track was interrupted or its picture changed, so one contradicting vector is enough.
        unlike: the latest vector showed a different person, but the face was too poor to say who. No student is named
            until a better one.
        student: the student that the track is assigned to; None for nobody.
        sure: one vector was enough for this assignment.
        scores: similarity to every student, shape (m,); None if a vector was added since they were computed.
    """

    total: Vectors
    weight: float
    first: float
    last: float
    seen: float
    frame: int
    count: int = 1
    doubts: list[tuple[Vectors, float]] = field(default_factory=list)
    suspect: bool = False
    unlike: bool = False
    student: str | None = None
    sure: bool = False
    scores: Vectors | None = None

    def mean(self) -> Vectors:
        """Unit vector of the mean identity vector, shape (k,)."""
        return unit_rows(self.total)

    def voted(self) -> bool:
        """Whether there are enough identity vectors for a decision."""
        if self.student is not None and (self.sure or self.count >= VOTES_IF_SURE):
            return True
        return self.count >= VOTES and self.last - self.first >= SPAN

    def decided(self, time: float) -> bool:
        """Whether the track is decided at ``time`` (seconds): it has enough vectors, or has waited long enough."""
        return self.voted() or time - self.first >= PATIENCE

    def glance(self, vector: Vectors, time: float, known: IdentityThresholds) -> None:
        """Use a vector of an unreadable face: it can show that this is a different person, but not who it is."""
        self.last = time
        if self.suspect:
            self.suspect = self.unlike = float(vector @ self.mean()) < known.same

    def add(self, vector: Vectors, weight: float, time: float, known: IdentityThresholds) -> None:
        """Add a vector; after ``DOUBTS`` vectors in a row that show a different person, start again from those."""
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
        self.count += 1
        self.scores = None

    def _restart(self, time: float) -> None:
        self.total = np.sum([weight * vector for vector, weight in self.doubts], axis=0).astype(np.float32)
        self.weight = sum(weight for _, weight in self.doubts)
        self.first, self.count, self.student = time, len(self.doubts), None
        self.doubts, self.scores = [], None
        self.suspect = self.unlike = self.sure = False
