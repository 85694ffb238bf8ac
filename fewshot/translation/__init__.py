"""What a reader sees, in the reader's language: English in the code, other languages in catalogues (gettext).

The English sentence is the key. ``tr`` looks it up when it is shown, for the language of ``LANGUAGE``, which the app
sets to the browser's or to the chosen one. Sentences at the level of a module are marked by ``later`` and looked up
where they are shown. Values come by name, never by an f-string, so that a translation can put them elsewhere.

A sentence that a catalogue does not have is shown in English. What is stored, logged or written into a file for
programs stays English, whoever reads it.
"""

from __future__ import annotations

from contextvars import ContextVar

ENGLISH = "en"

LANGUAGES = {ENGLISH: "English", "de": "Deutsch", "hi": "हिन्दी", "es": "Español", "fr": "Français"}
"""Code -> what its readers call it. Each but English has a catalogue."""

LANGUAGE: ContextVar[str] = ContextVar("language", default=ENGLISH)
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
        return english.format(**values)
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


def _translated(message: str) -> str:
    language = LANGUAGE.get()
    if language == ENGLISH:
        return message
    from fewshot.translation.catalogue import catalogue

    return catalogue(language).get(message) or message


def _filled(text: str, english: str, values: dict[str, object]) -> str:
    if not values:
        return text
    try:
        return text.format(**values)
    except (LookupError, ValueError, TypeError, AttributeError):
        if text is english:
            raise
        return english.format(**values)
