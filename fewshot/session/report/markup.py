"""Small pieces of HTML. All text from users is escaped here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape

from fewshot.session.charts.faces import face_svg, ink_on
from fewshot.session.charts.render import to_svg
from fewshot.session.charts.theme import Chart, palette
from fewshot.translation import ENGLISH, LANGUAGE, tr
from fewshot.translation.words import emotion_word


def paragraph(text: str, kind: str = "") -> str:
    """Escaped text; ``kind`` is a class of the style sheet."""
    return f"<p{_kind(kind)}>{escape(text)}</p>"


def name(text: str) -> str:
    """A name, isolated so that a name written from right to left does not change the order of the text around it."""
    return f"<bdi>{escape(text)}</bdi>"


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """A list of names and values."""
    return "<dl>" + "".join(f"<dt>{escape(what)}</dt><dd>{name(value)}</dd>" for what, value in pairs) + "</dl>"


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose first column names the row."""
    top = "".join(f'<th scope="col">{escape(word)}</th>' for word in head)
    body = "".join(
        f'<tr><th scope="row">{name(row[0])}</th>' + "".join(f"<td>{name(cell)}</td>" for cell in row[1:]) + "</tr>"
        for row in rows
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}"><table><caption class="quiet">'
        f"{escape(caption)}</caption><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def folded(summary: str, inside: str) -> str:
    """A part that the reader can unfold."""
    return f"<details><summary>{escape(summary)}</summary>{inside}</details>"


def figure(chart: Chart, number: int, says: str, caption: str) -> str:
    """A chart as inline SVG.

    Args:
        number: of the figure in the document; it keeps identifiers inside the SVGs of one page distinct.
        says: what the picture shows, for people who cannot see it.
    """
    svg = to_svg(chart)
    svg = re.sub(
        r' (?:role="graphics-[a-z]+"|aria-roledescription="[^"]*")', "", svg
    )  # parts without words of their own
    if LANGUAGE.get() != ENGLISH:
        svg = re.sub(r' aria-label="Title text [^"]*"', "", svg)  # Vega's own words, which are in English
    svg = re.sub(r'(id="|url\(#)([\w-]+)', rf"\g<1>f{number}-\2", svg)
    svg = re.sub(
        r"<svg\b[^>]*?(viewBox=\"[^\"]*\")[^>]*>", rf'<svg \1 role="img" aria-label="{escape(says)}">', svg, count=1
    )
    told = escape(tr("Figure {number}. {caption}", number=number, caption=caption))
    # On a narrow screen it is moved sideways: as narrow as the screen, its words could not be read.
    return (
        f'<figure><div class="scroll" tabindex="0" role="group" aria-label="{escape(says)}">{svg}</div>'
        f"<figcaption>{told}</figcaption></figure>"
    )


def legend(states: Sequence[str]) -> str:
    """Face and word of every state."""
    colour = palette(states)
    items = "".join(
        f"<li>{face_svg(state, colour[state], ink_on(colour[state]))}<span>{escape(emotion_word(state))}</span></li>"
        for state in states
    )
    return f'<ul class="legend" aria-label="{escape(tr("Legend"))}">{items}</ul>'


def _kind(kind: str) -> str:
    return f' class="{kind}"' if kind else ""
