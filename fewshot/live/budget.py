"""Which faces are processed if there is no time for all: the cost of a face, and a fair rota."""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence

HEAD_START = 30
"""A new face counts as having waited for this many turns. The number is finite, so that the old faces still get their
turn if a detector reports a new false face in every frame."""


class Cost:
    """Seconds per face: an exponentially weighted mean of the measurements.

    A batch also has a fixed cost. The mean is taken over batches of the affordable size, so the size settles where one
    batch takes exactly the budget.

    Args:
        weight: weight of the newest measurement, 0..1.
    """

    def __init__(self, weight: float = 0.2) -> None:
        self._weight = weight
        self.seconds: float | None = None

    def learn(self, faces: int, seconds: float) -> None:
        """Add a measurement: a batch of ``faces`` took ``seconds`` in total."""
        if faces <= 0 or seconds < 0:
            return
        each = seconds / faces
        self.seconds = each if self.seconds is None else self.seconds + self._weight * (each - self.seconds)

    def affordable(self, budget: float | None, faces: int) -> int:
        """How many of ``faces`` fit into ``budget`` seconds: at least one; all if nothing was measured yet."""
        if budget is None or not self.seconds:
            return faces
        return min(faces, max(1, int(budget / self.seconds)))


class Rota:
    """A fair order of faces: new faces first, then the faces that have waited longest.

    With n faces and k places every face is served once in any ceil(n / k) turns.
    """

    def __init__(self) -> None:
        self._served: dict[int, int] = {}
        self._turn = 0
        # One thread chooses faces while another one, which works on an earlier frame, calls `hurry`.
        self._lock = threading.Lock()

    def choose(self, keys: Sequence[int], places: int) -> list[int]:
        """Indices of the keys whose turn it is now: at most ``places``, ascending."""
        with self._lock:
            self._turn += 1
            for key in keys:
                self._served.setdefault(key, self._turn - HEAD_START)
            order = sorted(range(len(keys)), key=lambda index: (self._served[keys[index]], keys[index]))
            chosen = sorted(order[: max(0, places)])
            for index in chosen:
                self._served[keys[index]] = self._turn
            return chosen

    def hurry(self, key: int) -> None:
        """Treat ``key`` as new, because the earlier result about it is no longer valid."""
        with self._lock:
            if key in self._served:
                self._served[key] = min(self._served[key], self._turn - HEAD_START)

    def forget(self, alive: Collection[int]) -> None:
        """Drop all keys that are not ``alive``."""
        with self._lock:
            self._served = {key: turn for key, turn in self._served.items() if key in alive}
