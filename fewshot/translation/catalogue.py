"""The catalogues, as they are read from the files beside this module."""

from __future__ import annotations

import functools
import gettext
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from importlib.resources.abc import Traversable
from string import Formatter
from typing import Any

logger = logging.getLogger(__name__)

Placeholders = frozenset[tuple[str, str, str]]
"""Name, conversion and format of each ``{...}``."""

FOLDER: Traversable = files("fewshot.translation") / "catalogues"


def _one_or_more(number: int) -> int:
    return int(number != 1)


@dataclass(frozen=True)
class Catalogue:
    """The messages of a language.

    Attributes:
        messages: English -> translation, for those that have one.
        counting: English for one -> the forms of the translation.
        form: which form a number takes.
    """

    messages: Mapping[str, str] = field(default_factory=dict)
    counting: Mapping[str, Sequence[str]] = field(default_factory=dict)
    form: Callable[[int], int] = _one_or_more

    def get(self, message: str) -> str | None:
        """The translation; None if there is none."""
        return self.messages.get(message)

    def counted(self, one: str, number: int) -> str | None:
        """The form of the translation for a number; None if there is none."""
        forms = self.counting.get(one)
        if not forms:
            return None
        try:
            return forms[self.form(number)]
        except (IndexError, TypeError, ValueError):  # a number that no rule is for, such as 0.5
            return None


@functools.cache
def catalogue(language: str) -> Catalogue:
    """The catalogue of a language, read once per process. An empty one if it cannot be read: then English is shown."""
    try:
        return read(FOLDER / f"{language}.po")
    except ImportError:
        logger.warning("Babel is not installed (it belongs to the extra app), so everything is shown in English")
    except (OSError, ValueError) as error:  # Babel's error for a damaged file is a ValueError or says no more
        logger.warning("the translations for %r cannot be read, so English is shown: %s", language, error)
    return Catalogue()


def read(path: Traversable) -> Catalogue:
    """A catalogue from its file, without what is fuzzy or does not fit.

    Raises:
        ImportError: Babel is not installed.
        OSError, ValueError: there is no such file, or it is damaged.
    """
    from babel.messages.pofile import PoFileError, read_po

    with path.open("rb") as file:
        try:
            found = read_po(file, abort_invalid=True)
            form = gettext.c2py(found.plural_expr)  # type: ignore[attr-defined]
        except (PoFileError, LookupError, TypeError, AttributeError) as error:  # Babel's at odd headers
            raise ValueError(str(error)) from error
    messages: dict[str, str] = {}
    counting: dict[str, Sequence[str]] = {}
    for message in found:
        if not message.id or message.fuzzy or misfits(message, form(0) == form(1)):
            continue
        if message.pluralizable:
            if all(message.string):
                counting[message.id[0]] = tuple(message.string)
        elif message.string:
            messages[str(message.id)] = str(message.string)
    return Catalogue(messages, counting, form)


def placeholders(text: str) -> Placeholders | None:
    """What stands in braces; None if the braces are no placeholders, as in a text that is shown as it is."""
    try:
        found = [part[1:] for part in Formatter().parse(text) if part[1] is not None]
    except ValueError:
        return None
    return frozenset((name or "", conversion or "", form or "") for name, form, conversion in found)


def misfits(message: Any, zero_like_one: bool) -> bool:
    """Whether a translation does not have the placeholders of the English.

    Args:
        message: ``babel.messages.catalog.Message``.
        zero_like_one: whether the language has one form for 0 and 1, as French does. In others the form for one
            thing may leave ``{number}`` out if the English one does.
    """
    if not message.pluralizable:
        return bool(message.string) and placeholders(message.string) != placeholders(message.id)
    one, more = map(placeholders, message.id)
    for place, text in enumerate(message.string):
        given = placeholders(text)
        if text and given != more and (place or zero_like_one or given != one):
            return True
    return False
