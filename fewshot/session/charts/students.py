"""Every student's lesson as a band, and how long each was in view and readable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fewshot.session.analysis.grid import AWAY, NOT_READABLE, UNSURE_STATE, Cells, Grid
from fewshot.session.analysis.students import NOT_READABLE_STATE, Visibility, bands
from fewshot.session.analysis.words import percent
from fewshot.session.charts.theme import LIGHT, WIDTH, Chart, Theme, palette, time_axis
from fewshot.session.lesson import Marker
from fewshot.session.optional_imports import altair, chart_of
from fewshot.translation import tr
from fewshot.translation.words import emotion_word

_NAMES, _SHARES = 136, 116
"""Pixels of the names on the left and the visibility on the right."""
PICKED = "picked"
"""Name of the selection of a chart that is made with ``pick``."""
CELLS = 180
"""Bands have at most this number of cells, because finer ones cannot be seen."""
_THICK = {UNSURE_STATE: 0.32, NOT_READABLE_STATE: 0.1}
"""Height of a band in its row; a named state fills it. So these two differ in form, not only in their grey."""


def bands_chart(
    grid: Grid,
    visible: Sequence[Visibility],
    markers: Sequence[Marker] = (),
    theme: Theme = LIGHT,
    width: int = WIDTH,
    row: int | None = None,
    names: bool = True,
    pick: bool = False,
) -> Chart:
    """One strip per student: full height for a named state, a thin band for "unsure", a line for "not readable", empty
    for "not in view"; on the right the share of the lesson in view and readable.

    Args:
        row: pixels per student; None: according to the size of the class.
        names: whether to write the names; if not, the strips begin at the left edge (see ``row_height``).
        pick: a click on a row selects its student (``PICKED``). The visibility is then only a number beside the name,
            because a chart of several parts has no selection.
    """
    alt = altair()
    count = max(1, len(grid.students))
    row = row or row_height(count)
    inner, height = width - _NAMES - _SHARES, row * count
    colour = palette([*grid.states, NOT_READABLE_STATE])
    scale = alt.Scale(domain=[count, 0], nice=False)
    y, x = alt.Y("top:Q", scale=scale, axis=None), time_axis(alt, grid.seconds)
    rows = [
        {"student": name, "top": i + 0.06, "bottom": i + 0.94, "time": 0, "end": grid.seconds}
        for i, name in enumerate(grid.students)
    ]
    ground = chart_of(rows).mark_rect(color=theme.absent)
    parts = chart_of(_strips(grid)).mark_rect().encode(
        x=x, x2="end:Q", y=y, y2="bottom:Q",
        color=alt.Color("state:N", scale=alt.Scale(domain=list(colour), range=list(colour.values())), legend=None),
        tooltip=[
            alt.Tooltip("student:N", title=tr("student")), alt.Tooltip("word:N", title=tr("state")),
            alt.Tooltip("from:N", title=tr("from")), alt.Tooltip("to:N", title=tr("to")),
        ],
    )  # fmt: skip
    lines = chart_of([{"time": m.second} for m in markers]).mark_rule(color=theme.ink, opacity=0.7)
    layers = [ground.encode(x=x, x2="end:Q", y=y, y2="bottom:Q"), parts, lines.encode(x="time:Q")]
    if names:
        layers.append(_names(alt, grid.students, scale, theme, min(12, row - 2), -52 if pick else -8))
    if pick:
        layers[0] = layers[0].add_params(alt.selection_point(name=PICKED, fields=["student"], on="click", clear=False))
        layers.append(_numbers(alt, visible, scale, theme, min(11, row - 2)))
        # Streamlit would otherwise fit everything, with names and axis, into the size of the strips alone.
        size = alt.AutoSizeParams(type="pad", contains="padding")
        return alt.layer(*layers).properties(width=inner, height=height, autosize=size)
    strips = alt.layer(*layers)
    shares = _shares(alt, visible, scale, theme, min(11, row - 2)).properties(width=_SHARES - 54, height=height)
    return alt.hconcat(strips.properties(width=inner, height=height), shares, spacing=14)


def sparkline_svg(
    cells: Cells, states: Sequence[str], width: int = 120, height: int = 16, label: str = "", ink: str = "currentColor"
) -> str:
    """One student's minutes as a small strip of inline SVG, drawn like a row of ``bands_chart``.

    Args:
        cells: codes as in ``Grid.shown``, shape (n,).
        states: of the grid.
        label: text for screen readers; without it they skip the strip.
    """
    colour = palette([*states, NOT_READABLE_STATE])
    each = width / max(1, len(cells))
    parts, start = [], 0
    for place in range(1, len(cells) + 1):
        if place < len(cells) and cells[place] == cells[start]:
            continue
        code = int(cells[start])
        if code > AWAY:
            name = states[code] if code >= 0 else NOT_READABLE_STATE
            high = height * _THICK.get(name, 1.0)
            fill = ink if code == NOT_READABLE else colour[name]
            parts.append(
                f'<rect x="{start * each:.1f}" y="{(height - high) / 2:.1f}" width="{(place - start) * each:.2f}" '
                f'height="{high:.1f}" fill="{fill}"/>'
            )
        start = place
    from html import escape

    spoken = f'role="img" aria-label="{escape(label)}"' if label else 'aria-hidden="true"'
    return f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" {spoken}>{"".join(parts)}</svg>'


def _strips(grid: Grid) -> list[dict[str, Any]]:
    width = max(1, -(-grid.seconds // CELLS))
    number = {name: row for row, name in enumerate(grid.students)}
    rows = []
    for band in bands(grid, width):
        half = 0.44 * _THICK.get(band.state, 1.0)
        middle = number[band.student] + 0.5
        rows.append({
            "student": band.student, "state": band.state, "word": emotion_word(band.state),
            "time": band.start, "end": band.end,
            "top": round(middle - half, 3), "bottom": round(middle + half, 3),
            "from": _clock(band.start), "to": _clock(band.end),
        })  # fmt: skip
    return rows


def row_height(students: int) -> int:
    """Pixels per row of ``bands_chart``: a whole class fits on a page, and names stay legible."""
    return max(13, min(26, 700 // max(1, students)))


def _names(alt: Any, students: Sequence[str], scale: Any, theme: Theme, size: int, x: int) -> Any:
    rows = [{"top": i + 0.5, "name": name, "student": name} for i, name in enumerate(students)]
    words = chart_of(rows).mark_text(
        align="right", baseline="middle", fontSize=size, color=theme.ink, limit=_NAMES - 16
    )
    return words.encode(x=alt.value(x), y=alt.Y("top:Q", scale=scale, axis=None), text="name:N")


def _shares(alt: Any, visible: Sequence[Visibility], scale: Any, theme: Theme, size: int) -> Any:
    rows = [
        {
            "student": line.student, "top": i + 0.2, "bottom": i + 0.8, "middle": i + 0.5, "nothing": 0,
            "readable": line.readable_share, "view": line.in_view_share, "words": percent(line.readable_share),
        }
        for i, line in enumerate(visible) if line.watched
    ]  # fmt: skip
    data = chart_of(rows)
    scale_x = alt.Scale(domain=[0, 1], nice=False)
    axis_x = alt.Axis(format="%", tickCount=2, title=tr("readable"), grid=False)
    y = alt.Y("top:Q", scale=scale, axis=None)
    tips = [
        alt.Tooltip("student:N", title=tr("student")),
        alt.Tooltip("view:Q", format=".0%", title=tr("in view")),
        alt.Tooltip("readable:Q", format=".0%", title=tr("readable")),
    ]
    bars = [
        data.mark_rect(color=theme.ink, opacity=strength).encode(
            x=alt.X("nothing:Q", scale=scale_x, axis=axis_x), x2=f"{field}:Q", y=y, y2="bottom:Q", tooltip=tips
        )
        for field, strength in (("view", 0.25), ("readable", 0.6))
    ]
    place = alt.Y("middle:Q", scale=scale, axis=None)
    words = data.mark_text(align="left", baseline="middle", fontSize=size, color=theme.quiet, dx=6)
    return alt.layer(*bars, words.encode(x=alt.datum(1), y=place, text="words:N"))


def _numbers(alt: Any, visible: Sequence[Visibility], scale: Any, theme: Theme, size: int) -> Any:
    """How much of the lesson each student was readable, as a number between name and strip."""
    rows = [
        {"student": line.student, "top": i + 0.5, "words": percent(line.readable_share)}
        for i, line in enumerate(visible) if line.watched
    ]  # fmt: skip
    words = chart_of(rows).mark_text(align="right", baseline="middle", fontSize=size, color=theme.quiet)
    return words.encode(x=alt.value(-8), y=alt.Y("top:Q", scale=scale, axis=None), text="words:N")


def _clock(second: int) -> str:
    return f"{second // 60}:{second % 60:02d}"
