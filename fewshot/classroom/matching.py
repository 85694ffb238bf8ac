"""Which track is which student: votes over a few good frames, one student on one face at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from fewshot.classroom.assignment import assign_students
from fewshot.classroom.thresholds import IdentityThresholds
from fewshot.types import Face, Quality, Vectors

Match = tuple[str | None, float | None]

VOTES = 4
"""Frames that decide who a track is ..."""
SPAN = 0.3
"""... and the seconds they must at least span; or this many, if already the first one was sure:"""
VOTES_IF_SURE = 2
PATIENCE = 1.0
"""Seconds after which a track is decided on whatever frames there were."""
VOTE_GAP = 0.08
"""Seconds between two votes: neighbouring frames of a video say the same."""
RECHECK = 3.0
"""Seconds after which a decided track is looked at again ..."""
RECHECK_GAP = 0.25
"""... but there are this many seconds between two such looks: a recogniser's look costs as much as ten expressions."""
DOUBTS = 3
"""Looks in a row that contradict a track before it is decided anew."""
LOOKS_A_FRAME = 10
"""Second and later looks at undecided tracks a frame, at most: a full class must not stall the video ..."""
FIRST_LOOKS_A_FRAME = 50
"""... but everybody new is looked at at once: a third of a second for a full class, once, and all have their names."""
MEMORY = 8.0
"""Looks that a track's mean remembers."""


def quality_weight(quality: Quality) -> float:
    """How much a face's identity vector counts, 0.05..1: large, sharp, frontal faces most."""
    size = min(quality.size / 80.0, 1.0)
    frontal = float(np.cos(np.radians(min(abs(quality.yaw), 80.0))))
    return max(0.05, size * max(quality.sharpness, 0.1) * frontal)


def _unit(vectors: Vectors) -> Vectors:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9), dtype=np.float32)


@dataclass(slots=True)
class _Track:
    """What is known about who one track is: ``total`` is the weighted sum of its identity vectors, shape (k,)."""

    total: Vectors
    weight: float
    first: float
    last: float
    looks: int = 1
    doubts: list[tuple[Vectors, float]] = field(default_factory=list)
    student: str | None = None

    def mean(self) -> Vectors:
        return _unit(self.total)

    def voted(self) -> bool:
        """Were there enough looks?"""
        if self.student is not None and self.looks >= VOTES_IF_SURE:
            return True
        return self.looks >= VOTES and self.last - self.first >= SPAN

    def decided(self, time: float) -> bool:
        return self.voted() or time - self.first >= PATIENCE

    def add(self, vector: Vectors, weight: float, time: float, same: float) -> None:
        """Count one look; after ``DOUBTS`` in a row that show somebody else, start again from those."""
        self.last = time
        if float(vector @ self.mean()) < same:
            self.doubts.append((vector, weight))
            if len(self.doubts) >= DOUBTS:
                self._restart(time)
            return
        self.doubts.clear()
        fade = min(1.0, MEMORY / (self.weight + weight))
        self.total = (self.total + weight * vector) * np.float32(fade)
        self.weight = (self.weight + weight) * fade
        self.looks += 1

    def _restart(self, time: float) -> None:
        self.total = np.sum([weight * vector for vector, weight in self.doubts], axis=0).astype(np.float32)
        self.weight = sum(weight for _, weight in self.doubts)
        self.first, self.looks, self.student = time, len(self.doubts), None
        self.doubts = []


class TrackStudents:
    """The loop's ``Students``: decides by voting who a track is, keeps it, and looks again now and then.

    A picture that belongs to no track (``face.track`` < 0) is decided at once.

    Args:
        keys: whose each reference is, length m.
        references: unit identity vectors, shape (m, k).
        thresholds: of the network that made them.
    """

    def __init__(self, keys: Sequence[str], references: Vectors, thresholds: IdentityThresholds) -> None:
        self.keys = sorted(set(keys))
        self._thresholds = thresholds
        owners = np.array(keys, dtype=object)
        means = [references[owners == key].mean(axis=0) for key in self.keys]
        # One template a student: the mean over expressions is nearer to every one of them than a single photo is.
        self._templates: Vectors = _unit(np.array(means, dtype=np.float32).reshape(len(self.keys), references.shape[1]))
        self._tracks: dict[int, _Track] = {}
        self._rechecked = -RECHECK_GAP

    def wanted(self, tracks: Sequence[int], faces: Sequence[Face], time: float) -> list[int]:
        """Indices of the faces whose identity vector shall be computed now."""
        if not self.keys:
            return []
        pictures, new, votes, rechecks = [], [], [], []
        for index, (number, face) in enumerate(zip(tracks, faces, strict=True)):
            if not face.quality.ok:
                continue
            track = self._tracks.get(number)
            if number < 0:
                pictures.append(index)
            elif track is None:
                new.append(index)
            elif track.doubts or not track.voted():
                if time - track.last >= VOTE_GAP:
                    votes.append((track.looks, track.last, index))
            elif time - track.last >= RECHECK:
                rechecks.append((track.last, index))
        again = [index for *_, index in sorted(votes)[:LOOKS_A_FRAME]]
        due = [index for _, index in sorted(rechecks)[:1]] if time - self._rechecked >= RECHECK_GAP else []
        if due:
            self._rechecked = time
        return sorted(pictures + new[:FIRST_LOOKS_A_FRAME] + again + due)

    def assign(self, faces: Sequence[Face], time: float) -> list[Match]:
        """Student and identity score of every face.

        A stranger has (None, best score), a face whose identity was never looked at (None, None).
        """
        if not self.keys:
            return [(None, None)] * len(faces)
        self._learn(faces, time)
        return self._match(faces, time)

    def forget(self, alive: Iterable[int]) -> None:
        """Drop what is known about tracks that ended."""
        alive = set(alive)
        if not alive:
            self._rechecked = -RECHECK_GAP  # the next source may begin at time 0 again
        self._tracks = {number: track for number, track in self._tracks.items() if number in alive}

    def _learn(self, faces: Sequence[Face], time: float) -> None:
        for face in faces:
            if face.identity is None or face.track < 0:
                continue
            weight = quality_weight(face.quality)
            track = self._tracks.get(face.track)
            # Without a recogniser every face comes with an identity vector, asked for or not.
            if track and time - track.last >= VOTE_GAP:
                track.add(face.identity, weight, time, self._thresholds.same)
            elif track is None:
                self._tracks[face.track] = _Track(weight * face.identity, weight, first=time, last=time)

    def _match(self, faces: Sequence[Face], time: float) -> list[Match]:
        answers: list[Match] = [(None, None)] * len(faces)
        vectors, rows, floors, held = [], [], [], []
        for row, face in enumerate(faces):
            track = self._tracks.get(face.track) if face.track >= 0 else None
            vector = track.mean() if track else face.identity if face.track < 0 else None
            if vector is None:
                continue
            decided = track is None or track.decided(time) or track.student is not None
            vectors.append(vector)
            rows.append(row)
            floors.append(self._thresholds.accept if decided else self._thresholds.sure)
            held.append(self.keys.index(track.student) if track and track.student else -1)
        if not rows:
            return answers
        scores = np.stack(vectors) @ self._templates.T
        chosen = assign_students(scores, np.array(floors), np.array(held), self._thresholds.margin)
        for row, score, student in zip(rows, scores, chosen, strict=True):
            key = self.keys[student] if student >= 0 else None
            answers[row] = (key, float(score[student] if student >= 0 else score.max()))
            if faces[row].track >= 0:
                self._tracks[faces[row].track].student = key
        return answers
