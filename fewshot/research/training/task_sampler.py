"""Episodes as batches, for any labelled set: N classes, K supports and Q queries of each (Vinyals et al. 2016)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Sampler

from fewshot.errors import UsageError


@dataclass(frozen=True)
class TaskRules:
    """What an episode is made of.

    Attributes:
        ways: classes of an episode; 0: all of them.
        shots: supports of each class.
        queries: queries of each class.
        tasks: episodes of an epoch.
    """

    ways: int = 5
    shots: int = 5
    queries: int = 5
    tasks: int = 200


class TaskSampler(Sampler[list[int]]):
    """Batches of rows, each an episode. Give it to a DataLoader as ``batch_sampler``.

    A batch holds class after class: first the supports of a class, then its queries. No row is in an episode twice.

    Args:
        labels: class of every row, an integer, -1 for rows that take no part; shape (n,).
        ways, shots, queries, tasks: see ``TaskRules``.
        seed: the same seed and epoch give the same episodes.

    Raises:
        UsageError: too few classes have rows enough, or a number is below 1.

    Examples:
        >>> sampler = TaskSampler([0, 0, 0, 1, 1, 1], ways=2, shots=1, queries=2, tasks=3)
        >>> [len(batch) for batch in sampler]
        [6, 6, 6]
        >>> sampler.is_support.tolist()
        [True, False, False, True, False, False]
    """

    def __init__(
        self,
        labels: Sequence[int] | NDArray[np.integer],
        ways: int = 5,
        shots: int = 5,
        queries: int = 5,
        tasks: int = 200,
        seed: int = 0,
    ) -> None:
        if shots < 1 or queries < 1 or tasks < 1 or ways < 0 or ways == 1:
            raise UsageError(
                f"Episodes of {ways} classes with {shots} supports and {queries} queries, {tasks} of them, cannot be "
                "drawn. Use 2 classes or more (0: all), and 1 or more of everything else."
            )
        known = np.asarray(labels, np.int64).reshape(-1)
        rows = {int(label): np.flatnonzero(known == label) for label in np.unique(known[known >= 0])}
        self._rows = {label: some for label, some in rows.items() if len(some) >= shots + queries}
        self.ways = ways or len(rows)
        if len(self._rows) < max(self.ways, 2):
            raise UsageError(
                f"{max(self.ways, 2)} classes with {shots + queries} pictures each are needed for episodes of {shots} "
                f"supports and {queries} queries. {len(self._rows)} of {len(rows)} classes have as many. Ask for fewer "
                "(data.task.ways, data.task.shots, data.task.queries), or add pictures."
            )
        self.shots, self.queries, self.tasks, self.seed, self.epoch = shots, queries, tasks, seed, 0

    @property
    def is_support(self) -> NDArray[np.bool_]:
        """Which rows of a batch are supports, shape (ways * (shots + queries),)."""
        return np.tile(np.arange(self.shots + self.queries) < self.shots, self.ways)

    @property
    def sampler(self) -> TaskSampler:
        """Itself: Lightning tells the epoch to the ``sampler`` of a batch sampler."""
        return self

    def set_epoch(self, epoch: int) -> None:
        """Draw other episodes than in the epochs before."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.tasks

    def __iter__(self) -> Iterator[list[int]]:
        rng = np.random.default_rng((self.seed, self.epoch))
        classes = sorted(self._rows)
        for _ in range(self.tasks):
            chosen = rng.choice(classes, self.ways, replace=False)
            parts = [rng.choice(self._rows[int(label)], self.shots + self.queries, replace=False) for label in chosen]
            yield [int(row) for row in np.concatenate(parts)]
