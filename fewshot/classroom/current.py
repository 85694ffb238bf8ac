"""What a run knows of a class, exchangeable while it runs: somebody was removed, or a correction was learned."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from fewshot.classroom.matching import TrackStudents
from fewshot.classroom.thresholds import IdentityThresholds
from fewshot.live.loop import Strangers, Students
from fewshot.prototypes.classifier import Classifier, Verdict
from fewshot.prototypes.population import Population
from fewshot.prototypes.store import PrototypeStore
from fewshot.types import Face, Vectors


class CurrentClass:
    """``Reader`` and ``Students`` of a loop in one. ``update`` may be called from any thread.

    Args:
        population: that all prototypes rest on.
        thresholds: of the identity network.
        store: with prototypes; None if nobody is enrolled.
    """

    def __init__(self, population: Population, thresholds: IdentityThresholds, store: PrototypeStore | None) -> None:
        self._population, self._thresholds = population, thresholds
        self._keys: list[str] = []
        self._references = np.zeros((0, 0), np.float32)
        self._students: Students = Strangers()
        self.update(store)

    def update(self, store: PrototypeStore | None) -> None:
        """Read by these prototypes, and know these students, from the next frame on.

        Where the faces are the same as before, who is who is not looked at anew.
        """
        self._classifier = Classifier(self._population, store)
        keys, references = store.identity_references() if store else ([], self._references[:0])
        if keys != self._keys or not np.array_equal(references, self._references):
            self._keys, self._references = keys, references
            self._students = TrackStudents(keys, references, self._thresholds) if keys else Strangers()

    def read(self, vectors: Vectors, students: Sequence[str | None]) -> Sequence[Verdict]:
        return self._classifier.read(vectors, students)

    def wanted(self, tracks: Sequence[int], faces: Sequence[Face], time: float) -> list[int]:
        return self._students.wanted(tracks, faces, time)

    def assign(self, faces: Sequence[Face], time: float) -> Sequence[tuple[str | None, float | None]]:
        return self._students.assign(faces, time)

    def forget(self, alive: Collection[int]) -> None:
        self._students.forget(alive)
