"""Dates as people and spreadsheets write them."""

from __future__ import annotations

import re
from datetime import date, timedelta

from fewshot.errors import UsageError
from fewshot.translation import later

_PARTS = re.compile(r"(\d{1,4})\s*([./\- ])\s*(\d{1,2})\s*\2\s*(\d{1,4})\.?")
_EAST_ASIAN = re.compile(r"(\d{4})\s*[年년]\s*(\d{1,2})\s*[月월]\s*(\d{1,2})\s*[日일]")
_WEEKDAY = re.compile(r"[^\W\d_]{2,}\.?,\s*(?=.*\d.*\d{2})")
_ORDINAL = re.compile(r"(?<=\d)(st|nd|rd|th)\b", re.IGNORECASE)
_ROMAN = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii")
_WORDS = re.compile(r"(?:(\d{1,2})[\s.\-/]*([^\W\d_]+)|([^\W\d_]{3,})[\s.]*(\d{1,2}))[\s.,\-/]*(\d{4}|\d{2})")
_TIME = re.compile(r"[T\s]+\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?\s*(am|pm|Z|[+\-]\d{2}:?\d{2})?$", re.IGNORECASE)
# The first letters of the months in English, German, French, Spanish and Italian.
_MONTHS = (
    "jan ene gen", "feb fév fev", "mar mär mrz", "apr avr abr", "may mai mag", "jun juin giu", "jul juil lug",
    "aug aoû aou ago", "sep set", "oct okt ott", "nov", "dec dez déc dic",
)  # fmt: skip
_DAY_ZERO = date(1899, 12, 30)  # of Excel, which writes a date as a number if the cell has no format


def parse_day(text: str, where: str, day_first: bool | None = None) -> date:
    """Parse a date: 2026-11-20, 20.11.2026, 20/11/2026, 11/20/2026, 20 Nov 2026, or Excel's number 46346.

    Args:
        text: the date.
        where: where it was found, for the error message.
        day_first: whether 5/6/2026 is the fifth of June; None if that is not known.

    Raises:
        UsageError: it is not a date, there is no such day, or it may mean two days.
    """
    plain = _ORDINAL.sub("", _WEEKDAY.sub("", _TIME.sub("", " ".join(text.split())), count=1))
    plain = _EAST_ASIAN.sub(r"\1-\2-\3", plain)
    try:
        return _iso_or_number(plain) or _of_words(plain) or _of_numbers(plain, day_first, where)
    except ValueError as error:
        raise UsageError(
            later("{where}: {text!r} is not a date. Write it like 2026-11-20.", where=where, text=text)
        ) from error


def day_comes_first(texts: list[str]) -> bool | None:
    """Whether dates such as 20/11/2026 in one file begin with the day; None if none of them, or both kinds, tell."""
    found = set()
    for text in texts:
        match = _PARTS.fullmatch(_TIME.sub("", text.strip()))
        if match and len(match[1]) < 3:
            first, second = int(match[1]), int(match[3])
            if first > 12 >= second or second > 12 >= first:
                found.add(first > 12)
    return found.pop() if len(found) == 1 else None


def _iso_or_number(text: str) -> date | None:
    if re.fullmatch(r"[3-6]\d{4}([.,]\d+)?", text):  # the fraction is the time of day
        return _DAY_ZERO + timedelta(days=int(text[:5]))
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _of_words(text: str) -> date | None:
    match = _WORDS.fullmatch(text)
    if match is None:
        return None
    word = (match[2] or match[3]).lower()
    month = next((n for n, heads in enumerate(_MONTHS, start=1) if word.startswith(tuple(heads.split()))), 0)
    month = month or (_ROMAN.index(word) + 1 if word in _ROMAN else 0)
    return date(_year(match[5]), month, int(match[1] or match[4]))


def _of_numbers(text: str, day_first: bool | None, where: str) -> date:
    match = _PARTS.fullmatch(text)
    if match is None:
        raise ValueError(text)
    first, second, last = int(match[1]), int(match[3]), int(match[4])
    if len(match[1]) > 2:
        return date(first, second, last)
    year = _year(match[4])
    if match[2] == "." or first > 12 or first == second or (day_first and second <= 12):
        return date(year, second, first)
    if second > 12 or day_first is False:
        return date(year, first, second)
    one, other = date(year, second, first), date(year, first, second)
    raise UsageError(
        later(
            "{where}: {text!r} is not a date that is clear: it may mean {first} or {second}. Write {one} or {other}.",
            where=where,
            text=text,
            first=_in_words(one),
            second=_in_words(other),
            one=one,
            other=other,
        )
    )


def _year(text: str) -> int:
    if len(text) not in (2, 4):
        raise ValueError(text)
    return int(text) if len(text) == 4 else 2000 + int(text)


def _in_words(day: date) -> str:
    return f"{day.day} {day:%B} {day.year}"
