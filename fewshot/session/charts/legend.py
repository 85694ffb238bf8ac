"""The legend: colour, face and word of every state, and how its bands are drawn."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from fewshot.session.analysis.grid import UNSURE_STATE
from fewshot.session.analysis.students import AWAY_STATE, NOT_READABLE_STATE
from fewshot.session.charts.faces import ink_on, plate, strokes
from fewshot.session.charts.theme import LIGHT, WIDTH, Chart, Theme, palette
from fewshot.session.optional_imports import altair, chart_of
from fewshot.translation.words import emotion_word

_ROW, _ICON, _LETTER, _SPACE = 24, 26, 6.6, 12


def legend_chart(states: Sequence[str], theme: Theme = LIGHT, width: int = WIDTH) -> Chart:
    """One or more lines of faces and words for pictures and PDF; web pages have their own legend in HTML."""
    alt = altair()
    colour = palette(states)
    hollow = (NOT_READABLE_STATE, AWAY_STATE)
    x, row, rows = 0.0, 0, []
    for state in states:
        word = emotion_word(state)
        wide = _ICON + _LETTER * len(word) + _SPACE
        if x + wide > width and x > 0:
            x, row = 0.0, row + 1
        disc, ink = ("transparent", theme.ink) if state in hollow else (colour[state], ink_on(colour[state]))
        rim = theme.ink if state in hollow else colour[state]
        rows.append({"x": x + 10, "y": row + 0.5, "state": state, "word": word, "disc": disc, "ink": ink, "rim": rim})
        x += wide
    data = chart_of(rows).encode(
        x=alt.X("x:Q", scale=alt.Scale(domain=[0, width], nice=False), axis=None),
        y=alt.Y("y:Q", scale=alt.Scale(domain=[row + 1, 0], nice=False), axis=None),
    )
    layers = [
        data.mark_point(size=255, strokeWidth=1, opacity=1).encode(
            shape=_shape(alt, states, plate),
            fill=alt.Fill("disc:N", scale=None),
            stroke=alt.Stroke("rim:N", scale=None),
        ),
        data.mark_point(size=255, filled=False, strokeWidth=1.3, opacity=1, strokeCap="round").encode(
            shape=_shape(alt, states, strokes), stroke=alt.Stroke("ink:N", scale=None)
        ),
        data.mark_text(align="left", baseline="middle", dx=15, fontSize=12, color=theme.ink).encode(text="word:N"),
    ]
    return alt.layer(*layers).resolve_scale(shape="independent").properties(width=width, height=(row + 1) * _ROW)


def _shape(alt: Any, states: Sequence[str], path_of: Callable[[str], str]) -> Any:
    """The path of every state as the shape of a point."""
    paths = [_centred(path_of(state)) for state in states]
    return alt.Shape("state:N", scale=alt.Scale(domain=list(states), range=paths), legend=None)


def _centred(path: str) -> str:
    """A path of ``FACES`` as a symbol of Vega: around 0, 0, within -1 to 1."""
    numbers: list[str] = []
    for letter, values in _commands(path):
        numbers.append(letter + " ".join(f"{round(value, 4):g}" for value in _scaled(letter, values)))
    return "".join(numbers)


def _commands(path: str) -> list[tuple[str, list[float]]]:
    found = re.findall(r"([a-zA-Z])([^a-zA-Z]*)", path)
    return [(letter, [float(n) for n in re.findall(r"-?\d*\.?\d+", rest)]) for letter, rest in found]


def _scaled(letter: str, values: list[float]) -> list[float]:
    if letter in "aA":  # radii, angle, two flags, end
        scales, shifts = [1 / 12, 1 / 12, 1, 1, 1, 1 / 12, 1 / 12], [0.0] * 7
    else:
        scales, shifts = [1 / 12] * len(values), [0.0 if letter.islower() else -12.0] * len(values)
    if letter == "A":
        shifts = [0, 0, 0, 0, 0, -12, -12]
    return [(value + shift) * scale for value, scale, shift in zip(values, scales, shifts, strict=True)]


def band_words(states: Sequence[str]) -> list[str]:
    """States of a bands chart in the order of its legend: named states, "unsure", "not readable", "not in view"."""
    named = [state for state in states if state != UNSURE_STATE]
    return [*named, UNSURE_STATE, NOT_READABLE_STATE, AWAY_STATE]
