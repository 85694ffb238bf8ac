"""A made-up language in which every message stands in brackets: what has none on a page was not translated."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.message import Message
from streamlit.testing.v1 import AppTest

import fewshot
from fewshot.translation import LANGUAGE, catalogue

CODE = "de"
"""It stands in the place of a real one: the app knows no others."""
_READ = frozenset(
    ("body", "caption", "content", "error", "help", "label", "options", "placeholder", "text", "title", "warning")
)
"""Fields of Streamlit's messages that a person reads."""
_INNERMOST = re.compile("⟦[^⟦⟧]*⟧")
_WORD = re.compile(r"[^\W\d_]{2,}")


@cache
def marked() -> frozenset[str]:
    """Every message that stands in the code as a mark: a catalogue can have no others."""
    found: set[str] = set()
    for path in Path(fewshot.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in ("tr", "tr_n", "later", "later_n")
            ):
                found |= {
                    one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)
                }
    return frozenset(found)


class Bracketed(catalogue.Catalogue):
    """Every message is its own translation, in brackets."""

    def get(self, message: str) -> str | None:
        return f"⟦{message}⟧" if message in marked() else None

    def counted(self, one: str, _number: int) -> str | None:
        return f"⟦{one}⟧" if one in marked() else None


def speak_it(patch: pytest.MonkeyPatch) -> None:
    """From now on every language but English is this one."""
    patch.setattr(catalogue, "catalogue", lambda _language: Bracketed())


@contextmanager
def spoken() -> Iterator[None]:
    """The test itself speaks it. Pages run in a thread of their own, but ``AppTest`` looks up options in the test's."""
    before = LANGUAGE.set(CODE)
    try:
        yield
    finally:
        LANGUAGE.reset(before)


class _Read(HTMLParser):
    """What a person reads, or hears, of HTML."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._style = False

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self._style = tag in ("style", "script")
        self.found += [value or "" for name, value in attributes if name in ("alt", "title", "aria-label")]

    def handle_endtag(self, _tag: str) -> None:
        self._style = False

    def handle_data(self, data: str) -> None:
        if not self._style:
            self.found.append(data)


def left(text: str, known: Iterable[str] = ()) -> str:
    """What of a text stands outside of brackets and is a word; "" if nothing does.

    Args:
        text: may be HTML or Markdown.
        known: names and other words of users.

    >>> left("<b>⟦Hello {⟦you⟧}⟧</b> Asha: <i>42 %</i>", ["Asha"]), left("<b>⟦Hello⟧ there</b>")
    ('', 'there')
    """
    while _INNERMOST.search(text):
        text = _INNERMOST.sub(" ", text)
    reader = _Read()
    reader.feed(text)
    reader.close()
    rest = re.sub(r":material/\w+:", " ", " ".join(reader.found))
    for word in sorted(known, key=len, reverse=True):
        rest = rest.replace(word, " ")
    return " ".join(rest.split()) if _WORD.search(rest) else ""


def read_on(test: AppTest) -> Iterator[tuple[str, str]]:
    """(kind of element, text) of everything that a person reads on a page, and of what its components get."""
    for element in test:
        kind = str(element.type)
        proto = getattr(element, "proto", None)
        if isinstance(proto, Message):
            yield from ((kind, text) for text in _texts(proto))
        if kind == "dataframe":
            table = element.value
            cells = [cell for column in table for cell in table[column] if isinstance(cell, str)]
            yield from ((kind, text) for text in (*table.columns, *cells))


def _texts(message: Message) -> Iterator[str]:
    for field, value in message.ListFields():
        for one in value if field.is_repeated else [value]:
            if isinstance(one, Message):
                yield from _texts(one)
            elif isinstance(one, str) and field.name in _READ:
                yield one
            elif isinstance(one, str) and field.name == "spec":
                yield from _titles(json.loads(one))
            elif isinstance(one, str) and field.name in ("json", "mixed"):
                yield from _told(json.loads(one))


def _told(data: dict[str, Any]) -> Iterator[str]:
    """What a component of the page shows of what it is told: its words, and of tiles what is heard and drawn."""
    words = data.get("words", {})
    yield from [words] if isinstance(words, str) else words.values()
    for _key, heard, _kind, _colour, drawn, number in data.get("tiles", ()):
        yield from (heard, drawn, number)


def _titles(spec: Any) -> Iterator[str]:
    """What is read of a chart: its description, titles, and the words of the data."""
    for name, value in spec.items() if isinstance(spec, dict) else enumerate(spec) if isinstance(spec, list) else ():
        if isinstance(value, str) and name in ("description", "title", "word", "text"):
            yield value
        yield from _titles(value)


def unspoken(test: AppTest, known: Iterable[str] = ()) -> list[str]:
    """Everything on a page that was not translated, each once: "kind: text"."""
    rest = [(kind, left(text, known)) for kind, text in read_on(test)]
    return list(dict.fromkeys(f"{kind}: {text}" for kind, text in rest if text))
