"""Keeps the names of other students out of what one family gets."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fewshot.classroom.blotting import SOMEBODY, Blotter
from fewshot.types import EMOTIONS

ANOTHER = "[another student]"


def hidden_others(name: str, others: Sequence[str]) -> Callable[[str], str]:
    """A function that replaces other students' names in a text, as the removal of a student does.

    Args:
        name: of the student whose data it is; it stays, also where it is a part of another name.
        others: names of all other students of the class.
    """
    everybody = [name, *others]
    blotters = [Blotter(other, everybody) for other in sorted(others, key=len, reverse=True)]
    # A teacher writes first names. What is a word of the student's own name stays.
    words = {word for other in others for word in other.split() if len(word) > 1} - {*others, *name.split()}
    blotters += [Blotter(word, [name]) for word in sorted(words)]

    def hide(text: str) -> str:
        for blot in blotters:
            changed = blot(text)
            if changed != text:
                text = changed.replace(SOMEBODY, ANOTHER)
        return text

    return hide


def hidden_in_label(label: str | None, hide: Callable[[str], str]) -> str | None:
    """A label without the names of others. The seven emotions stay, even if a student is called Happy."""
    return label if label is None or label in EMOTIONS else hide(label)


def is_named(name: str, others: Sequence[str]) -> Callable[[str], bool]:
    """A function that tells whether a text names a student: by the name, or by a word of it that no other name has."""
    theirs = {word.casefold() for other in others for word in other.split()}
    words = [word for word in name.split() if len(word) > 1 and word.casefold() not in theirs]
    blotters = [Blotter(part, others) for part in dict.fromkeys([name, *words])]
    return lambda text: any(blot(text) != text for blot in blotters)
