"""How a state looks everywhere in the app: one colour, one drawn face, one word. Never only a colour."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from urllib.parse import quote

from fewshot.session.analysis.grid import UNSURE_STATE
from fewshot.session.analysis.students import AWAY_STATE, NOT_READABLE_STATE
from fewshot.session.charts.faces import face_svg, ink_on
from fewshot.session.charts.theme import palette
from fewshot.translation.words import emotion_word
from fewshot.types import EMOTIONS

UNSURE, NOT_READABLE, AWAY = UNSURE_STATE, NOT_READABLE_STATE, AWAY_STATE
NO_STATE = (UNSURE, NOT_READABLE, AWAY)
"""What is shown if no state is named."""
_REMEMBERED = 512
"""Looks in memory; people invent states."""


@dataclass(frozen=True, slots=True)
class Look:
    """A state's word, its colour as #rrggbb, and the ink that is readable on it."""

    word: str
    colour: str
    ink: str


@lru_cache(maxsize=_REMEMBERED)
def look_of(state: str) -> Look:
    """The look of an emotion, of a student's own state, or of one of ``NO_STATE``, in the reports' palette."""
    colour = palette([state])[state]
    return Look(state, colour, ink_on(colour))


@lru_cache(maxsize=_REMEMBERED)
def icon(state: str, size: int = 20) -> str:
    """The drawn face of a state as SVG; decoration only (the word stands beside it), so hidden from screen readers."""
    look = look_of(state)
    return face_svg(state, look.colour, look.ink, size)


@lru_cache(maxsize=_REMEMBERED)
def image(state: str, size: int = 18) -> str:
    """The drawn face as an image, for ``st.html``, which removes SVG."""
    drawn = icon(state, size).replace("currentColor", "#808080")
    drawn = drawn.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ')
    return f'<img class="fs-icon" alt="" width="{size}" height="{size}" src="data:image/svg+xml,{quote(drawn)}">'


def photo_html(jpeg: bytes, words: str, width: int) -> str:
    """A photo for ``st.html``, inside the page: an address of its own could be fetched by others.

    Args:
        jpeg: the file.
        words: what it shows, for screen readers.
        width: in pixels, at most.
    """
    source = base64.b64encode(jpeg).decode()
    return f'<img class="fs-photo" alt="{escape(words)}" width="{width}" src="data:image/jpeg;base64,{source}">'


def chip(state: str, text: str = "") -> str:
    """Icon and word for a line of text in ``st.html``."""
    return f'<span class="fs-chip">{image(state)}<span>{escape(text or emotion_word(state))}</span></span>'


def legend(own: tuple[str, ...] = ()) -> str:
    """All states with icon and word, as one line of HTML."""
    return '<div class="fs-legend">' + "".join(chip(state) for state in (*EMOTIONS, *own, UNSURE, AWAY)) + "</div>"
