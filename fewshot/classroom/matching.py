"""Which track shows which student: decided from one clear identity vector or from several; one face per student."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from fewshot.classroom.appearance import Appearance
from fewshot.classroom.identity_evidence import PATIENCE, IdentityEvidence, quality_weight
from fewshot.classroom.people import People
from fewshot.classroom.thresholds import IdentityThresholds
from fewshot.faces.pairing import best_pairs
from fewshot.live.readings import Match
from fewshot.prototypes.gallery import IdentityGallery
from fewshot.types import Face, Vectors
from fewshot.unit_vectors import unit_rows

__all__ = ["PATIENCE", "RECHECK", "VOTES_PER_FRAME", "TrackStudents", "quality_weight"]


VOTE_GAP = 0.08
"""Seconds between two identity vectors of one track: neighbouring frames of a video give the same vector."""
RECHECK = 3.0
"""Seconds after which the identity of a decided track is checked again ..."""
RECHECK_GAP = 0.25
"""... with this many seconds between two such checks: one identity vector costs as much as ten expression vectors."""
VOTES_PER_FRAME = 4
"""Most second and later identity vectors per frame for undecided tracks: a full class must not stall the video ..."""
FIRST_PER_FRAME = 50
"""... but all new tracks get their first vector at once: 0.3 s for a full class, and then every student has a name.
With a budget per frame the loop spreads them (``fewshot.live.budget``)."""
GONE = 0.3
"""A track that was out of view for longer than this, in seconds, may now show a different person."""


class TrackStudents:
    """The loop's ``Students``: decides who a track shows, remembers it, and checks it again regularly.

    One identity vector is enough if it is clear (``IdentityThresholds.clear``); otherwise several vectors are averaged.
    A track that was out of view, or whose picture changes between two frames, is checked again at once. A face without
    a track (``face.track`` < 0) is decided from its own vector only.

    Args:
        keys: student of each reference, length m; empty if nobody is enrolled.
        references: unit identity vectors, shape (m, k).
        thresholds: thresholds of the network that made the vectors.
        people: numbers the faces that show no student; None: they get no number.
        denied: what was denied before, see the attribute.

    Attributes:
        denied: track -> students whom the teacher said it does not show, see ``deny``.
    """

    def __init__(
        self,
        keys: Sequence[str],
        references: Vectors,
        thresholds: IdentityThresholds,
        people: People | None = None,
        denied: Mapping[int, frozenset[str]] | None = None,
    ) -> None:
        self.denied = dict(denied or {})
        self.keys = sorted(set(keys))
        self._numbers = {key: number for number, key in enumerate(self.keys)}
        self._thresholds, self._people = thresholds, people
        owners = np.array(keys, dtype=object)
        means = [references[owners == key].mean(axis=0) for key in self.keys]
        # One template per student: the mean of all photos is nearer to any expression than a single photo is.
        self._templates = IdentityGallery(max(1, references.shape[1]))
        self._first = 0
        if self.keys:
            self._first = int(self._templates.add(self.keys, unit_rows(np.array(means, np.float32)))[0])
        self._tracks: dict[int, IdentityEvidence] = {}
        self._appearance = Appearance()
        self._rechecked = -RECHECK_GAP
        self._frame = 0

    def wanted(self, tracks: Sequence[int], faces: Sequence[Face], time: float) -> list[int]:
        """Indices of the faces whose identity vectors are needed now.

        Args:
            tracks: track number of every face, -1 without a track.
            faces: all faces of the frame.
            time: time of the frame, seconds.
        """
        if not self.keys and self._people is None:
            return []
        changed = self._appearance.changed(faces, time)
        self._frame += 1
        now, votes, rechecks = [], [], []
        for index, (number, face) in enumerate(zip(tracks, faces, strict=True)):
            track = self._tracks.get(number) if number >= 0 else None
            if track is None:
                if _usable(face, track):
                    now.append(index)
                continue
            missed = self._frame - track.frame > 1 and time - track.seen > GONE
            track.suspect = track.suspect or missed or number in changed
            track.seen, track.frame = time, self._frame
            if not _usable(face, track):
                # A person who took a student's place and looks away must not be shown with the student's name.
                if track.suspect and not track.unlike:
                    now.append(index)
            elif track.suspect and time - track.last >= VOTE_GAP:
                now.append(index)
            elif track.doubts or not track.voted():
                if time - track.last >= VOTE_GAP:
                    votes.append((track.count, track.last, index))
            elif time - track.last >= RECHECK:
                rechecks.append((track.last, index))
        again = [index for *_, index in sorted(votes)[:VOTES_PER_FRAME]]
        due = [index for _, index in sorted(rechecks)[:1]] if time - self._rechecked >= RECHECK_GAP else []
        if due:
            self._rechecked = time
        return sorted(self._limited(now, tracks) + again + due)

    @staticmethod
    def _limited(now: list[int], tracks: Sequence[int]) -> list[int]:
        """All faces without a track, and at most ``FIRST_PER_FRAME`` of the others."""
        untracked = [index for index in now if tracks[index] < 0]
        return untracked + [index for index in now if tracks[index] >= 0][:FIRST_PER_FRAME]

    def assign(self, faces: Sequence[Face], time: float) -> list[Match]:
        """Student and identity score of every face.

        A stranger gets (None, best score); a face without any identity vector gets (None, None).
        """
        if not self.keys and self._people is None:
            return [(None, None)] * len(faces)
        self._learn(faces, time)
        matches: list[Match] = self._match(faces, time) if self.keys else [(None, None)] * len(faces)
        if self._people is not None:
            unknown = [face for face, (student, _) in zip(faces, matches, strict=True) if student is None]
            self._people.number([(face, self._tracks.get(face.track)) for face in unknown], time)
        return matches

    def forget(self, alive: Iterable[int]) -> None:
        """Drop what is known about tracks that ended."""
        alive = set(alive)
        if not alive:
            self._rechecked = -RECHECK_GAP  # the next source may begin at time 0 again
        if not alive.issuperset(self._tracks):
            self._tracks = {number: track for number, track in self._tracks.items() if number in alive}
        self.denied = {number: names for number, names in self.denied.items() if number in alive}
        self._appearance.forget(alive)
        if self._people is not None:
            self._people.forget(alive)

    def deny(self, track: int, student: str, denied: bool = True) -> None:
        """A teacher said that a track does not show a student: it is not given this name again as long as it lasts.

        May be called from any thread; it holds from the next frame on.

        Args:
            track: number of the track.
            student: its key; an unknown one changes nothing.
            denied: False takes it back.
        """
        names = self.denied.get(track, frozenset())
        changed = names | {student} if denied else names - {student}
        # A new table, because the thread of the loop may be reading this one.
        self.denied = {**self.denied, track: changed}

    def _learn(self, faces: Sequence[Face], time: float) -> None:
        for face in faces:
            if face.identity is None or face.track < 0:
                continue
            weight = quality_weight(face.quality)
            track = self._tracks.get(face.track)
            if track and not _usable(face, track):
                track.glance(face.identity, time, self._thresholds)
                continue
            # A face may have a vector that `wanted` did not request: neighbouring frames still count once.
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
        self._without_denied(scores, [faces[row].track for row in rows])
        clear = self._leads(scores, self._thresholds.clear, self._thresholds.lead)
        decided = np.array([track is None or track.student is not None or track.decided(time)
                            for track in (tracks[row] for row in rows)])  # fmt: skip
        floors = np.where(decided, self._thresholds.accept, self._thresholds.sure)
        floors = np.where(clear, np.minimum(floors, self._thresholds.clear), floors)
        # What all frames of a track agree on may be less alike than what a single frame has to be.
        patient = self._leads(scores, self._thresholds.patient, self._thresholds.patient_lead)
        patient &= np.array([track is not None and track.voted() for track in (tracks[row] for row in rows)])
        floors = np.where(patient, np.minimum(floors, self._thresholds.patient), floors)
        held = np.array([self._numbers[track.student] if track and track.student else -1
                         for track in (tracks[row] for row in rows)])  # fmt: skip
        held[scores[np.arange(len(rows)), held] == _NEVER] = -1
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
        """Cosine similarity of every face's track, or of the face itself, to every student, shape (n, m)."""
        found: list[Vectors | None] = [track.scores if track else None for track in tracks]
        new = [row for row, scores in enumerate(found) if scores is None]
        vectors = [track.mean() if (track := tracks[row]) else faces[row].identity for row in new]
        for row, scores in zip(new, self._alike(vectors), strict=True):
            found[row] = scores
            if track := tracks[row]:
                track.scores = scores
        return np.stack([scores for scores in found if scores is not None])

    def _without_denied(self, scores: Vectors, tracks: Sequence[int]) -> None:
        """No similarity at all where a teacher denied the name; ``scores`` (n, m) changes in place."""
        denied = self.denied
        for row, track in enumerate(tracks):
            for student in denied.get(track, ()):
                if student in self._numbers:
                    scores[row, self._numbers[student]] = _NEVER

    def _alike(self, vectors: Sequence[Vectors | None]) -> Vectors:
        """Cosine similarity of identity vectors to every student, shape (n, m), from one FAISS search.

        Assignment and lead need the scores of all students, so the search returns one result per student.
        """
        scores = np.full((len(vectors), len(self.keys)), _NEVER, np.float32)
        known = [(row, vector) for row, vector in enumerate(vectors) if vector is not None]
        scores[[row for row, vector in enumerate(vectors) if vector is None]] = 0.0
        if known:
            queries = np.stack([vector for _, vector in known])
            numbers, similarities = self._templates.search(queries, len(self.keys))
            rows, columns = np.nonzero(numbers)  # 0: no result; the index of a very large class may miss some
            places = np.array([row for row, _ in known])[rows]
            scores[places, numbers[rows, columns] - self._first] = similarities[rows, columns]
        return scores

    @staticmethod
    def _leads(scores: Vectors, least: float, lead: float) -> NDArray[np.bool_]:
        """Whether the best student's score and lead over the second are at least these, shape (n,)."""
        if scores.shape[1] < 2:
            return np.asarray(scores[:, 0] >= least)
        second, best = np.partition(scores, -2, axis=1)[:, -2:].T
        return np.asarray((best >= least) & (best - second >= lead))


