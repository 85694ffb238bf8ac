"""What a reader sees, in the reader's language: English in the code, other languages in catalogues (gettext).

The English sentence is the key. ``tr`` looks it up when it is shown, for the language of ``LANGUAGE``, which the app
sets to the browser's or to the chosen one. Sentences at the level of a module, and those of errors, are marked by
``later`` and looked up where they are shown: an error may be raised in a thread that knows no reader. Values come by
name, never by an f-string, so that a translation can put them elsewhere.

A sentence that a catalogue does not have is shown in English. What is stored, logged or written into a file for
programs stays English, whoever reads it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from numbers import Number

ENGLISH = "en"

LANGUAGES = {ENGLISH: "English", "de": "Deutsch", "hi": "हिन्दी", "es": "Español", "fr": "Français"}
"""Code -> what its readers call it. Each but English has a catalogue."""

LANGUAGE: ContextVar[str] = ContextVar("language", default=ENGLISH)
"""Of what is shown: "en", or a language that has a catalogue."""


class Later(str):
    """An English text that knows how it was made, so that ``tr`` can say it in the reader's language.

    Printed, logged, stored or sent it is a string like any other, in English. What is cut from it, or added to it with
    ``+`` or an f-string, is English only.

    Attributes:
        message: what the catalogue has.
        more: of a message that counts, the English for more than one; "" for any other.
        values: what was put in, by name.
    """

    __slots__ = ("message", "more", "values")
    message: str
    more: str
    values: dict[str, object]

    def __new__(cls, text: str, message: str = "", values: dict[str, object] | None = None, more: str = "") -> Later:
        made = super().__new__(cls, text)
        made.message, made.values, made.more = message or str(text), values or {}, more
        return made


def later(message: str, **values: object) -> str:
    """A mark for what ``tr`` looks up where it is shown: the text in English, with the values put in.

    Args:
        message: English; ``{name}`` where a value stands. Braces count only if there are values.
        values: what stands there, by name. One that ``later`` made is translated with the message.

    >>> later("{student} left the class.", student="Asha")
    'Asha left the class.'
    """
    return _made(message, message, values)


def later_n(one: str, more: str, number: int, **values: object) -> str:
    """As ``later``, for a message that counts: ``{number}`` is the number."""
    return _made(one if number == 1 else more, one, {"number": number, **values}, more)


def together(*parts: str, between: str = " ") -> str:
    """Texts one after the other, each of which is translated where the whole is shown. Empty ones are left out.

    >>> together(later("Nothing was saved."), "", later("Try again."))
    'Nothing was saved. Try again.'
    """
    values = {f"part{place}": part for place, part in enumerate(filter(None, parts))}
    return later(between.join(f"{{{name}}}" for name in values), **values)


def altered(text: str, change: Callable[[str], str]) -> str:
    """The text after a change that is made in its values too, so that it is still translated.

    >>> altered(later("{file} is damaged.", file="/tmp/upload/a.jpg"), lambda text: text.replace("/tmp/upload/", ""))
    'a.jpg is damaged.'
    """
    if not isinstance(text, Later):
        return change(text)
    values = {name: altered(value, change) if isinstance(value, str) else value for name, value in text.values.items()}
    return Later(change(str(text)), text.message, values, text.more)


def tr(message: str, **values: object) -> str:
    """The message in the reader's language, with the values put in.

    Args:
        message: English; ``{name}`` where a value stands. Braces count only if there are values. Or a text that
            ``later`` made.
        values: what stands there, by name. Those that ``later`` made are translated.

    >>> tr("{student} left the class.", student="Asha")
    'Asha left the class.'
    """
    if isinstance(message, Later):
        if message.more:
            return tr_n(message.message, message.more, **message.values)  # type: ignore[arg-type]  # has number
        if LANGUAGE.get() == ENGLISH and not values:
            return str(message)
        values = {**message.values, **values}
        message = message.message
    return _filled(_translated(message), message, values)


def tr_n(one: str, more: str, number: int, **values: object) -> str:
    """As ``tr``, for a message that counts: ``{number}`` is the number.

    >>> tr_n("{number} face", "{number} faces", 3)
    '3 faces'
    """
    values = {"number": number, **values}
    english = one if number == 1 else more
    language = LANGUAGE.get()
    if language == ENGLISH:
        return _filled(english, english, values)
    from fewshot.translation.catalogue import catalogue

    return _filled(catalogue(language).counted(one, number) or english, english, values)


def language_of(*locales: str | None) -> str:
    """The first language of the app among what a browser wants, most wanted first; English if it has none.

    >>> language_of("de-AT"), language_of("pt_BR", "fr"), language_of("pt"), language_of(None)
    ('de', 'fr', 'en', 'en')
    """
    wanted = [(locale or "").replace("_", "-").split("-")[0].strip().lower() for locale in locales]
    return next((language for language in wanted if language in LANGUAGES), ENGLISH)


def language_of_header(accepted: str) -> str:
    """The language for a request, from its header Accept-Language.

    >>> language_of_header("pt-BR, en;q=0.5, hi;q=0.8"), language_of_header(";;q=x,")
    ('hi', 'en')
    """
    wanted = []
    for part in accepted[:500].split(","):
        locale, _, weight = part.partition(";")
        try:
            wanted.append((-float(weight.strip().removeprefix("q=") or 1), locale))
        except ValueError:
            continue
    return language_of(*(locale for weight, locale in sorted(wanted, key=lambda found: found[0]) if weight < 0))


def _made(english: str, message: str, values: dict[str, object], more: str = "") -> Later:
    """The text that ``later`` gives. Paths, dates and errors are kept as the words that they are."""
    kept = {
        name: value if isinstance(value, str | float | int | Number) else str(value) for name, value in values.items()
    }
    return Later(english.format(**kept) if kept else english, message, {**kept}, more)


def _translated(message: str) -> str:
    language = LANGUAGE.get()
    if language == ENGLISH:
        return message
    from fewshot.translation.catalogue import catalogue

    return catalogue(language).get(message) or message


def _filled(text: str, english: str, values: dict[str, object]) -> str:
    if not values:
        return text
    values = {name: tr(value) if isinstance(value, Later) else value for name, value in values.items()}
    try:
        return text.format(**values)
    except (LookupError, ValueError, TypeError, AttributeError):
        if text is english:
            raise
        return english.format(**values)
