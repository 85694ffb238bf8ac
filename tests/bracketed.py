"""A language that only tests have: every message in brackets. What stands outside of them was not looked up."""

from __future__ import annotations

import re
from collections.abc import Iterable
from string import Formatter

_OURS = re.compile(r"⟦[^⟦⟧]*⟧")
_WORD = re.compile(r"[^\W\d_]{2,}")


class Bracketed:
    """A catalogue that has every message: its words are in brackets, and the values between them as they come."""

    def get(self, message: str) -> str:
        return "".join(
            (f"⟦{literal}⟧" if literal else "") + ("" if name is None else f"{{{name}}}")
            for literal, name, _, _ in Formatter().parse(message)
        )

    def counted(self, one: str, _number: int) -> str:
        return self.get(one)


def not_looked_up(text: str, known: Iterable[str]) -> str:
    """What is left of a text without its messages, and without ``known``: names, and what a user wrote. Numbers and
    single letters do not count; "" if nothing is left."""
    for word in sorted(filter(None, known), key=len, reverse=True):
        text = text.replace(word, "")
    text = _OURS.sub("", text)
    assert not set(text) & {"⟦", "⟧"}, text
    return text if _WORD.search(text) else ""
