"""Which track is which student: one clear look or votes over a few, one student on one face at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from fewshot.classroom.appearance import Appearance
from fewshot.classroom.identity_evidence import PATIENCE, IdentityEvidence, quality_weight
from fewshot.classroom.thresholds import IdentityThresholds
from fewshot.faces.pairing import best_pairs
from fewshot.live.readings import Match
from fewshot.prototypes.gallery import IdentityGallery
from fewshot.types import Face, Vectors
from fewshot.unit_vectors import unit_rows

__all__ = ["LOOKS_A_FRAME", "PATIENCE", "RECHECK", "TrackStudents", "quality_weight"]


VOTE_GAP = 0.08
"""Seconds between two votes: neighbouring frames of a video say the same."""
RECHECK = 3.0
"""Seconds after which a decided track is looked at again ..."""
RECHECK_GAP = 0.25
"""... but there are this many seconds between two such looks: a recogniser's look costs as much as ten expressions."""
LOOKS_A_FRAME = 4
"""Second and later looks at undecided tracks a frame, at most: a full class must not stall the video ..."""
FIRST_LOOKS_A_FRAME = 50
"""... but everybody new is looked at at once: a third of a second for a full class, once, and all have their names.
With a budget a frame the loop spreads them (``fewshot.live.budget``)."""
GONE = 0.3
"""Seconds out of view after which whoever is on a track may be somebody else."""


class TrackStudents:
    """The loop's ``Students``: decides who a track is, keeps it, and looks again now and then.

    One look decides if it is clear (``IdentityThresholds.clear``); otherwise several vote. A track that was out of
    view, or whose picture changes from one frame to the next, is looked at again at once. A picture that belongs to no
    track (``face.track`` < 0) is decided alone.

    Args:
        keys: whose each reference is, length m.
        references: unit identity vectors, shape (m, k).
        thresholds: of the network that made them.
    """

    def __init__(self, keys: Sequence[str], references: Vectors, thresholds: IdentityThresholds) -> None:
        self.keys = sorted(set(keys))
        self._numbers = {key: number for number, key in enumerate(self.keys)}
        self._thresholds = thresholds
        owners = np.array(keys, dtype=object)
        means = [references[owners == key].mean(axis=0) for key in self.keys]
        # One template per student: the mean over expressions is nearer to every one of them than a single photo is.
        self._templates = IdentityGallery(references.shape[1])
        self._first = 0
        if self.keys:
            self._first = int(self._templates.add(self.keys, unit_rows(np.array(means, np.float32)))[0])
        self._tracks: dict[int, IdentityEvidence] = {}
        self._appearance = Appearance()
        self._rechecked = -RECHECK_GAP
        self._frame = 0

    def wanted(self, tracks: Sequence[int], faces: Sequence[Face], time: float) -> list[int]:
        """Indices of the faces whose identity vector shall be computed now."""
        if not self.keys:
            return []
        changed = self._appearance.changed(faces, time)
        self._frame += 1
        now, votes, rechecks = [], [], []
        for index, (number, face) in enumerate(zip(tracks, faces, strict=True)):
            track = self._tracks.get(number) if number >= 0 else None
            if track is None:
                if face.quality.ok:
                    now.append(index)
                continue
            missed = self._frame - track.frame > 1 and time - track.seen > GONE
            track.suspect = track.suspect or missed or number in changed
            track.seen, track.frame = time, self._frame
            if not face.quality.ok:
                # Whoever took a student's place and looks away must not carry the student's name.
                if track.suspect and not track.unlike:
                    now.append(index)
            elif track.suspect and time - track.last >= VOTE_GAP:
                now.append(index)
            elif track.doubts or not track.voted():
                if time - track.last >= VOTE_GAP:
                    votes.append((track.looks, track.last, index))
            elif time - track.last >= RECHECK:
                rechecks.append((track.last, index))
        again = [index for *_, index in sorted(votes)[:LOOKS_A_FRAME]]
        due = [index for _, index in sorted(rechecks)[:1]] if time - self._rechecked >= RECHECK_GAP else []
        if due:
            self._rechecked = time
        return sorted(self._limited(now, tracks) + again + due)

    @staticmethod
    def _limited(now: list[int], tracks: Sequence[int]) -> list[int]:
        """At most ``FIRST_LOOKS_A_FRAME`` of those that are to be looked at at once; pictures without track are all."""
        alone = [index for index in now if tracks[index] < 0]
        return alone + [index for index in now if tracks[index] >= 0][:FIRST_LOOKS_A_FRAME]

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
        if not alive.issuperset(self._tracks):
            self._tracks = {number: track for number, track in self._tracks.items() if number in alive}
        self._appearance.forget(alive)

    def _learn(self, faces: Sequence[Face], time: float) -> None:
        for face in faces:
            if face.identity is None or face.track < 0:
                continue
            weight = quality_weight(face.quality)
            track = self._tracks.get(face.track)
            if track and not face.quality.ok:
                track.glance(face.identity, time, self._thresholds)
                continue
            # A vector may be there that `wanted` did not ask for: neighbouring frames still count once.
            if track and (track.suspect or time - track.last >= VOTE_GAP):
                track.add(face.identity, weight, time, self._thresholds)
            elif track is None:
                self._tracks[face.track] = IdentityEvidence(
                    weight * face.identity, weight, time, time, time, self._frame
                )

    def _match(self, faces: Sequence[Face], time: float) -> list[Match]:
        answers: list[Match] = [(None, None)] * len(faces)
        tracks = [self._tracks.get(face.track) if face.track >= 0 else None for face in faces]
        rows = [row for row, (face, track) in enumerate(zip(faces, tracks, strict=True))
                if (track and not track.unlike) or (face.track < 0 and face.identity is not None)]  # fmt: skip
        if not rows:
            return answers
        scores = self._scores([faces[row] for row in rows], [tracks[row] for row in rows])
        clear = self._clear(scores)
        decided = np.array([track is None or track.student is not None or track.decided(time)
                            for track in (tracks[row] for row in rows)])  # fmt: skip
        floors = np.where(decided, self._thresholds.accept, self._thresholds.sure)
        floors = np.where(clear, np.minimum(floors, self._thresholds.clear), floors)
        held = np.array([self._numbers[track.student] if track and track.student else -1
                         for track in (tracks[row] for row in rows)])  # fmt: skip
        chosen = assign_students(scores, floors, held, self._thresholds.margin)
        best = np.where(chosen >= 0, scores[np.arange(len(rows)), chosen], scores.max(axis=1))
        sure = clear & (best >= self._thresholds.sure)
        for row, student, score, at_once in zip(rows, chosen.tolist(), best.tolist(), sure.tolist(), strict=True):
            key = self.keys[student] if student >= 0 else None
            answers[row] = (key, score)
            track = tracks[row]
            if track is not None:
                track.student, track.sure = key, track.sure or (at_once and key is not None)
        return answers

    def _scores(self, faces: Sequence[Face], tracks: Sequence[IdentityEvidence | None]) -> Vectors:
        """Cosine of every face's track, or of the face itself, to every student, shape (n, m)."""
        found: list[Vectors | None] = [track.scores if track else None for track in tracks]
        new = [row for row, scores in enumerate(found) if scores is None]
        vectors = [track.mean() if (track := tracks[row]) else faces[row].identity for row in new]
        for row, scores in zip(new, self._alike(vectors), strict=True):
            found[row] = scores
            if track := tracks[row]:
                track.scores = scores
        return np.stack([scores for scores in found if scores is not None])

    def _alike(self, vectors: Sequence[Vectors | None]) -> Vectors:
        """Cosine of identity vectors to every student, shape (n, m): one search of FAISS for all that are new.

        Assignment and lead need every student's score, so the search asks for as many as the class has.
        """
        scores = np.full((len(vectors), len(self.keys)), _NEVER, np.float32)
        known = [(row, vector) for row, vector in enumerate(vectors) if vector is not None]
        scores[[row for row, vector in enumerate(vectors) if vector is None]] = 0.0
        if known:
            queries = np.stack([vector for _, vector in known])
            numbers, similarities = self._templates.search(queries, len(self.keys))
            rows, columns = np.nonzero(numbers)  # 0: a very large class is searched in cells, which may find fewer
            places = np.array([row for row, _ in known])[rows]
            scores[places, numbers[rows, columns] - self._first] = similarities[rows, columns]
        return scores

    def _clear(self, scores: Vectors) -> np.ndarray:
        """Whether the best student is alike enough, and leads every other one by enough, to be named at once."""
        if scores.shape[1] < 2:
            return np.asarray(scores[:, 0] >= self._thresholds.clear)
        second, best = np.partition(scores, -2, axis=1)[:, -2:].T
        return np.asarray((best >= self._thresholds.clear) & (best - second >= self._thresholds.lead))


