"""Takes the name of a removed student out of texts that people wrote: titles, markers, sources, labels, consents."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Collection, Iterator
from urllib.parse import unquote_to_bytes

from fewshot.classroom.names import is_invisible

SOMEBODY = "[removed]"
"""Replaces the name of a removed student."""

_BETWEEN = r"[\s_.,:;+&~·•・、，،/|\\\-\u2010-\u2015\u2212'`()\[\]{}<>\"\u201c-\u201f«»‹›=!?]"  # noqa: RUF001
_APOSTROPHES = re.compile("[\u00b4\u02b9-\u02bd\u02c8\u2018-\u201b\u2032\u2035\ua78c\uff07]")
"""Signs that are typed for an apostrophe; some of them count as letters."""
_POINTS = "[\u0640\u064b-\u065f\u0670\u0591-\u05bd\u05bf-\u05c7]*"
"""What Arabic and Hebrew may write between the letters of a word, and mostly do not."""
_ONE_LETTER = ("اأإآٱ", "هة", "يىی", "كک", "iı")  # noqa: RUF001
"""Letters that are written for each other."""
_PLAIN = {"ä": ("ae",), "ö": ("oe",), "ü": ("ue",), "å": ("aa",), "ø": ("o", "oe"), "æ": ("ae",), "œ": ("oe",),
          "ł": ("l",), "đ": ("d", "dj"), "ð": ("d",), "þ": ("th",), "ı": ("i",), "ħ": ("h",)}  # fmt: skip  # noqa: RUF001
"""How names of files and people without such a keyboard write a letter, besides leaving out its mark."""
_PARTICLES = frozenset("وفبكلا"), frozenset("ובכלמשה")
"""Arabic and Hebrew write "and", "of", "to" and "the" together with the next word."""
_MOST_ESCAPES = 3
_ESCAPED = re.compile("(?:%[0-9A-Fa-f]{2})+")
LONG = 4
"""A name with so many letters is also taken out of the beginning of longer words."""

_UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN")
"""Scripts that put no space between words, or write endings at a name."""


class Blotter:
    """Replaces a name where it stands as a word or as a part of a path, in any spelling.

    Upper and lower case, the form of Unicode and invisible characters do not matter. Digits, underscores and other
    signs may touch the name ("ASHA_2", "asha-2.mp4"). Letters may touch it in three cases:

    - the last word of the name has four letters or more, and the name stands at the beginning of a word ("Zebulons",
      "zebulonmia.mp4"): so "Mark" is also taken out of "Marketing", but "Ann" is not taken out of "Anniversary";
    - a capital letter begins a new word, as in names of files ("AnnMia.mp4", "MiaAnn.mp4");
    - the script puts no space between words, and the name has two letters or more.

    Accents may be missing in the text, or be written as in "Mueller" (not the other way: "Ánn" is not "Ann"), Arabic
    and Hebrew with and without points are one, and the last word of a name may stand first ("Lee, Ann").

    A form that does not contain the whole name ("Анны" for "Анна", "Ann" for "Ann Lee") is another word, and stays.

    Args:
        name: the name.
        others: names that stay. Where the name is a part of one of them ("Ann" in "Ann Lee"), it stays too.

    Examples:
        >>> blot = Blotter("Ann", ["Ann Lee"])
        >>> blot("videos/ANN_2.mp4"), blot("Anniversary of Ann Lee and ann")
        ('videos/[removed]_2.mp4', 'Anniversary of Ann Lee and [removed]')
    """

    def __init__(self, name: str, others: Collection[str] = ()) -> None:
        self._name, self._opens = _pattern(name), _may_begin_a_word(name)
        mine = _folded(name)[0]
        self._longer = [
            (_pattern(other), _may_begin_a_word(other))
            for other in others
            if (folded := _folded(other)[0]) != mine and next(_places(self._name, folded, self._opens), None)
        ]

    def __call__(self, text: str) -> str:
        """The text without the name; a text without the name is not changed."""
        text = self._blotted(text)
        plain = text
        for _ in range(_MOST_ESCAPES):  # an address, in which letters may be written as %C3%A9, or twice: %25C3%25A9
            if "%" not in plain:
                break
            plain = _ESCAPED.sub(_unescaped, plain)
            if (clean := self._blotted(plain)) != plain:
                text = plain = clean
        return text

    def _blotted(self, text: str) -> str:
        composed = unicodedata.normalize("NFC", text)
        folded, origin = _folded(composed)
        capitals = [place for place, at in enumerate(origin) if _begins_with_capital(composed, at)]
        kept = [place for pattern, opens in self._longer for place in _places(pattern, folded, opens)]
        result, done = "", 0
        for begin, end in _places(self._name, folded, self._opens, frozenset(capitals)):
            if any(left <= begin and end <= right for left, right in kept):
                continue
            result += composed[done : origin[begin]] + SOMEBODY
            following = origin[end] if end < len(origin) else len(composed)  # what cannot be seen goes with the name
            done = max(origin[end - 1] + 1, following)
        return result + composed[done:] if done else text


def _unescaped(found: re.Match[str]) -> str:
    data = unquote_to_bytes(found.group())
    try:
        return data.decode()
    except UnicodeDecodeError:  # written by a program that does not know UTF-8
        return data.decode("cp1252", "replace")


def _may_begin_a_word(name: str) -> bool:
    """Whether the name is long enough to be taken out of the beginning of a longer word."""
    words = [word for word in re.split(f"{_BETWEEN}+", _folded(name)[0]) if word]
    letters = [letter for letter in (words or [""])[-1] if unicodedata.category(letter)[0] == "L"]
    return len(letters) >= LONG and words[-1][-1] in letters


def _begins_with_capital(text: str, place: int) -> bool:
    """Whether a word begins at a capital letter behind a small one: the M of "AnnMia"."""
    return place > 0 and text[place].isupper() and text[place - 1].islower()


def _pattern(name: str) -> re.Pattern[str]:
    """Finds a folded name; signs between its words may be others, or none."""
    words = [_written(word) for word in re.split(f"{_BETWEEN}+", _folded(name)[0]) if word]
    orders = [words, [words[-1], *words[:-1]]] if len(words) > 1 else [words]
    return re.compile("|".join(f"{_BETWEEN}*".join(order) for order in orders) or re.escape(name))


def _written(word: str) -> str:
    """A pattern of the ways to write a folded word."""
    return "".join(_letter(letter, word[place + 1 : place + 2]) for place, letter in enumerate(word))


def _letter(letter: str, following: str) -> str:
    """A pattern of the ways to write a letter: with its accent, without it, or as other letters."""
    if _is_accent(letter):
        return f"{re.escape(letter)}?"
    parts = unicodedata.normalize("NFD", letter)
    forms = {letter, *_PLAIN.get(letter, ())}
    if all(_is_accent(part) for part in parts[1:]):
        forms.add(parts[0])
    for others in _ONE_LETTER:
        forms |= set(others) if forms & set(others) else set()
    pattern = "|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True))
    pattern = f"(?:{pattern})" if len(forms) > 1 else pattern
    if "\u0590" <= letter <= "\u06ff":
        return pattern + _POINTS
    # Korean has spaces between words, so two halves of two words would look like a name.
    return pattern + (r"\s?" if following and unicodedata.name(letter, "").startswith("CJK") else "")


def _is_accent(sign: str) -> bool:
    """Whether a mark may be left out. The vowels of Indian scripts and of Thai are marks too, and are not left out."""
    return unicodedata.combining(sign) >= 200 or 10 <= unicodedata.combining(sign) <= 35


def _folded(text: str) -> tuple[str, list[int]]:
    """The text without case, width and invisible characters, and the place in the composed text of every letter."""
    letters: list[str] = []
    origin: list[int] = []
    for place, letter in enumerate(_APOSTROPHES.sub("'", unicodedata.normalize("NFC", text))):
        if is_invisible(letter):
            continue
        plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", letter).casefold())
        letters += plain
        origin += [place] * len(plain)
    return "".join(letters), origin


def _places(
    pattern: re.Pattern[str], text: str, opens: bool = False, capitals: Collection[int] = ()
) -> Iterator[tuple[int, int]]:
    """Begin and end of every place where a folded text has the name as a word.

    Args:
        pattern: of the name.
        text: folded.
        opens: whether letters may follow the name.
        capitals: places in ``text`` where a capital letter begins a word.
    """
    start = 0
    while found := pattern.search(text, start):
        begin, end = found.span()
        short = end - begin == 1
        before, after = text[begin - 1 : begin], text[end : end + 1]
        joined = begin not in capitals and not _has_particles(text, begin, end) and _touches(text[begin], before, short)
        if joined or (end not in capitals and _touches(text[end - 1], after, short, opens)):
            start = begin + 1
            continue
        yield begin, end
        start = end


def _has_particles(text: str, begin: int, end: int) -> bool:
    """Whether only words that Arabic and Hebrew write together with the next one stand before a name."""
    at = begin
    while at > 0 and unicodedata.category(text[at - 1])[0] in "LM":
        at -= 1
    return end - begin > 2 and 0 < begin - at <= 3 and any(set(text[at:begin]) <= those for those in _PARTICLES)


def _touches(edge: str, neighbour: str, short: bool, opens: bool = False) -> bool:
    """Whether the letter beside a name belongs to the same word.

    Args:
        edge: first or last letter of the name.
        neighbour: the letter beside it; "" at the end of the text.
        short: the name is a single letter.
        opens: letters beside it belong to an ending or to another name.
    """
    if not neighbour:
        return False
    kind = unicodedata.category(neighbour)[0]
    if kind == "N":
        return unicodedata.category(edge)[0] == "N"
    if kind == "M":
        return True
    return kind == "L" and not opens and (short or not (_is_unspaced(edge) or _is_unspaced(neighbour)))


@functools.cache
def _is_unspaced(letter: str) -> bool:
    return unicodedata.name(letter, "").startswith(_UNSPACED)
