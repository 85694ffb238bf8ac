"""Whose turn it is when there is no time for every face: what a face costs, and a rota that starves nobody."""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence

HEAD_START = 30
"""Turns by which a new face goes before faces that were served already. Not infinite: where a detector invents a new
face in every frame, the old ones still get their turn."""


class Cost:
    """Seconds a face, an exponentially weighted mean of what was measured.

    A batch has a fixed cost too; because the mean is taken over batches of the size that was affordable, the two settle
    where a batch takes just the budget.

    Args:
        weight: of the newest measurement, 0..1.
    """

    def __init__(self, weight: float = 0.2) -> None:
        self._weight = weight
        self.seconds: float | None = None

    def learn(self, faces: int, seconds: float) -> None:
        """``faces`` of them took ``seconds`` together."""
        if faces <= 0 or seconds < 0:
            return
        each = seconds / faces
        self.seconds = each if self.seconds is None else self.seconds + self._weight * (each - self.seconds)

    def affordable(self, budget: float | None, faces: int) -> int:
        """How many of ``faces`` fit into ``budget`` seconds: at least one, and all where nothing was measured yet."""
        if budget is None or not self.seconds:
            return faces
        return min(faces, max(1, int(budget / self.seconds)))


class Rota:
    """Round-robin by age: who was served longest ago comes first, new faces before them.

    With the same n faces and k places every face is served once in any ceil(n / k) turns.
    """

    def __init__(self) -> None:
        self._served: dict[int, int] = {}
        self._turn = 0
        # Frames are chosen for in one thread while another, concluding the frame before, asks for haste.
        self._lock = threading.Lock()

    def choose(self, keys: Sequence[int], places: int) -> list[int]:
        """Indices of those whose turn it is now, at most ``places``, ascending."""
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
        """What is known about ``key`` is worth nothing any more: treat it as new."""
        with self._lock:
            if key in self._served:
                self._served[key] = min(self._served[key], self._turn - HEAD_START)

    def forget(self, alive: Collection[int]) -> None:
        """Drop all keys that are not ``alive``."""
        with self._lock:
            self._served = {key: turn for key, turn in self._served.items() if key in alive}
