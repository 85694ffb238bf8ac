"""The students and prototypes that a run uses. They can change during the run, after a removal or a correction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np

from fewshot.classroom.matching import TrackStudents
from fewshot.classroom.people import People
from fewshot.classroom.thresholds import IdentityThresholds
from fewshot.prototypes.classifier import Classifier, Verdict
from fewshot.prototypes.estimators.class_model import CORRECTION
from fewshot.prototypes.evidence import Evidence, evidence_of
from fewshot.prototypes.population import Population
from fewshot.prototypes.store import PrototypeStore
from fewshot.types import Face, Vectors


class CurrentClass:
    """Both the ``Reader`` and the ``Students`` of a loop. ``update`` may be called from any thread.

    Args:
        population: the population prototypes.
        thresholds: thresholds of the identity network.
        store: supports and prototypes; None if no student is enrolled.
        look: called before the students of a frame are named; it may call ``update``, and its errors end the run.
    """

    def __init__(
        self,
        population: Population,
        thresholds: IdentityThresholds,
        store: PrototypeStore | None,
        look: Callable[[], object] = lambda: None,
    ) -> None:
        self._population, self._thresholds, self._look = population, thresholds, look
        self._keys: list[str] = []
        self._references = np.zeros((0, 0), np.float32)
        self._people = People(thresholds)
        self._students = TrackStudents([], self._references, thresholds, self._people)
        self.update(store)

    def update(self, store: PrototypeStore | None) -> None:
        """Use these prototypes and students from the next frame on.

        If the identity references did not change, the tracks keep their students.
        """
        self._classifier = Classifier(self._population, store)
        self._corrected = _corrected(store)
        # A slice of the old references would keep the vectors of students who were removed.
        keys, references = store.identity_references() if store else ([], np.zeros((0, 0), np.float32))
        if keys != self._keys or not np.array_equal(references, self._references):
            self._keys, self._references = keys, references
            self._students = TrackStudents(keys, references, self._thresholds, self._people, self._students.denied)

    def evidence(self, student: str) -> Mapping[str, Evidence]:
        """State -> what it rests on, for the states that this student's faces are compared with."""
        sets = self._classifier.prototype_sets()
        return evidence_of(sets.get(student, sets[None]).rows, self._corrected.get(student, {}))

    def deny(self, track: int, student: str, denied: bool = True) -> None:
        """See ``TrackStudents.deny``."""
        self._students.deny(track, student, denied)

    def read(self, vectors: Vectors, students: Sequence[str | None]) -> Sequence[Verdict]:
        """See ``Classifier.read``; vectors have shape (n, d)."""
        return self._classifier.read(vectors, students)

    def wanted(self, tracks: Sequence[int], faces: Sequence[Face], time: float) -> list[int]:
        """See ``TrackStudents.wanted``. Changes of the class take effect here."""
        self._look()
        return self._students.wanted(tracks, faces, time)

    def assign(self, faces: Sequence[Face], time: float) -> Sequence[tuple[str | None, float | None]]:
        """See ``TrackStudents.assign``."""
        return self._students.assign(faces, time)

    def forget(self, alive: Collection[int]) -> None:
        """See ``TrackStudents.forget``."""
        self._students.forget(alive)


def _corrected(store: PrototypeStore | None) -> dict[str, Counter[str]]:
    """Student -> state -> number of the faces that a teacher named in a lesson."""
    found: dict[str, Counter[str]] = {}
    if store is None:
        return found
    for student in store.students():
        supports = store.supports_of(student)
        named = zip(supports.emotions, supports.photos, strict=True)
        found[student] = Counter(emotion for emotion, photo in named if emotion and photo.startswith(CORRECTION))
    return found
