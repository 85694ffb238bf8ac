"""Numbers the people who are not enrolled, so that "person 1" is the same person in all tracks of a run."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from fewshot.classroom.identity_evidence import IdentityEvidence
from fewshot.classroom.thresholds import IdentityThresholds
from fewshot.types import Face, Vectors
from fewshot.unit_vectors import unit_rows

MOST_TRACKS = 12
"""Tracks that a person is remembered by: the newest ones."""


class People:
    """Joins the tracks of one person by identity, and gives each person a number that counts from 1.

    Nothing is known about these people but what this run has seen, and everything is lost with this object.

    Args:
        thresholds: thresholds of the network that makes the identity vectors.
    """

    def __init__(self, thresholds: IdentityThresholds) -> None:
        self._thresholds = thresholds
        # Of every person: the mean identity vector of each track, oldest first. Pictures have no track: each is kept
        # under a number of its own, below 0.
        self._seen: list[dict[int, Vectors]] = []
        self._templates = np.zeros((0, 0), np.float32)
        self._tracks: dict[int, tuple[int, float, int]] = {}
        self._pictures = 0

    def number(self, unknown: Sequence[tuple[Face, IdentityEvidence | None]], time: float) -> None:
        """Set ``person`` of the faces that show nobody enrolled. Call it once per frame.

        A track gets its number when its identity is decided; a person who was seen before may be recognised earlier.

        Args:
            unknown: the faces of the frame without a student, and what is known about the identity of each one's track.
            time: time of the frame, seconds.
        """
        visible: set[int] = set()
        new: list[tuple[Face, IdentityEvidence | None]] = []
        for face, track in unknown:
            person, first, count = self._tracks.get(face.track, (-1, 0.0, 0))
            if track is None:
                if face.track < 0 and face.identity is not None:
                    new.append((face, None))
            elif track.unlike:
                continue
            elif person < 0 or first != track.first:
                new.append((face, track))
            else:
                face.person = person + 1
                visible.add(person)
                if track.count != count:
                    self._keep(person, face, track)
        for face, track in new:
            vector = face.identity if track is None else track.mean()
            found = None if vector is None else self._find(vector, track is None or track.decided(time), visible)
            if found is not None:
                visible.add(found)
                face.person = found + 1
                self._keep(found, face, track)

    def forget(self, alive: Collection[int]) -> None:
        """Drop the tracks that ended; the people stay known."""
        if not self._tracks.keys() <= set(alive):
            self._tracks = {track: known for track, known in self._tracks.items() if track in alive}

    def _find(self, vector: Vectors, decided: bool, visible: Collection[int]) -> int | None:
        """Index of the person with this identity vector; a new person if the vector is like nobody's.

        Args:
            vector: unit vector, shape (k,).
            decided: whether there is enough evidence to call this a new person.
            visible: people whom other faces of this frame show.
        """
        known = self._thresholds
        if len(self._templates):
            scores = self._templates @ vector
            # Two faces of one frame are two people, unless they are as alike as two pictures of one person.
            scores[list(visible)] -= known.duplicate - known.accept
            best = int(scores.argmax())
            if scores[best] >= (known.accept if decided else known.sure):
                return best
        if not decided:
            return None
        self._seen.append({})
        return len(self._seen) - 1

    def _keep(self, person: int, face: Face, track: IdentityEvidence | None) -> None:
        """Remember that the face or its track shows this person."""
        tracks = self._seen[person]
        if track is not None:
            self._tracks[face.track] = (person, track.first, track.count)
            tracks[face.track] = track.mean()
        elif face.identity is not None:
            self._pictures += 1
            tracks[-self._pictures] = face.identity
        if len(tracks) > MOST_TRACKS:
            del tracks[next(iter(tracks))]
        template = unit_rows(np.sum(list(tracks.values()), axis=0))
        if person < len(self._templates):
            self._templates[person] = template
        else:
            self._templates = np.concatenate([self._templates.reshape(-1, len(template)), template[None]])
