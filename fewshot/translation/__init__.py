"""What a reader sees, in the reader's language: English in the code, other languages in catalogues (gettext).

The English sentence is the key. ``tr`` looks it up when it is shown, for the language of ``LANGUAGE``, which the app
sets to the browser's or to the chosen one. Sentences at the level of a module are marked by ``later`` and looked up
where they are shown. Values come by name, never by an f-string, so that a translation can put them elsewhere.
"""

from __future__ import annotations

from contextvars import ContextVar

LANGUAGE: ContextVar[str] = ContextVar("language", default="en")
"""Of what is shown: "en", or a language that has a catalogue."""


def later(message: str) -> str:
    """The message as it is: a mark for what ``tr`` looks up where it is shown."""
    return message


def tr(message: str, **values: object) -> str:
    """The message in the reader's language, with the values put in.

    Args:
        message: English; ``{name}`` where a value stands. Braces count only if there are values.
        values: what stands there, by name.

    >>> tr("{student} left the class.", student="Asha")
    'Asha left the class.'
    """
    return message.format(**values) if values else message


def tr_n(one: str, more: str, number: int, **values: object) -> str:
    """As ``tr``, for a message that counts: ``{number}`` is the number.

    >>> tr_n("{number} face", "{number} faces", 3)
    '3 faces'
    """
    return tr(one if number == 1 else more, number=number, **values)
