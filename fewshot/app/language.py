"""The language of a page: the one that the teacher chose, else the browser's."""

from __future__ import annotations

import contextlib
import re

import streamlit as st

from fewshot.app.visitor import visitor
from fewshot.database.owner import is_demo
from fewshot.errors import FewshotError
from fewshot.session.settings import Settings
from fewshot.translation import ENGLISH, LANGUAGE, LANGUAGES, language_of, tr

CHOSEN = "language"
"""In the session of a tab, and among the settings of a teacher: code of the chosen language; "" for the browser's."""
_FIELD = "language field"


def speak() -> None:
    """Let ``tr`` use the language of this page. Each thread that draws needs it: ``shell.calm`` calls it."""
    LANGUAGE.set(st.session_state.get(CHOSEN) or language_of(st.context.locale))


def read_choice() -> None:
    """Read the teacher's setting, once for each run of a page, and speak that language."""
    if not is_demo():
        with contextlib.suppress(FewshotError):  # the page says what is wrong with the database
            st.session_state[CHOSEN] = _known(Settings(owner=visitor()).get(CHOSEN))
    speak()


def choose(language: str) -> None:
    """Choose a language ("" for the browser's), for this tab and, but in the demo, as the teacher's setting."""
    if not is_demo():
        Settings(owner=visitor()).set(CHOSEN, language or None)
    st.session_state[CHOSEN] = language
    st.session_state.pop(_FIELD, None)
    speak()


def language_field() -> None:
    """The setting, which holds at once."""
    st.session_state.setdefault(_FIELD, st.session_state.get(CHOSEN, ""))
    st.selectbox(
        tr("Language"),
        ["", *LANGUAGES],
        format_func=lambda language: LANGUAGES.get(language) or tr("As the browser"),
        key=_FIELD,
        on_change=lambda: choose(st.session_state[_FIELD]),
        width=300,
    )


def date_format() -> str:
    """How a field for a date is written, as Streamlit names it."""
    return {ENGLISH: "YYYY/MM/DD", "de": "DD.MM.YYYY"}.get(LANGUAGE.get(), "DD/MM/YYYY")


def name_fields() -> None:
    """Show the reader's words in place of those of Streamlit's own that are in English.

    They are on the buttons of fields for files, and where the menu on top is short of space ("2 more"). The line beside
    such a button, "500MB per file", goes: the page says it above the field.
    """
    if LANGUAGE.get() != ENGLISH:
        uploads = _says('[data-testid="stFileUploaderDropzone"] button p', tr("Browse"))
        menu = _says('[data-testid="stTopNavSection"] p', tr("More"))
        limits = '[data-testid="stFileUploaderDropzoneInstructions"] { display: none; }'
        st.html(f"<style>{uploads}{menu}{limits}</style>")


def _says(what: str, word: str) -> str:
    """Style that shows a word of the catalogue in place of an element's own text."""
    quoted = re.sub(r'["\\\\<>]', "", word)
    return f'{what} {{ font-size: 0; }} {what}::after {{ content: "{quoted}"; font-size: .875rem; }}'


def in_english_too(text: str) -> None:
    """The English of a text whose words count, below its translation."""
    if tr(text) != text:
        st.caption(text)


def _known(language: object) -> str:
    return language if isinstance(language, str) and language in LANGUAGES else ""
