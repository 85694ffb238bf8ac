"""How numbers are written: never without their uncertainty."""

from __future__ import annotations

import functools
from contextvars import ContextVar
from datetime import date, datetime, tzinfo
from typing import Any

import numpy as np

from fewshot.session.analysis.grid import Floats
from fewshot.translation import ENGLISH, LANGUAGE, later, tr, tr_n

TIME_ZONE: ContextVar[tzinfo | None] = ContextVar("time zone", default=None)
"""Of the times that are shown; None: that of this computer. The app sets the one of the browser, which a server in
another country does not have."""
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

UNCERTAINTY = later(
    "A face is not a feeling. Every reading is a network's guess about a picture. With one neutral photo per student, "
    "the network named the right one of seven expressions in about half of the cases; with two photos of each "
    "expression, in about three quarters. The intervals show the effect of chance among students. They do not show how "
    "often the network is wrong."
)
"""The statement on every report and every export (figures: docs/reference/results.md), as the key of ``tr``."""

LAW = later(
    "Where this may not be used: the EU AI Act, Article 5(1)(f), prohibits inferring emotions in education and at "
    "work, except for medical or safety reasons. Consent does not lift this prohibition, and other laws may prohibit "
    "it too. Readings are uncertain. Never use them to grade, judge or discipline anyone."
)
"""The key of ``tr``; see ``law``."""

MINIMUM = 5
"""With fewer people, nothing is shown about a group (whole-class view) and no moments are searched for."""

CONFIDENCE_Z = 1.959964
"""Two-sided 95 % of a normal distribution."""


def law() -> list[str]:
    """Where readings may not be used, in the reader's language; then in English, in case a translation is wrong."""
    said = tr(LAW)
    return [said] if said == LAW else [said, LAW]


def how_sure(chance: float) -> str:
    """How rarely chance does as much, in words (``chance``: a probability that allows for all comparisons made)."""
    if chance <= 0.002:
        return tr("very unlikely to be chance")
    if chance <= 0.01:
        return tr("unlikely to be chance")
    if chance <= 0.05:
        return tr("probably not chance")
    return tr("may be chance")


def percent(share: float, decimals: int = 0) -> str:
    """0.256 -> "26 %"; NaN -> "-"."""
    if np.isnan(share):
        return "-"
    locale = reader_locale()
    if locale is None:
        return f"{100 * share:.{decimals}f} %"
    return str(_percent_pattern(locale.percent_formats[None].pattern, decimals).apply(float(share), locale))


def counted(number: int, one: str, more: str = "") -> str:
    """1, "frame" -> "1 frame"; 2, "frame" -> "2 frames"; ``more`` for words like people. English, for the command line;
    what the app shows is counted by ``tr_n``."""
    return f"{number} {one if number == 1 else more or f'{one}s'}"


def local(when: datetime) -> datetime:
    """A time in the time zone of the reader (``TIME_ZONE``)."""
    return when.astimezone(TIME_ZONE.get())


def day(when: date) -> str:
    """A day as the reader's language writes it, whatever this computer is set to; of a time: in the reader's time zone.

    >>> day(date(2026, 9, 1))
    '01 Sep 2026'
    """
    when = local(when) if isinstance(when, datetime) else when
    locale = reader_locale()
    if locale is None:
        return f"{when.day:02d} {_MONTHS[when.month - 1]} {when.year}"
    from babel.dates import format_date

    return str(format_date(when, "medium", locale))


def moment(when: datetime) -> str:
    """Day and time in the time zone of the reader: "01 Sep 2026, 08:30"."""
    locale = reader_locale()
    if locale is None:
        return f"{day(when)}, {local(when):%H:%M}"
    from babel.dates import format_time, get_datetime_format

    both = str(get_datetime_format("medium", locale)).replace("'", "")
    return both.replace("{1}", day(when)).replace("{0}", format_time(local(when), "short", locale=locale))


def minutes(seconds: float) -> str:
    """90 -> "1.5 minutes"; 45 -> "45 seconds"."""
    if seconds < 60:
        return tr_n("{number} second", "{number} seconds", round(seconds))
    number = f"{seconds / 60:.1f}"
    if number.endswith(".0"):
        return tr_n("{number} minute", "{number} minutes", int(number[:-2]))
    return tr("{minutes} minutes", minutes=number.replace(".", decimal_sign()))


def reader_locale() -> Any | None:
    """Babel's rules for writing numbers and dates in the reader's language.

    Returns:
        ``babel.Locale``; None for English, which is written without them, and where Babel is not installed.
    """
    language = LANGUAGE.get()
    return None if language == ENGLISH else _locale(language)


def decimal_sign() -> str:
    """What stands before the decimals of a number in the reader's language."""
    locale = reader_locale()
    return "." if locale is None else str(locale.number_symbols["latn"]["decimal"])


@functools.cache
def _locale(language: str) -> Any | None:
    try:
        from babel import Locale
    except ImportError:  # then everything is shown in English, which the catalogues say in the log
        return None
    return Locale.parse(language)


@functools.cache
def _percent_pattern(pattern: str, decimals: int) -> Any:
    from babel.numbers import parse_pattern

    parsed = parse_pattern(pattern)
    parsed.frac_prec = (decimals, decimals)
    return parsed


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
