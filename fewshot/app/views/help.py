"""Help: the how-to pages for teachers, packaged with the app, so that no internet is needed."""

from __future__ import annotations

import re
from html import escape
from importlib.resources import files
from importlib.resources.abc import Traversable

import streamlit as st

from fewshot.errors import FewshotError
from fewshot.translation import ENGLISH, LANGUAGE, later, tr

TOPICS = {
    "enroll-students": later("Enroll students"),
    "watch-a-call": later("Watch a call"),
    "read-a-report": later("Read a report"),
}
"""Packaged pages by file name, as the switch on the page calls them. ``.ci/build_help.py`` writes the files."""


def page() -> None:
    """Draw the page."""
    st.html(f"<h1>{escape(tr('Help'))}</h1>")
    topic = st.segmented_control(
        tr("Help about"), list(TOPICS), default=next(iter(TOPICS)), format_func=_title, required=True
    )
    topic, language = topic or next(iter(TOPICS)), LANGUAGE.get()
    if not packaged(topic, language).is_file():
        language = ENGLISH
        st.caption(tr("This page is in English."))
    elif is_behind(topic, language):
        st.caption(tr("The English page is newer than this translation."))
    st.html(f'<div class="fs-help" lang="{language}">{body(topic, language)}</div>')


def _title(topic: str) -> str:
    return tr(TOPICS[topic])


def packaged(topic: str, language: str) -> Traversable:
    """Where the page lies, if it is there."""
    folder = files("fewshot.app") / "help"
    return (folder if language == ENGLISH else folder / language) / f"{topic}.html"


def is_behind(topic: str, language: str) -> bool:
    """Whether the English page has changed since it was translated."""
    return '<main class="behind">' in packaged(topic, language).read_text(encoding="utf-8")


def body(topic: str, language: str = ENGLISH) -> str:
    """The content of a packaged page as it stands in the app.

    A click on a link would load the app anew, so links between the packaged pages become plain words; links to the
    project open beside the app.

    Raises:
        FewshotError: the page is missing from this installation.
    """
    path = packaged(topic, language)
    if not path.is_file():
        raise FewshotError(
            later("The help page {topic!r} is missing from this installation. Install fewshot again.", topic=topic)
        )
    text = path.read_text(encoding="utf-8")
    text = text[text.index(">", text.index("<main")) + 1 : text.index("</main>")]
    text = re.sub(r'<a href="[\w-]+\.html">(.*?)</a>', r"<em>\1</em>", text)
    text = text.replace('<a href="https:', '<a target="_blank" rel="noopener" href="https:')
    return re.sub(r"<h1>(.*?)</h1>", r"<h2>\1</h2>", re.sub(r"<(/?)h2>", r"<\1h3>", text))