_NEVER = -1.0
KEEP = 0.05
"""Head start of the student that a face already has."""


def assign_students(
    scores: NDArray[np.float32], floors: NDArray[np.floating], held: NDArray[np.integer], margin: float
) -> NDArray[np.int64]:
    """The assignment of students to faces with the largest sum of similarities (Kuhn 1955), strangers left out.

    Args:
        scores: cosine of every face to every student, shape (n, m).
        floors: what a face must reach to be a student at all, shape (n,).
        held: the student each face had so far, or -1, shape (n,); it has a small head start.
        margin: by how much the student must lead every other one that is not clearly another face's.

    Returns:
        Index of the student of every face, -1 for a stranger, shape (n,).
    """
    count, students = scores.shape
    if not count:
        return np.zeros(0, np.int64)
    worth = scores.astype(np.float64)
    kept = np.flatnonzero(held >= 0)
    worth[kept, held[kept]] += KEEP
    # A place of his own for everyone as a stranger, worth as much as the least similarity that would do.
    places = np.full((count, count), -1e6)
    np.fill_diagonal(places, floors)
    rows, columns = best_pairs(np.hstack([worth, places]), -1e3)
    chosen = np.full(count, -1)
    chosen[rows] = np.where(columns < students, columns, -1)
    owners = np.full(students, -1)
    owners[chosen[chosen >= 0]] = np.flatnonzero(chosen >= 0)
    taken = np.where(owners >= 0, worth[owners, np.arange(students)], -np.inf)
    # A rival student who is clearly on another face in view is no rival.
    rivals = np.where(taken >= worth + margin, -np.inf, worth)
    named = np.flatnonzero(chosen >= 0)
    lead = worth[named, chosen[named]]
    rivals[named, chosen[named]] = -np.inf
    sure = (lead >= rivals[named].max(axis=1, initial=-np.inf) + margin) & (lead >= np.asarray(floors)[named])
    chosen[named[~sure]] = -1
    return chosen
