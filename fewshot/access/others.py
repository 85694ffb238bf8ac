"""Keeps the names of other students out of what one family gets."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fewshot.classroom.blotting import SOMEBODY, Blotter

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


def is_named(name: str, others: Sequence[str]) -> Callable[[str], bool]:
    """A function that tells whether a text names a student."""
    blot = Blotter(name, others)
    return lambda text: blot(text) != text
