"""Labels that do not flicker: verdicts on a face, averaged over about the last half second."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fewshot.prototypes.verdict import Verdict, decide_all

_FAR = 16.0
"""Replaces an infinite squared distance (unit vectors have at most 4): an average with infinity stays infinite."""


@dataclass(slots=True)
class _Memory:
    """Decayed sums over the verdicts on one track; divided by ``weight`` they are means.

    Attributes:
        subject: student and labels; if they change, the sums are no longer valid.
        sums: of probabilities (row 0) and squared distances (row 1), in the order of the labels, shape (2, k).
        weight: number of verdicts in the sums; older ones count less.
        time: time of the latest verdict, seconds.
        latest: the latest smoothed verdict.
    """

    subject: tuple[str | None, tuple[str, ...]]
    sums: NDArray[np.float64]
    weight: float
    time: float
    latest: Verdict


class Smoother:
    """Exponential smoothing over time, not over frames: it behaves the same at 5 and at 60 frames per second.

    Probabilities and distances are averaged, then the classifier's rule decides again on the averages. After a sudden
    change between two equally certain emotions the label follows after ``0.7 * time_constant`` (ln 2).

    Args:
        time_constant: seconds after which the weight of a verdict has fallen to 1/e; 0 turns smoothing off.
    """

    def __init__(self, time_constant: float = 0.5) -> None:
        self._time_constant = time_constant
        self._memories: dict[int, _Memory] = {}

    def smooth_all(
        self, tracks: Sequence[int], students: Sequence[str | None], verdicts: Sequence[Verdict], time: float
    ) -> list[Verdict]:
        """Add the verdicts of one frame and return the smoothed verdicts.

        Args:
            tracks: track numbers, all different.
            students: student of each track; smoothing starts again if the student or the labels change.
            verdicts: the verdicts of this frame, with probabilities.
            time: time of the frame, seconds; smoothing starts again if it runs backwards.
        """
        results = list(verdicts)
        goes_on: dict[tuple[str, ...], list[int]] = defaultdict(list)
        for row, (track, student, verdict) in enumerate(zip(tracks, students, verdicts, strict=True)):
            labels = tuple(verdict.probabilities)
            memory = self._memories.get(track)
            if labels and memory and memory.subject == (student, labels) and time >= memory.time:
                goes_on[labels].append(row)
            else:
                self._memories[track] = _Memory((student, labels), _rows([verdict], labels)[0], 1.0, time, verdict)
        for labels, rows in goes_on.items():
            memories = [self._memories[tracks[row]] for row in rows]
            sums, weights = self._mixed([verdicts[row] for row in rows], memories, labels, time)
            smoothed = _decided([verdicts[row] for row in rows], labels, sums / weights[:, None, None])
            for row, memory, total, weight, verdict in zip(
                rows, memories, sums, weights.tolist(), smoothed, strict=True
            ):
                memory.sums, memory.weight, memory.time, memory.latest = total, weight, time, verdict
                results[row] = verdict
        return results

    def _mixed(
        self, verdicts: Sequence[Verdict], memories: Sequence[_Memory], labels: tuple[str, ...], time: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Sums, shape (n, 2, k), and weights, shape (n,), of these verdicts and the earlier ones of their tracks."""
        fades = np.array([self._fade(time - memory.time) for memory in memories])
        old = np.array([memory.sums for memory in memories])
        weights = 1.0 + fades * [memory.weight for memory in memories]
        return _rows(verdicts, labels) + fades[:, None, None] * old, weights

    def held(self, track: int, student: str | None) -> tuple[Verdict, float] | None:
        """The latest smoothed verdict on a track and its time, for a frame without a new embedding of the face."""
        memory = self._memories.get(track)
        return (memory.latest, memory.time) if memory and memory.subject[0] == student else None

    def forget(self, alive: Collection[int]) -> None:
        """Drop all tracks that are not ``alive``."""
        self._memories = {track: memory for track, memory in self._memories.items() if track in alive}

    def _fade(self, elapsed: float) -> float:
        return math.exp(-elapsed / self._time_constant) if self._time_constant > 0 else 0.0


def _rows(verdicts: Sequence[Verdict], labels: tuple[str, ...]) -> NDArray[np.float64]:
    """Probabilities and distances of every verdict in the order of the labels, finite, shape (n, 2, k)."""
    values = [(_row(verdict.probabilities, labels, 0.0), _row(verdict.distances, labels, _FAR)) for verdict in verdicts]
    table = np.array(values, np.float64).reshape(len(verdicts), 2, len(labels))
    for column, missing in enumerate((0.0, _FAR)):
        np.nan_to_num(table[:, column], copy=False, nan=missing, posinf=_FAR, neginf=0.0)
    return table


def _row(values: Mapping[str, float], labels: tuple[str, ...], missing: float) -> list[float]:
    if tuple(values) == labels:
        return list(values.values())
    return [values.get(label, missing) for label in labels]


def _decided(verdicts: Sequence[Verdict], labels: tuple[str, ...], means: NDArray[np.float64]) -> list[Verdict]:
    """The verdicts of the classifier's rule on the means, shape (n, 2, k)."""
    limits = np.array([_row(verdict.limits, labels, math.inf) for verdict in verdicts])
    margins = np.array([verdict.margin for verdict in verdicts])
    decided = decide_all(means[:, 0], means[:, 1], limits, margins)
    return [
        Verdict(
            labels[best] if named else None,
            confidence,
            dict(zip(labels, probabilities, strict=True)),
            verdict.prototypes,
            dict(zip(labels, distances, strict=True)),
            verdict.limits,
            verdict.margin,
        )
        for verdict, best, named, confidence, (probabilities, distances) in zip(
            verdicts, *decided, means.tolist(), strict=True
        )
    ]