def _usable(face: Face, track: IdentityEvidence | None) -> bool:
    """Whether the face can tell who it is: also one whose expression is not readable, unless the name is known."""
    named = track is not None and track.student is not None and not track.unlike
    return face.quality.ok or (face.quality.identifiable and not named)


_NEVER = -1.0
KEEP = 0.05
"""Bonus, in cosine similarity, for the student that a face is already assigned to."""


def assign_students(
    scores: NDArray[np.float32], floors: NDArray[np.floating], held: NDArray[np.integer], margin: float
) -> NDArray[np.int64]:
    """Assign students to faces so that the sum of similarities is largest (Kuhn 1955); strangers get no student.

    Args:
        scores: cosine similarity of every face to every student, shape (n, m).
        floors: smallest similarity at which a face is assigned to a student, shape (n,).
        held: student that each face is assigned to so far, or -1, shape (n,). This student gets the bonus ``KEEP``.
        margin: smallest lead over every other student who is not clearly on another face.

    Returns:
        Index of the student of every face, -1 for a stranger, shape (n,).
    """
    count, students = scores.shape
    if not count:
        return np.zeros(0, np.int64)
    worth = scores.astype(np.float64)
    kept = np.flatnonzero(held >= 0)
    worth[kept, held[kept]] += KEEP
    # One extra column per face means "stranger"; its value is the smallest similarity that would be accepted.
    places = np.full((count, count), -1e6)
    np.fill_diagonal(places, floors)
    rows, columns = best_pairs(np.hstack([worth, places]), -1e3)
    chosen = np.full(count, -1)
    chosen[rows] = np.where(columns < students, columns, -1)
    owners = np.full(students, -1)
    owners[chosen[chosen >= 0]] = np.flatnonzero(chosen >= 0)
    taken = np.where(owners >= 0, worth[owners, np.arange(students)], -np.inf)
    # A student who is clearly on another visible face is not a rival.
    rivals = np.where(taken >= worth + margin, -np.inf, worth)
    named = np.flatnonzero(chosen >= 0)
    lead = worth[named, chosen[named]]
    rivals[named, chosen[named]] = -np.inf
    sure = (lead >= rivals[named].max(axis=1, initial=-np.inf) + margin) & (lead >= np.asarray(floors)[named])
    chosen[named[~sure]] = -1
    return chosen
