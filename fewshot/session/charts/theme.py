"""One look for all charts: quiet axes, the palette of ``fewshot.live.colours``, light or dark paper."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from fewshot.live import colours
from fewshot.session.analysis.grid import UNSURE_STATE
from fewshot.session.analysis.students import AWAY_STATE, NOT_READABLE_STATE
from fewshot.session.analysis.words import reader_locale
from fewshot.session.charts.own_faces import seed_of
from fewshot.translation import later, tr

Chart = Any
"""An Altair chart. Altair is imported only when a chart is made."""

WIDTH = 860
"""Pixels of the widest chart: it fits a page of A4, a tablet, and half of a large screen."""

PADDING = 6
"""Pixels around every chart."""

FONT = "Inter, 'Segoe UI', 'Noto Sans', 'DejaVu Sans', sans-serif"

NUMBERS = {
    "decimal": ".", "thousands": ",", "grouping": [3], "currency": ["$", ""], "percent": "\N{NO-BREAK SPACE}%",
}  # fmt: skip
"""How axes and tooltips write numbers in English: as everywhere else, a space before the percent sign."""
_MINUTES = later("minutes into the lesson")

_FURTHER = ("#00b8a9", "#8a8d00", "#ff9da7", "#4b0092")
"""For states that are not among the seven and have no colour of their own."""


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours of paper and ink.

    Attributes:
        ink: text, axes and grid (the grid in a tenth of its strength).
        paper: background of the chart, which itself is transparent.
        quiet: less important text, with a contrast of at least 4.5:1 on the paper.
        absent: background of rows while a student is not in view.
    """

    ink: str
    paper: str
    quiet: str
    absent: str


LIGHT = Theme(ink="#1f2328", paper="#ffffff", quiet="#5b6470", absent="#f1f3f5")
DARK = Theme(ink="#e6e8eb", paper="#14181d", quiet="#a3abb5", absent="#20262d")


def hex_of(colour: colours.Colour) -> str:
    """Blue, green, red as #rrggbb.

    >>> hex_of((0, 94, 213))
    '#d55e00'
    """
    blue, green, red = colour
    return f"#{red:02x}{green:02x}{blue:02x}"


def palette(states: Sequence[str]) -> dict[str, str]:
    """A colour for every state as #rrggbb; the name of an unknown own state chooses one that is still free."""
    found: dict[str, str] = {}
    for state in states:
        if state == UNSURE_STATE:
            found[state] = hex_of(colours.UNSURE)
        elif state in (NOT_READABLE_STATE, AWAY_STATE):
            found[state] = hex_of(colours.NOT_READABLE)
        elif state in colours.EMOTION_COLOURS or state in colours.OWN_STATES:
            found[state] = hex_of(colours.colour_of(state))
        else:
            found[state] = _further(state, found.values())
    return found


def _further(state: str, taken: Collection[str]) -> str:
    first = seed_of(state) % len(_FURTHER)
    order = _FURTHER[first:] + _FURTHER[:first]
    return next((colour for colour in order if colour not in taken), order[0])


def stacking(states: Sequence[str]) -> list[str]:
    """States from the bottom of a stack to its top: at the bottom those that a teacher looks for, then the large calm
    ones, "unsure" at the top."""
    calm = ("concentrating", "neutral", UNSURE_STATE)
    order = ["confused", "sad", "angry", "fear", "disgust", "surprise", "happy"]
    own = [state for state in states if state not in order and state not in calm]
    return [state for state in [order[0], *own, *order[1:], *calm] if state in states]


def themed(chart: Chart, theme: Theme = LIGHT) -> Chart:
    """The chart with this theme; call it once, on the outermost chart."""
    axis = {
        "labelColor": theme.quiet, "titleColor": theme.quiet, "labelFontSize": 11, "titleFontSize": 11,
        "titleFontWeight": "normal", "domain": False, "tickColor": theme.ink, "tickOpacity": 0.25, "tickSize": 4,
        "gridColor": theme.ink, "gridOpacity": 0.1, "labelFont": FONT, "titleFont": FONT,
    }  # fmt: skip
    return chart.configure(
        background="transparent",
        font=FONT,
        axis=axis,
        view={"stroke": None},
        title={"color": theme.ink, "fontSize": 13, "fontWeight": 600, "anchor": "start", "font": FONT, "offset": 8},
        legend={"labelColor": theme.ink, "titleColor": theme.quiet, "labelFont": FONT, "titleFont": FONT},
        concat={"spacing": 12},
        # A chart is one picture with one description; its single marks have no words that would help anybody.
        mark={"aria": False},
        padding=PADDING,
        locale=_locale(),
    )


def _locale() -> dict[str, Any]:
    """How axes and tooltips write numbers and dates in the reader's language, as Vega wants to know it (d3-format and
    d3-time-format)."""
    locale = reader_locale()
    if locale is None:
        return {"number": NUMBERS}
    signs = locale.number_symbols["latn"]
    percent = locale.percent_formats[None].suffix[0].replace("%", signs["percentSign"])
    months, days = (
        {wide: names["format"][wide] for wide in ("abbreviated", "wide")} for names in (locale.months, locale.days)
    )
    week = (6, 0, 1, 2, 3, 4, 5)  # d3's begins with Sunday, Babel's with Monday
    return {
        "number": {**NUMBERS, "decimal": signs["decimal"], "thousands": signs["group"], "percent": percent},
        "time": {
            "dateTime": "%x, %X", "date": "%d.%m.%Y", "time": "%H:%M:%S", "periods": ["AM", "PM"],
            "days": [days["wide"][one] for one in week],
            "shortDays": [days["abbreviated"][one] for one in week],
            "months": [months["wide"][one] for one in range(1, 13)],
            "shortMonths": [months["abbreviated"][one] for one in range(1, 13)],
        },
    }  # fmt: skip


def time_axis(alt: Any, seconds: float, title: str | None = _MINUTES, **settings: Any) -> Any:
    """An x axis in minutes with ticks at round times; ``title`` is a key of ``tr``."""
    step = next((s for s in (1, 2, 5, 10, 30, 60, 120, 300, 600, 900, 1800) if seconds / s <= 10), 3600)
    ticks = list(range(0, int(seconds) + 1, step))
    words = "format(floor(datum.value / 60), 'd') + ':' + format(datum.value % 60, '02d')"
    return alt.X(
        "time:Q",
        scale=alt.Scale(domain=[0, max(1, seconds)], nice=False),
        axis=alt.Axis(
            values=ticks, labelExpr=words, title=tr(title) if title else title, grid=False, labelFlush=False, **settings
        ),
    )
