"""How numbers are said: never without how sure they are."""

from __future__ import annotations

import numpy as np

from fewshot.session.analysis.grid import Floats

UNCERTAINTY = (
    "A face is not a feeling. Every second of every student is a guess of a network about a picture; with one neutral "
    "photo a student it named the right one of seven expressions in about half of the cases, with two photos of each "
    "in about three quarters. Intervals say what chance among students does, not what the network gets wrong."
)
"""The statement that stands on every report and every export (figures: docs/reference/results.md)."""

LAW = (
    "Where this may not be used: the EU AI Act, Article 5(1)(f), forbids inferring emotions in education and at work, "
    "except for medical or safety reasons; consent does not lift that, and other laws may forbid it too. Readings are "
    "uncertain. Never grade, judge or discipline anybody by them."
)

MINIMUM = 5
"""People below which nothing is said about a group (aggregate-only view) and no moment is looked for."""

CONFIDENCE_Z = 1.959964
"""Two-sided 95 % of a normal distribution."""


def how_sure(chance: float) -> str:
    """In words, how rarely chance alone does as much (``chance``: a probability that counts all that was looked at)."""
    if chance <= 0.002:
        return "very sure that it is more than chance"
    if chance <= 0.01:
        return "sure that it is more than chance"
    if chance <= 0.05:
        return "fairly sure that it is more than chance"
    return "may well be chance"


def percent(share: float) -> str:
    """0.256 -> "26 %"; "-" where nothing was seen."""
    return "-" if np.isnan(share) else f"{100 * share:.0f} %"


def minutes(seconds: float) -> str:
    """90 -> "1.5 minutes"; 45 -> "45 seconds"."""
    if seconds < 60:
        return f"{seconds:.0f} second{'s' if round(seconds) != 1 else ''}"
    number = f"{seconds / 60:.1f}".removesuffix(".0")
    return f"{number} minute{'s' if number != '1' else ''}"


def wilson(share: Floats, count: Floats) -> tuple[Floats, Floats]:
    """Interval of 95 % around shares of ``count`` students (Wilson 1927), each student counted as one.

    A student may have shown a state for part of the time; then the interval is wider than it need be, never too narrow.

    Returns:
        Lower and upper end, shapes of the two broadcast; NaN where ``count`` is 0.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        squared = CONFIDENCE_Z**2 / count
        middle = (share + squared / 2) / (1 + squared)
        half = CONFIDENCE_Z / (1 + squared) * np.sqrt(share * (1 - share) / count + squared / (4 * count))
        low, high = np.maximum(0, middle - half), np.minimum(1, middle + half)
    nothing = np.broadcast_to(count <= 0, low.shape)
    return np.where(nothing, np.nan, low), np.where(nothing, np.nan, high)
