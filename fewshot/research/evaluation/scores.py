"""Scores of a classifier over fixed classes, with intervals: accuracy, macro-F1, calibration error."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fewshot.errors import UsageError
from fewshot.prototypes.calibration import fit_temperature, softmax
from fewshot.research.evaluation.intervals import TAILS, Interval

BINS = 15
Labels = NDArray[np.int64]


def confusion(truth: Labels, predicted: Labels, n_classes: int = 7) -> NDArray[np.int64]:
    """Counts, rows are the truth, shape (n_classes, n_classes)."""
    table = np.zeros((n_classes, n_classes), np.int64)
    np.add.at(table, (truth, predicted), 1)
    return table


def accuracies(tables: NDArray[np.integer]) -> NDArray[np.float64]:
    """Share on the diagonal of confusion tables (..., k, k), shape (...)."""
    return np.asarray(np.trace(tables, axis1=-2, axis2=-1) / tables.sum(axis=(-2, -1)), np.float64)


def macro_f1s(tables: NDArray[np.integer]) -> NDArray[np.float64]:
    """Unweighted mean of 2 tp / (2 tp + fp + fn) over the classes that occur, of tables (..., k, k), shape (...)."""
    hits = np.diagonal(tables, axis1=-2, axis2=-1)
    there = tables.sum(axis=-1)
    scores = np.where(there > 0, 2 * hits / np.maximum(there + tables.sum(axis=-2), 1), 0.0)
    return np.asarray(scores.sum(axis=-1) / (there > 0).sum(axis=-1), np.float64)


@dataclass(frozen=True, eq=False)
class Score:
    """How right one reader is on one set.

    Attributes:
        n: pictures.
        accuracy, macro_f1: with bootstrap intervals over pictures.
        table: confusion, shape (k, k).
    """

    n: int
    accuracy: Interval
    macro_f1: Interval
    table: NDArray[np.int64]


def score(truth: Labels, predicted: Labels, n_classes: int, seed: int = 0, resamples: int = 5000) -> Score:
    """Accuracy and macro-F1; drawing pictures with replacement is drawing cells of the confusion table.

    Args:
        truth, predicted: class indices, shape (n,).

    Raises:
        UsageError: no pictures.
    """
    if not len(truth):
        raise UsageError("No picture to score. Check the data set and the classes asked for.")
    table = confusion(truth, predicted, n_classes)
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(truth), table.ravel() / len(truth), size=resamples).reshape(-1, n_classes, n_classes)

    def interval(measure: Callable[[NDArray[np.integer]], NDArray[np.float64]]) -> Interval:
        low, high = np.quantile(measure(drawn), TAILS)
        return Interval(float(measure(table)), float(low), float(high))

    return Score(len(truth), interval(accuracies), interval(macro_f1s), table)


@dataclass(frozen=True, eq=False)
class Reliability:
    """Confidence against accuracy in bins that hold equally many readings (Nixon et al. 2019).

    Attributes:
        confidence, accuracy: means of each bin, shape (bins,).
        share: of the readings in each bin, shape (bins,).
    """

    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    share: NDArray[np.float64]

    @property
    def error(self) -> float:
        """Expected calibration error: the mean gap, weighted by share; 0 for honest probabilities."""
        return float((np.abs(self.confidence - self.accuracy) * self.share).sum())


def reliability(probabilities: NDArray[np.floating], truth: Labels, bins: int = BINS) -> Reliability:
    """Sort readings by confidence and cut them into equal parts.

    Args:
        probabilities: shape (n, k), rows sum to 1.
        truth: the true column, shape (n,).
        bins: how many; fewer where there are fewer readings.

    Raises:
        UsageError: no readings.
    """
    if not len(truth):
        raise UsageError("No reading to check the calibration of. Check the data set and the classes asked for.")
    confidence = probabilities.max(axis=1)
    order = np.argsort(confidence, kind="stable")
    right = (probabilities.argmax(axis=1) == truth).astype(np.float64)
    parts = [part for part in np.array_split(order, bins) if len(part)]
    return Reliability(
        np.array([confidence[part].mean() for part in parts]),
        np.array([right[part].mean() for part in parts]),
        np.array([len(part) / len(truth) for part in parts]),
    )


def calibrated(logits: NDArray[np.floating], temperature: float) -> NDArray[np.float64]:
    """Probabilities of logits (n, k) at a temperature, shape (n, k)."""
    return softmax(logits / temperature)


def temperature_of(logits: NDArray[np.floating], truth: Labels) -> float:
    """The temperature that makes logits (n, k) most honest (Guo et al. 2017)."""
    return fit_temperature(logits.max() - np.asarray(logits, np.float64), truth)
