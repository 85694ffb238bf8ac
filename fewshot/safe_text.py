"""Makes text of people, files and cameras safe to show: a title must not be able to give orders to a terminal."""

from __future__ import annotations

import re
import unicodedata

JOINERS = "\u200c\u200d"
"""Persian and Indian scripts, and signs such as families, need them between two letters."""

ORDERS = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Bidirectional controls that turn the following text around, so that a name reads as another one."""

# Letters, marks and separators without a picture, which are not in the categories Cc and Cf.
_INVISIBLE = "\u034f\u115f\u1160\u17b4\u17b5\u2028\u2029\u3164\uffa0"
_SHOWN = {"\n", "\t"}
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def printable(text: str) -> str:
    r"""The text with signs in place of what a screen must not receive.

    Bytes that are not UTF-8 (as names of files may have them) become U+FFFD. Control characters (C0 but for line
    break and tab, C1), controls of direction and characters without a picture become escapes such as ``\x1b``.
    Joiners inside a word of a script that needs them stay.

    >>> printable("quiet\x1b[2Jlesson"), printable("Jo\u200b")
    ('quiet\\x1b[2Jlesson', 'Jo\\u200b')
    """
    if text.isascii() and text.isprintable():
        return text
    if has_stray_bytes(text):
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return "".join(_shown(text, place) for place in range(len(text)))


def xml_text(text: str) -> str:
    r"""The text with U+FFFD in place of every character that XML does not allow.

    >>> xml_text("Frac\x00tions\t2\ufffe") == "Frac\ufffdtions\t2\ufffd"
    True
    """
    return _NOT_IN_XML.sub("\ufffd", text)


def has_stray_bytes(text: str) -> bool:
    """Whether a name of a file is not written in UTF-8."""
    return any("\ud800" <= letter <= "\udfff" for letter in text)


def joins(text: str, place: int) -> bool:
    """Whether the joiner at a place stands between two letters or signs that it may join."""
    around = text[max(0, place - 1) : place] + text[place + 1 : place + 2]
    return len(around) == 2 and all(unicodedata.category(other)[0] in "LMS" and other > "\u05ff" for other in around)


def _shown(text: str, place: int) -> str:
    letter = text[place]
    kind = unicodedata.category(letter)
    if letter in _SHOWN or (kind not in ("Cc", "Cf") and letter not in _INVISIBLE):
        return letter
    if letter in JOINERS and joins(text, place):
        return letter
    # Signs such as the English flag are made of tags, which are harmless.
    if "\U000e0020" <= letter <= "\U000e007f":
        return letter
    return letter.encode("unicode_escape").decode("ascii")
