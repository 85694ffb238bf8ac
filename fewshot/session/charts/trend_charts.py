"""Several lessons: trends over weeks, and two lessons side by side."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from fewshot.session.analysis.trends import Comparison, Trend
from fewshot.session.analysis.words import reader_locale
from fewshot.session.charts.mood import line_colour
from fewshot.session.charts.theme import LIGHT, WIDTH, Chart, Theme, palette, stacking
from fewshot.session.optional_imports import altair, chart_of
from fewshot.session.stored_words import title_word
from fewshot.translation import tr
from fewshot.translation.words import emotion_word


def trend_chart(course: Trend, theme: Theme = LIGHT, width: int = WIDTH, most: int = 6) -> Chart:
    """Shares over lessons, state by state, with 95 % intervals; the most frequent states on one scale."""
    alt = altair()
    mean = np.nan_to_num(np.nanmean(course.share, axis=0)) if _any(course) else np.zeros(len(course.states))
    often = [course.states[i] for i in np.argsort(-mean, kind="stable")[:most] if mean[i] > 0]
    states = [state for state in stacking(course.states) if state in often]
    colour = palette(course.states)
    columns = [course.states.index(state) for state in states]
    top = float(np.nanmax(course.high[:, columns], initial=0.1)) if states else 1.0
    each, dates = (width - 2 * 46) // 3, [lesson.started.isoformat() for lesson in course.lessons]
    cells = []
    for state, column in zip(states, columns, strict=True):
        data = chart_of(_points(course, column))
        ink = line_colour(colour[state], theme)
        x = alt.X(
            "date:T",
            axis=alt.Axis(
                format=_day_format(), title=None, grid=False, values=dates, labelOverlap=True, labelFlush=False
            ),
        )
        scale = alt.Scale(domain=[0, min(1.0, top)], nice=True)
        axis = alt.Axis(format="%", tickCount=3, title=None)
        y = alt.Y("share:Q", scale=scale, axis=axis)
        span = data.mark_rule(color=ink, strokeWidth=3, opacity=0.35).encode(
            x=x, y=alt.Y("low:Q", scale=scale, axis=axis), y2="high:Q"
        )
        line = data.mark_line(color=ink, strokeWidth=1.5, opacity=0.7).encode(x=x, y=y)
        dots = data.mark_point(color=ink, fill=colour[state], filled=True, opacity=1, size=46, stroke=ink).encode(
            x=x,
            y=y,
            tooltip=[
                alt.Tooltip("lesson:N", title=tr("lesson")),
                alt.Tooltip("share:Q", format=".0%", title=tr("share")),
                alt.Tooltip("span:N", title="95 %"),
            ],
        )
        cells.append(alt.layer(span, line, dots).properties(width=each, height=90, title=emotion_word(state)))
    return alt.concat(*cells, columns=3, spacing={"row": 18, "column": 16})


def comparison_chart(comparison: Comparison, theme: Theme = LIGHT, width: int = WIDTH) -> Chart:
    """Two lessons, one row per state: hollow the first, filled the second; beside them the change with its interval."""
    alt = altair()
    colour = palette(comparison.states)
    order = stacking(comparison.states)[::-1]
    rows = _differences(comparison, order)
    data = chart_of(rows)
    shown = json.dumps({state: emotion_word(state) for state in order})  # an expression of Vega
    labels = alt.Axis(
        title=None, labelFontSize=12, labelColor=theme.ink, ticks=False, labelExpr=f"{shown}[datum.label]"
    )
    y = alt.Y("state:N", sort=order, axis=labels)
    axis = alt.Axis(format="%", tickCount=5, title=tr("share of the readable time, mean over students"))
    shade = alt.Color("state:N", scale=alt.Scale(domain=list(colour), range=list(colour.values())), legend=None)
    first = alt.X("first:Q", axis=axis)
    left = alt.layer(
        data.mark_rule(strokeWidth=2, color=theme.ink, opacity=0.35).encode(x=first, x2="second:Q", y=y),
        data.mark_point(size=70, filled=True, fill=theme.paper, stroke=theme.ink, strokeWidth=1.4, opacity=1).encode(
            x=first, y=y
        ),
        data.mark_point(size=90, filled=True, opacity=1, stroke=theme.ink, strokeWidth=0.8).encode(
            x="second:Q",
            y=y,
            fill=shade,
            tooltip=[alt.Tooltip("word:N", title=tr("state")), alt.Tooltip("words:N", title=tr("change"))],
        ),
    ).properties(width=int(width * 0.52), height=26 * max(1, len(rows)))
    return alt.hconcat(left, _changes(alt, data, order, theme, width, len(rows)), spacing=18)


def _changes(alt: Any, data: Any, order: list[str], theme: Theme, width: int, count: int) -> Any:
    plain = alt.Y("state:N", sort=order, axis=None)
    axis = alt.Axis(format="+%", tickCount=5, title=tr("change (95 % for all states together)"))
    zero = chart_of([{"zero": 0}]).mark_rule(color=theme.ink, opacity=0.5).encode(x="zero:Q")
    return alt.layer(
        zero,
        data.mark_rule(strokeWidth=3, color=theme.ink, opacity=0.4).encode(
            x=alt.X("low:Q", axis=axis), x2="high:Q", y=plain
        ),
        data.mark_point(size=46, filled=True, color=theme.ink, opacity=1).encode(x="change:Q", y=plain),
    ).properties(width=int(width * 0.28), height=26 * max(1, count))


def _differences(comparison: Comparison, order: list[str]) -> list[dict[str, Any]]:
    rows = []
    for state in order:
        number = comparison.states.index(state)
        if np.isnan(comparison.change[number]):
            continue
        low, high = float(comparison.low[number]), float(comparison.high[number])
        rows.append({
            "state": state, "word": emotion_word(state),
            "first": float(comparison.share[number, 0]), "second": float(comparison.share[number, 1]),
            "change": float(comparison.change[number]), "low": low, "high": high,
            "words": tr("{low} to {high} points", low=f"{100 * low:+.0f}", high=f"{100 * high:+.0f}"),
        })  # fmt: skip
    return rows


def _points(course: Trend, column: int) -> list[dict[str, Any]]:
    rows = []
    for number, lesson in enumerate(course.lessons):
        if not np.isnan(course.share[number, column]):
            share, low, high = (float(v[number, column]) for v in (course.share, course.low, course.high))
            known = {} if np.isnan(low) else {"low": low, "high": high}
            ends = {"low": f"{100 * low:.0f}", "high": f"{100 * high:.0f}"}
            span = tr("unknown") if np.isnan(low) else tr("{low} to {high} %", **ends)
            date = lesson.started.isoformat()
            rows.append({"date": date, "lesson": title_word(lesson.title), "share": share, "span": span, **known})
    return rows


def _any(course: Trend) -> bool:
    return bool((~np.isnan(course.share)).any(axis=0).all()) if len(course.lessons) else False


def _day_format() -> str:
    """How d3 writes a day of a year on the axis: in the reader's language's own order."""
    locale = reader_locale()
    if locale is None:
        return "%-d %b"
    pattern = str(locale.datetime_skeletons["MMMd"].pattern)  # such as "d. MMM"
    return pattern.replace("d", "%-d").replace("MMM", "%b")
