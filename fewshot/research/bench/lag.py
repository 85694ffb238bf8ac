"""How long a label takes to follow, after the picture of a tile has changed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fewshot.research.bench.scoring import Observation
from fewshot.research.simulation.truth import Truth

STAY = 0.5
LEAST = 2.5


@dataclass(frozen=True, slots=True)
class Lags:
    """What was measured over the changes of picture of one video.

    Attributes:
        seconds: one lag for every change that could be measured.
        changes: changes between two pictures, both shown long enough, with another still verdict than the label before.
        followed: of these, so many ended in the verdict of the still picture; equals ``len(seconds)``.
    """

    seconds: tuple[float, ...]
    changes: int
    followed: int

    def percentile(self, percent: float) -> float:
        """Seconds; NaN if nothing was measured."""
        return float(np.percentile(self.seconds, percent)) if self.seconds else float("nan")


def settled(labels: Sequence[str | None], last: int) -> str | None:
    """The most frequent of the ``last`` labels, None ("unsure", or not found) among them."""
    return Counter(labels[-last:]).most_common(1)[0][0] if labels else None


def frames_until(labels: list[str | None], wanted: str, stay: int) -> int | None:
    """Index of the first ``wanted`` label that stays: of the next ``stay`` labels (to the end) one at most is another.

    None if it never does.
    """
    for start, label in enumerate(labels):
        run = labels[start : start + stay]
        if label == wanted and run.count(wanted) >= len(run) - 1:
            return start
    return None


def measure_lags(truth: Truth, observations: Sequence[Observation], stills: Mapping[str, str | None]) -> Lags:
    """Lag of the label after every change of picture.

    A wrong reading of a picture is no lag. So a change counts only if the still picture itself is read as some emotion
    (``stills``: picture path -> verdict, by the same classifier and the same prototypes), other than what the label was
    before; and a lag is measured only where the label, once settled (most frequent in the last half second), is that
    verdict. The lag runs from the first frame of the new picture to the first one from which the label stays half a
    second (a single frame that says something else is flicker). Pictures shown for less than 2.5 s are left out, so a
    label has time to settle.
    """
    stay, least = max(1, round(STAY * truth.fps)), LEAST * truth.fps
    said: dict[tuple[int, int], str | None] = defaultdict(lambda: None)
    for seen in observations:
        said[seen.true.seat, seen.frame] = seen.reading.emotion if seen.reading else None
    seconds: list[float] = []
    changes = 0
    for number, seat in enumerate(truth.seats):
        for before, after in zip(seat.segments, seat.segments[1:], strict=False):
            verdict = stills.get(after.picture)
            labels = [said[number, frame] for frame in range(after.start, after.stop)]
            previous = settled([said[number, frame] for frame in range(before.start, before.stop)], stay)
            if before.stop != after.start or len(labels) < least or verdict is None or verdict == previous:
                continue
            changes += 1
            waited = frames_until(labels, verdict, stay)
            if settled(labels, stay) == verdict and waited is not None:
                seconds.append(waited / truth.fps)
    return Lags(tuple(seconds), changes, len(seconds))
