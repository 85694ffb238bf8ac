"""The class at a glance: one tile per student, drawn as HTML in Python and put in place by ``board.js``."""

from __future__ import annotations

import base64
from collections.abc import Collection, Mapping, Sequence
from html import escape
from typing import Any

from fewshot.app.avatars import avatar
from fewshot.app.board import BARS, BUCKET, Bar, BoardView, Tile
from fewshot.app.palette import AWAY, NO_STATE, icon, legend, look_of
from fewshot.prototypes.calibration import CLEAR, sure_word
from fewshot.session.analysis.words import percent
from fewshot.translation import tr
from fewshot.translation.words import emotion_word

_HIGH, _STEP = 16, 3
_QUIET = "#8f949c73"
"""Neutral is the most frequent state: it is half transparent, so that the others stand out on any background."""


def tile_html(tile: Tile, drawn: bool = False, portrait: bytes | None = None) -> str:
    """The inside of one tile: name, state, how sure it is in a word, and the last minutes."""
    face = avatar(tile.student, 24, drawn) if portrait is None else _portrait(portrait)
    sure = f'<span class="sure">{escape(tr(sure_word(tile.confidence or 0.0)))}</span>' if _says_how_sure(tile) else ""
    word = escape(emotion_word(tile.state))
    return (
        f'<span class="who">{face}<span class="name" dir="auto">{escape(tile.student)}</span></span>'
        f'<span class="state">{icon(tile.state, 18)}<span class="word">{word}</span>{sure}</span>'
        f"{sparkline(tile.bars)}"
    )


def _portrait(jpeg: bytes) -> str:
    """A small photograph beside the name, which says who it is. It is part of the page and has no address."""
    return f'<img class="fs-avatar" alt="" src="data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}">'


def sparkline(bars: tuple[Bar, ...]) -> str:
    """The last minutes: one bar per few seconds; its height is the confidence, its colour the state.

    "Unsure" is a low grey bar, "not in view" a gap.
    """
    strokes: dict[str, list[str]] = {}
    first = BARS - len(bars)
    for place, bar in enumerate(bars, start=first):
        if bar.state == AWAY:
            continue
        high = 3.0 if bar.state in NO_STATE else 4 + 12 * min(max(bar.confidence, 0.0), 1.0)
        strokes.setdefault(_colour(bar.state), []).append(f"M{place * _STEP} {_HIGH}v-{high:.0f}h2v{high:.0f}z")
    paths = "".join(f'<path fill="{colour}" d="{"".join(parts)}"/>' for colour, parts in strokes.items())
    box = f"0 0 {BARS * _STEP} {_HIGH}"
    return f'<svg class="spark" viewBox="{box}" preserveAspectRatio="none" aria-hidden="true">{paths}</svg>'


def tiles_legend(own: Sequence[str] = ()) -> str:
    """What the colours, words and strips of the tiles mean, as HTML.

    Args:
        own: states of students' own in this class.
    """
    strip = tr(
        "The strip of a tile shows the last {minutes} minutes, one bar for {seconds} seconds. Colour: the state that "
        "was seen most. Height: how sure. A low grey bar: unsure. A gap: not in view. “Clear” means {clear} or more, "
        "“likely” less; for the number, point at the word or click the tile.",
        minutes=f"{BARS * BUCKET / 60:.0f}", seconds=f"{BUCKET:.0f}", clear=percent(CLEAR),
    )  # fmt: skip
    return f'{legend(tuple(own))}<p class="fs-muted">{strip}</p>'


def _colour(state: str) -> str:
    return _QUIET if state == "neutral" else look_of(state).colour


def spoken(tile: Tile) -> str:
    """A tile in words, for screen readers."""
    if tile.state == AWAY:
        return tr("{student}: not in view", student=tile.student)
    if tile.confidence is None or not _says_how_sure(tile):
        return tr("{student}: {state}", student=tile.student, state=emotion_word(tile.state))
    return tr(
        "{student}: {state}, {sure}, {share}", student=tile.student, state=emotion_word(tile.state),
        sure=tr(sure_word(tile.confidence)), share=percent(tile.confidence),
    )  # fmt: skip


def board_data(
    view: BoardView,
    drawn: bool = False,
    chosen: str | None = None,
    first: Collection[str] = (),
    portraits: Mapping[str, bytes] | None = None,
) -> dict[str, Any]:
    """What ``board.js`` needs. One row per student: key, words, class of the tile, colour of its edge, HTML, and the
    number behind the word of how sure it is, which is shown on hover.

    Args:
        drawn: the class is made up, so its avatars are drawn faces.
        chosen: the student whose tile was clicked.
        first: students whose tiles come first; both parts keep the order of the class.
        portraits: student -> small JPEG to show in place of the avatar, of people who may be shown.
    """
    tiles = [
        [
            tile.student,
            spoken(tile),
            "away" if tile.state == AWAY else "none" if tile.state in NO_STATE else "shown",
            _colour(tile.state),
            tile_html(tile, drawn, (portraits or {}).get(tile.student)),
            percent(tile.confidence or 0.0) if _says_how_sure(tile) else "",
        ]
        for tile in sorted(view.tiles, key=lambda tile: tile.student not in first)
    ]
    return {"tiles": tiles, "chosen": chosen}


def _says_how_sure(tile: Tile) -> bool:
    return tile.confidence is not None and tile.state not in NO_STATE
