"""Protocol "closed set": the seven emotions of FER+ and FER2013 by nearest population prototype, one crop each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fewshot.data.fer2013 import PRIVATE_TEST, PUBLIC_TEST, Fer2013

Labels = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Score:
    """One row of the table.

    Attributes:
        test: what was tested on, in words.
        n: pictures.
        accuracy, macro_f1: estimate with its 95 % bootstrap interval, (value, low, high).
    """

    test: str
    n: int
    accuracy: tuple[float, float, float]
    macro_f1: tuple[float, float, float]


@dataclass(frozen=True)
class ClosedSet:
    """Scores predictions on the fixed test sets.

    Args:
        resamples: of the bootstrap over pictures.
        seed: of the bootstrap.
    """

    resamples: int = 2000
    seed: int = 0

    def tests(self, fer: Fer2013, excluded: NDArray[np.bool_]) -> dict[str, Labels]:
        """Labels by test set, -1 for pictures that are not in it, each shape (n,)."""
        private, public = fer.usage == PRIVATE_TEST, (fer.usage == PUBLIC_TEST) & ~excluded
        published, plurality = fer.ferplus_published(7), fer.ferplus_plurality()
        return {
            "FER+ test, published rule": np.where(private, published, -1),
            "FER+ test, plurality": np.where(private, plurality, -1),
            "FER2013 PrivateTest, FER2013's own labels": np.where(private, fer.labels, -1),
            "FER+ validation (used to choose)": np.where(public, published, -1),
            "FER2013 PublicTest (used to choose)": np.where(public, fer.labels, -1),
        }

    def score(self, test: str, truth: Labels, predicted: Labels) -> Score:
        """Accuracy and macro-F1 with intervals.

        Args:
            test: name of the row.
            truth: class indices, shape (n,).
            predicted: class indices, shape (n,).
        """
        return Score(
            test,
            len(truth),
            self._interval(truth, predicted, lambda a, b: float((a == b).mean())),
            self._interval(truth, predicted, macro_f1),
        )

    def _interval(
        self, truth: Labels, predicted: Labels, measure: Callable[[Labels, Labels], float]
    ) -> tuple[float, float, float]:
        rng = np.random.default_rng(self.seed)
        draws = (rng.integers(0, len(truth), len(truth)) for _ in range(self.resamples))
        values = [measure(truth[draw], predicted[draw]) for draw in draws]
        low, high = np.quantile(values, [0.025, 0.975])
        return measure(truth, predicted), float(low), float(high)


def macro_f1(truth: Labels, predicted: Labels) -> float:
    """Unweighted mean over the classes that occur in ``truth`` of 2 tp / (2 tp + fp + fn)."""
    scores = []
    for label in np.unique(truth):
        hits = int(((truth == label) & (predicted == label)).sum())
        scores.append(2 * hits / (int((truth == label).sum()) + int((predicted == label).sum())))
    return float(np.mean(scores))


def confusion(truth: Labels, predicted: Labels, n_classes: int = 7) -> NDArray[np.int64]:
    """Counts, rows are the truth, shape (n_classes, n_classes)."""
    table = np.zeros((n_classes, n_classes), np.int64)
    np.add.at(table, (truth, predicted), 1)
    return table
