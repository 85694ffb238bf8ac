"""Whose name a label says. Strict: a label that could be two students' is nobody's, and nobody is guessed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from fewshot.call_labels.written import Written, label_written, lossy_forms, name_written

_FULL = 3
"""Letters of a word that counts as a name of its own, and not as an initial."""
_CUT_LETTERS = 5
"""Letters that must be left of a name that was cut off."""
_CUT_WHOLE = 8
"""Letters that must be left of one that was also read without spaces."""
_MOST_WORDS = 6
"""Words of a short form; more of them would take long to compare, and are no name."""


class Named(NamedTuple):
    """The answer to one reading of a label.

    Attributes:
        student: whose name it is.
        may: the student may be named, because the consent is valid.
        near: another student's name differs by so little that a slip of the reader could have made it this one.
    """

    student: str
    may: bool
    near: bool


class NameBook:
    """The names of one class.

    Args:
        students: everybody in the class. Those without consent count as rivals, so that none is taken for another.
        consenting: those who may be named; None: all.

    Examples:
        >>> book = NameBook(["Asha Patel", "Anna", "Anne"])
        >>> book.match("Asha P. (she/her)").student, book.match("Ann…")
        ('Asha Patel', None)
    """

    def __init__(self, students: Iterable[str], consenting: Collection[str] | None = None) -> None:
        self._names = {student: name_written(student) for student in students}
        self._lossy = {student: lossy_forms(student) for student in self._names}
        self._may = frozenset(self._names if consenting is None else consenting)

    def match(self, text: str) -> Named | None:
        """The one student whose name a label says; None if there is none, or more than one.

        Args:
            text: the label as it was read.
        """
        label = label_written(text)
        if not label.words:
            return None
        exact = [
            student
            for student, name in self._names.items()
            if _same(label, name) or (label.joined in self._lossy[student] and not label.cut)
        ]
        if exact:
            longer = any(_within(label, name) for student, name in self._names.items() if student not in exact)
            student = exact[0] if len(exact) == 1 and not longer else None
        else:
            close = [
                student
                for student, name in self._names.items()
                if _within(label, name) or _within(name, label) or _cut_without_spaces(label, name)
            ]
            student = close[0] if len(close) == 1 and self._says_enough(label, close[0]) else None
        if student is None:
            return None
        near = any(_near(label, name) for other, name in self._names.items() if other != student)
        return Named(student, student in self._may, near)

    def is_slip(self, text: str, student: str) -> bool:
        """Whether a slip or two of the reader could have made this text, which is nobody's name, from a whole name."""
        label, name = label_written(text), self._names.get(student)
        if name is None or not label.words or label.joined == name.joined:
            return False
        return _slips(label.joined, name.joined) <= (1 if min(label.letters, name.letters) < 8 else 2)

    def _says_enough(self, label: Written, student: str) -> bool:
        name = self._names[student]
        return _enough(label, name) or (_cut_without_spaces(label, name) and not _two_people(label, name))


def _cut_without_spaces(label: Written, name: Written) -> bool:
    """Whether a label was cut off, read without its spaces, and is the beginning of a name beyond the given name."""
    if not label.cut or label.letters < _CUT_WHOLE or not name.words:
        return False
    return name.joined.startswith(label.joined) and label.letters > len(name.words[name.first])


def _same(label: Written, name: Written) -> bool:
    """The same words in the same order, or with the last name first; a comma may be a spot beside the letters."""
    if label.cut:
        return False
    if label.joined == name.joined:
        return True
    count = len(label.words)
    turned = (label.words[place:] + label.words[:place] for place in range(count))
    return count > 1 and len(name.words) == count and name.words in turned


def _within(short: Written, long: Written) -> bool:
    """Whether each word of one is a word of the other, or the beginning of one; each counts once, in any order."""
    fits = 0 < len(short.words) <= min(len(long.words), _MOST_WORDS)
    return fits and _placed(list(zip(short.words, short.open, strict=True)), long.words)


def _placed(words: Sequence[tuple[str, bool]], places: tuple[str, ...]) -> bool:
    if not words:
        return True
    (word, opened), rest = words[0], words[1:]
    return any(
        (place == word or (opened and _begins(word, place)))
        and _placed(rest, (*places[:number], *places[number + 1 :]))
        for number, place in enumerate(places)
    )


def _begins(word: str, whole: str) -> bool:
    """Whether a word is the beginning of another; an r or v at its end may be half of what is compared as m or w."""
    return whole.startswith(word) or (len(word) > 2 and word[-1] in "rv" and whole.startswith(word[:-1]))


def _enough(label: Written, name: Written) -> bool:
    """Whether a short form says enough: the given name in full, or its initial with the last name in full."""
    if not name.words or (label.cut and label.letters < _CUT_LETTERS) or _two_people(label, name):
        return False
    given, own = label.words[label.first], name.words[name.first]
    opened = label.open[label.first] and not (label.cut and len(label.words) == 1)
    if len(given) > 1 and (given == own or (not opened and own == given)):
        return True
    if label.cut and len(label.words) == 1:
        return own.startswith(given)
    if name.open[name.first] or label.open[label.first]:
        shared = set(label.words) & set(name.words)
        begins = own.startswith(given) or given.startswith(own)
        return begins and len(label.words) == len(name.words) and any(len(word) >= _FULL for word in shared)
    return False


def _two_people(label: Written, name: Written) -> bool:
    """Whether one has two words in full and the other one more: "Asha Patel" and "Asha Patel-Rao" may be two people."""
    short, long = sorted((label, name), key=lambda one: len(one.words))
    full = [word for word, opened in zip(short.words, short.open, strict=True) if not opened]
    more = [word for word, opened in zip(long.words, long.open, strict=True) if not opened and word not in short.words]
    return len(full) > 1 and len(more) > len(short.words) - len(full)


def _near(label: Written, name: Written) -> bool:
    """Whether a slip or two of the reader could turn this name into that label."""
    pairs = [(label.joined, name.joined)]
    if len(label.words) == 1 or len(name.words) == 1:
        pairs.append((label.words[label.first], name.words[name.first] if name.words else ""))
    if len(label.words) == len(name.words) > 1:
        pairs.append(("".join(sorted(label.words)), "".join(sorted(name.words))))
    return any(_slips(one, other) <= (1 if min(len(one), len(other)) < 8 else 2) for one, other in pairs)


def _slips(one: str, other: str) -> int:
    """Letters that must be changed, added or dropped to turn one into the other (Levenshtein 1965)."""
    if abs(len(one) - len(other)) > 2:
        return 3
    row = list(range(len(other) + 1))
    for number, letter in enumerate(one, 1):
        before, row[0] = row[0], number
        for place, wanted in enumerate(other, 1):
            before, row[place] = (
                row[place],
                min(row[place] + 1, row[place - 1] + 1, before + (letter != wanted)),
            )
    return row[-1]
