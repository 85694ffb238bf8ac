"""Small parts of the sentences of reports."""

from __future__ import annotations

from collections.abc import Sequence

from fewshot.session.analysis.words import minutes
from fewshot.session.lesson import Marker
from fewshot.session.summary import clock
from fewshot.translation import tr

_AT_ONCE = 10
"""Seconds, as long as a block of the search for moments: what began so soon after a marker began at it."""


def sentence(text: str) -> str:
    """The text with a capital first letter and a full stop."""
    return tr("{sentence}.", sentence=f"{text[:1].upper()}{text[1:]}")


def pair(what: str, value: str) -> str:
    """A name and its value on one line."""
    return tr("{what}: {value}", what=what, value=value)


def joined(*sentences: str) -> str:
    """Sentences one after the other, without the empty ones."""
    return " ".join(text for text in sentences if text)


def unbroken(text: str) -> str:
    """A number and its "%", and a range in brackets behind it, stay on one line.

    >>> unbroken("20 % (6-25)") == "20\\N{NO-BREAK SPACE}%\\N{NO-BREAK SPACE}(6-25)"
    True
    """
    space = "\N{NO-BREAK SPACE}"
    return text.replace(" %", f"{space}%").replace("% (", f"%{space}(")


def span(start: float, end: float) -> str:
    """1500, 1680 -> "25:00 to 28:00"."""
    return tr("{start} to {end}", start=clock(start), end=clock(end))


def before(markers: Sequence[Marker], second: float) -> str:
    """The last marker before a moment, if it was at most five minutes before: "3 minutes after “exercise 2”"."""
    near = [m for m in markers if 0 <= second - m.second <= 300]
    if not near:
        return ""
    after, marker = second - near[-1].second, near[-1].text
    if after < _AT_ONCE:
        return tr("at “{marker}”", marker=marker)
    return tr("{length} after “{marker}”", length=minutes(after), marker=marker)
