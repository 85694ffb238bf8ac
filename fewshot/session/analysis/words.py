"""How numbers are written: never without their uncertainty."""

from __future__ import annotations

from contextvars import ContextVar
from datetime import date, datetime, tzinfo

import numpy as np

from fewshot.session.analysis.grid import Floats

TIME_ZONE: ContextVar[tzinfo | None] = ContextVar("time zone", default=None)
"""Of the times that are shown; None: that of this computer. The app sets the one of the browser, which a server in
another country does not have."""
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

UNCERTAINTY = (
    "A face is not a feeling. Every reading is a network's guess about a picture. With one neutral photo per student, "
    "the network named the right one of seven expressions in about half of the cases; with two photos of each "
    "expression, in about three quarters. The intervals show the effect of chance among students. They do not show how "
    "often the network is wrong."
)
"""The statement on every report and every export (figures: docs/reference/results.md)."""

LAW = (
    "Where this may not be used: the EU AI Act, Article 5(1)(f), prohibits inferring emotions in education and at "
    "work, except for medical or safety reasons. Consent does not lift this prohibition, and other laws may prohibit "
    "it too. Readings are uncertain. Never use them to grade, judge or discipline anyone."
)

MINIMUM = 5
"""With fewer people, nothing is shown about a group (whole-class view) and no moments are searched for."""

CONFIDENCE_Z = 1.959964
"""Two-sided 95 % of a normal distribution."""


def how_sure(chance: float) -> str:
    """How rarely chance does as much, in words (``chance``: a probability that allows for all comparisons made)."""
    if chance <= 0.002:
        return "very unlikely to be chance"
    if chance <= 0.01:
        return "unlikely to be chance"
    if chance <= 0.05:
        return "probably not chance"
    return "may be chance"


def percent(share: float, decimals: int = 0) -> str:
    """0.256 -> "26 %"; NaN -> "-"."""
    return "-" if np.isnan(share) else f"{100 * share:.{decimals}f} %"


def counted(number: int, one: str, more: str = "") -> str:
    """1, "frame" -> "1 frame"; 2, "frame" -> "2 frames"; ``more`` for words like people."""
    return f"{number} {one if number == 1 else more or f'{one}s'}"


def local(when: datetime) -> datetime:
    """A time in the time zone of the reader (``TIME_ZONE``)."""
    return when.astimezone(TIME_ZONE.get())


def day(when: date) -> str:
    """A day, the same whatever language this computer is set to; of a time: in the time zone of the reader.

    >>> day(date(2026, 9, 1))
    '01 Sep 2026'
    """
    when = local(when) if isinstance(when, datetime) else when
    return f"{when.day:02d} {_MONTHS[when.month - 1]} {when.year}"


def moment(when: datetime) -> str:
    """Day and time in the time zone of the reader: "01 Sep 2026, 08:30"."""
    return f"{day(when)}, {local(when):%H:%M}"


def minutes(seconds: float) -> str:
    """90 -> "1.5 minutes"; 45 -> "45 seconds"."""
    if seconds < 60:
        return f"{seconds:.0f} second{'s' if round(seconds) != 1 else ''}"
    number = f"{seconds / 60:.1f}".removesuffix(".0")
    return f"{number} minute{'s' if number != '1' else ''}"


def wilson(share: Floats, count: Floats) -> tuple[Floats, Floats]:
    """95 % interval around shares of ``count`` students (Wilson 1927); each student counts once.

    If students showed a state for part of the time, the interval is wider than necessary, never too narrow.

    Returns:
        Lower and upper end in the broadcast shape of both; NaN where ``count`` is 0.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        squared = CONFIDENCE_Z**2 / count
        middle = (share + squared / 2) / (1 + squared)
        half = CONFIDENCE_Z / (1 + squared) * np.sqrt(share * (1 - share) / count + squared / (4 * count))
        low, high = np.maximum(0, middle - half), np.minimum(1, middle + half)
    nothing = np.broadcast_to(count <= 0, low.shape)
    return np.where(nothing, np.nan, low), np.where(nothing, np.nan, high)
