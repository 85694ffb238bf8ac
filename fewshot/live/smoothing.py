"""A label that does not flicker: what the classifier says about a face, averaged over the last half second."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from fewshot.prototypes.classifier import Verdict

_FAR = 16.0
"""Stands for an infinite squared distance (unit vectors: at most 4); averaging infinity would never end."""


@dataclass(slots=True)
class _Memory:
    """Decayed sums over the verdicts on one track; divided by ``weight`` they are means.

    Attributes:
        subject: student and labels; when they change, the sums mean nothing any more.
        sums: of probabilities (row 0) and squared distances (row 1), in the order of the labels, shape (2, k).
        weight: how many verdicts that is, the older ones counting less.
        time: of the latest verdict, seconds.
        latest: what came out.
    """

    subject: tuple[str | None, tuple[str, ...]]
    sums: NDArray[np.float64]
    weight: float
    time: float
    latest: Verdict


class Smoother:
    """Exponential smoothing in time, not in frames: it behaves the same at 5 and at 60 frames a second.

    Probabilities and distances are averaged, then the classifier decides again on the averages. After a sharp change
    between two equally sure emotions the label follows after ``0.7 * time_constant`` (ln 2).

    Args:
        time_constant: seconds after which a verdict counts 1/e; 0 turns smoothing off.
    """

    def __init__(self, time_constant: float = 0.5) -> None:
        self._time_constant = time_constant
        self._memories: dict[int, _Memory] = {}

    def smooth(self, track: int, student: str | None, verdict: Verdict, time: float) -> Verdict:
        """Take in a verdict on a track and give the smoothed one.

        Args:
            track: its number.
            student: who it is taken for; smoothing starts afresh when that or the labels change.
            verdict: of this frame, with probabilities.
            time: seconds; when it runs backwards smoothing starts afresh.
        """
        subject = (student, tuple(verdict.probabilities))
        sums = np.stack([_row(verdict.probabilities, subject[1], 0.0), _row(verdict.distances, subject[1], _FAR)])
        weight, memory = 1.0, self._memories.get(track)
        if memory is None or memory.subject != subject or time < memory.time:
            result = verdict
        else:
            fade = self._fade(time - memory.time)
            sums, weight = sums + fade * memory.sums, weight + fade * memory.weight
            result = _decided(verdict, subject[1], sums / weight)
        self._memories[track] = _Memory(subject, sums, weight, time, result)
        return result

    def held(self, track: int, student: str | None) -> tuple[Verdict, float] | None:
        """The latest smoothed verdict on a track and its time, for a frame in which the face was not embedded."""
        memory = self._memories.get(track)
        return (memory.latest, memory.time) if memory and memory.subject[0] == student else None

    def forget(self, alive: Collection[int]) -> None:
        """Drop all tracks that are not ``alive``."""
        self._memories = {track: memory for track, memory in self._memories.items() if track in alive}

    def _fade(self, elapsed: float) -> float:
        return math.exp(-elapsed / self._time_constant) if self._time_constant > 0 else 0.0


def _row(values: Mapping[str, float], labels: tuple[str, ...], missing: float) -> NDArray[np.float64]:
    """Values in the order of the labels, finite, shape (k,)."""
    row = np.array([values.get(label, missing) for label in labels], np.float64)
    return np.nan_to_num(row, nan=missing, posinf=_FAR, neginf=0.0)


def _decided(verdict: Verdict, labels: tuple[str, ...], means: NDArray[np.float64]) -> Verdict:
    """The verdict that the classifier's own rule gives on the means."""
    if not labels:
        return verdict
    probabilities, distances = (dict(zip(labels, row.tolist(), strict=True)) for row in means)
    smooth = replace(verdict, probabilities=probabilities, distances=distances)
    emotion, confidence = smooth.decide(probabilities)
    return replace(smooth, emotion=emotion, confidence=confidence)
