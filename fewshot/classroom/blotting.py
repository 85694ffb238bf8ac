"""Takes the name of a removed student out of texts that people wrote: titles, markers, sources, labels, consents."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Collection, Iterator
from urllib.parse import unquote

SOMEBODY = "[removed]"
"""Replaces the name of a removed student."""

_BETWEEN = r"[\s_.,+\-]"
_UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN")
"""Scripts that put no space between words, or write endings at a name."""


class Blotter:
    """Replaces a name where it stands as a word or as a part of a path, in any spelling.

    Upper and lower case, the form of Unicode and invisible characters do not matter. Digits, underscores and other
    signs may touch the name ("ASHA_2", "asha-2.mp4"), letters may not ("Ann" is not in "Anniversary"); except in
    scripts that put no space between words, where a name of two or more letters is found everywhere. An ending or a
    prefix at a name ("Annas", "Анны") is another word, and stays.

    Args:
        name: the name.
        others: names that stay. Where the name is a part of one of them ("Ann" in "Ann Lee"), it stays too.

    Examples:
        >>> blot = Blotter("Ann", ["Ann Lee"])
        >>> blot("videos/ANN_2.mp4"), blot("Anniversary of Ann Lee and ann")
        ('videos/[removed]_2.mp4', 'Anniversary of Ann Lee and [removed]')
    """

    def __init__(self, name: str, others: Collection[str] = ()) -> None:
        self._name = _pattern(name)
        mine = _folded(name)[0]
        self._longer = [_pattern(other) for other in others if (folded := _folded(other)[0]) != mine
                        and next(_places(self._name, folded), None) is not None]  # fmt: skip

    def __call__(self, text: str) -> str:
        """The text without the name; a text without the name is not changed."""
        changed = self._blotted(text)
        if changed == text and "%" in text:  # an address, in which letters may be written as %C3%A9
            plain = unquote(text)
            if (clean := self._blotted(plain)) != plain:
                return clean
        return changed

    def _blotted(self, text: str) -> str:
        composed = unicodedata.normalize("NFC", text)
        folded, origin = _folded(composed)
        kept = [place for pattern in self._longer for place in _places(pattern, folded)]
        result, done = "", 0
        for begin, end in _places(self._name, folded):
            if any(left <= begin and end <= right for left, right in kept):
                continue
            result += composed[done : origin[begin]] + SOMEBODY
            done = origin[end - 1] + 1
        return result + composed[done:] if done else text


def _pattern(name: str) -> re.Pattern[str]:
    """Finds a folded name; signs between its words may be others, or none."""
    words = [word for word in re.split(f"{_BETWEEN}+", _folded(name)[0]) if word]
    return re.compile(f"{_BETWEEN}*".join(map(re.escape, words)) or re.escape(name))


def _folded(text: str) -> tuple[str, list[int]]:
    """The text without case, width and invisible characters, and the place in the composed text of every letter."""
    letters: list[str] = []
    origin: list[int] = []
    for place, letter in enumerate(unicodedata.normalize("NFC", text)):
        if unicodedata.category(letter) == "Cf":
            continue
        plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", letter).casefold())
        letters += plain
        origin += [place] * len(plain)
    return "".join(letters), origin


def _places(pattern: re.Pattern[str], text: str) -> Iterator[tuple[int, int]]:
    """Begin and end of every place where a folded text has the name as a word."""
    start = 0
    while found := pattern.search(text, start):
        begin, end = found.span()
        short = end - begin == 1
        before, after = text[begin - 1 : begin], text[end : end + 1]
        if _touches(text[begin], before, short) or _touches(text[end - 1], after, short):
            start = begin + 1
            continue
        yield begin, end
        start = end


def _touches(edge: str, neighbour: str, short: bool) -> bool:
    """Whether the letter beside a name belongs to the same word.

    Args:
        edge: first or last letter of the name.
        neighbour: the letter beside it; "" at the end of the text.
        short: the name is a single letter.
    """
    if not neighbour:
        return False
    kind = unicodedata.category(neighbour)[0]
    if kind == "N":
        return unicodedata.category(edge)[0] == "N"
    if kind == "M":
        return True
    return kind == "L" and (short or not (_is_unspaced(edge) or _is_unspaced(neighbour)))


@functools.cache
def _is_unspaced(letter: str) -> bool:
    return unicodedata.name(letter, "").startswith(_UNSPACED)
