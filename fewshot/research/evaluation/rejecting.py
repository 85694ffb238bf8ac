"""The right to say nothing: how much is still said, and how right it is, as the thresholds move (El-Yaniv 2010)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fewshot.errors import UsageError
from fewshot.prototypes.verdict import Verdict, decide_all
from fewshot.research.evaluation.intervals import Interval, bootstrap_ratio, by_subject
from fewshot.research.evaluation.runtime_class import Verdicts
from fewshot.research.evaluation.scores import Reliability, reliability

MARGINS = tuple(np.linspace(0.0, 1.0, 21).round(2).tolist())
DISTANCES = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.25, 1.5, 2.0, 4.0)


@dataclass(frozen=True)
class Point:
    """One setting of the thresholds.

    Attributes:
        margin: smallest lead over the second.
        reach: the largest distances are the shipped ones times this.
        coverage: share of the pictures about which something is said.
        accuracy: share of those that is right; 1 where nothing is said.
    """

    margin: float
    reach: float
    coverage: float
    accuracy: float


def said(read: Verdicts, margin: float | None = None, reach: float = 1.0) -> list[str | None]:
    """What the runtime says of each picture when its thresholds are moved, by its own rule.

    Args:
        margin: in place of the shipped one; None keeps that.
        reach: the largest acceptable distances times this.
    """
    return [_named(verdict, verdict.margin if margin is None else margin, reach) for verdict in read.said]


def _named(verdict: Verdict, margin: float, reach: float) -> str | None:
    labels = list(verdict.probabilities)
    probabilities, distances, limits = (
        np.array([[values.get(label, missing) for label in labels]])
        for values, missing in ((verdict.probabilities, 0.0), (verdict.distances, 0.0), (verdict.limits, np.inf))
    )
    best, named, _ = decide_all(probabilities, distances, limits * reach, np.array([margin]))
    return labels[best[0]] if named[0] else None


def shipped(read: Verdicts, seed: int, resamples: int) -> tuple[Interval, Interval]:
    """(coverage, accuracy of what is said) of the thresholds as shipped, bootstrapped over subjects.

    Raises:
        UsageError: nothing was read, or nothing was said of anything.
    """
    words = [verdict.emotion for verdict in read.said]
    if not any(word is not None for word in words):
        raise UsageError(f"Of {len(words)} pictures nothing was said. Check the population's thresholds.")
    _, spoken, asked = by_subject([float(word is not None) for word in words], read.subjects)
    right = [float(word == truth) for word, truth in zip(words, read.truth, strict=True)]
    _, hits, _ = by_subject(right, read.subjects)
    return bootstrap_ratio(spoken, asked, seed, resamples), bootstrap_ratio(hits, spoken, seed, resamples)


def sweep(read: Verdicts) -> list[Point]:
    """Coverage and accuracy as the margin moves at the shipped distances, then as these move at the shipped margin."""
    settings = [(margin, 1.0) for margin in MARGINS] + [(None, reach) for reach in DISTANCES]
    points = []
    for margin, reach in settings:
        words = said(read, margin, reach)
        spoken = sum(word is not None for word in words)
        right = sum(word == truth for word, truth in zip(words, read.truth, strict=True))
        used = read.said[0].margin if margin is None and read.said else margin
        points.append(Point(float(used or 0.0), reach, spoken / max(len(words), 1), right / spoken if spoken else 1.0))
    return points


def accuracy_at(read: Verdicts, coverage: float) -> float:
    """Accuracy of that share of the pictures whose best probability leads the second by most; NaN without pictures."""
    right = _in_order(read)[: max(1, round(coverage * len(read)))]
    return float(right.mean()) if len(right) else float("nan")


def area(read: Verdicts) -> float:
    """Area under accuracy over coverage, pictures ordered by the lead of the best probability over the second.

    Returns:
        The mean of ``accuracy_at`` over all coverages: close to 1 if wrong readings have the smallest leads, the
        accuracy of all if the lead tells nothing. NaN without pictures.
    """
    right = _in_order(read)
    return float((np.cumsum(right) / np.arange(1, len(right) + 1)).mean()) if len(right) else float("nan")


def honesty(read: Verdicts, classes: Sequence[str]) -> Reliability:
    """Confidence against accuracy, before anything is rejected.

    Args:
        classes: the columns; every truth is one of them.
    """
    table = np.array([[verdict.probabilities.get(name, 0.0) for name in classes] for verdict in read.said])
    return reliability(table, np.array([list(classes).index(truth) for truth in read.truth]))


def _in_order(read: Verdicts) -> NDArray[np.float64]:
    """Whether the best is right, the largest lead over the second first, shape (n,)."""
    leads, right = np.zeros(len(read)), np.zeros(len(read))
    for row, (verdict, truth) in enumerate(zip(read.said, read.truth, strict=True)):
        (first, best), (_, second) = sorted([*verdict.probabilities.items(), ("", 0.0)], key=lambda pair: -pair[1])[:2]
        leads[row], right[row] = best - second, first == truth
    return right[np.argsort(-leads, kind="stable")]
