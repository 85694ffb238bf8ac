"""The mood of the class over time: a stacked area, its uncertainty, markers and moments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fewshot.session.analysis.grid import UNSURE_STATE
from fewshot.session.analysis.moments import Moment
from fewshot.session.analysis.mood import Mood
from fewshot.session.charts.marker_labels import SIZE, marker_labels
from fewshot.session.charts.theme import LIGHT, WIDTH, Chart, Theme, palette, stacking, time_axis
from fewshot.session.lesson import Marker
from fewshot.session.optional_imports import altair, chart_of
from fewshot.translation import later, tr
from fewshot.translation.words import emotion_word


def mood_chart(
    mood: Mood,
    markers: Sequence[Marker] = (),
    moments: Sequence[Moment] = (),
    theme: Theme = LIGHT,
    width: int = WIDTH,
    height: int = 250,
) -> Chart:
    """Shares of students per state over time, and below them the number of students counted.

    Above the chart, markers are words, or numbers in the order of time, and moments are lettered brackets in the
    colour of their state.
    """
    alt = altair()
    end = _end(mood, markers, moments)
    order = stacking(mood.states)
    colour = palette(mood.states)
    x = time_axis(alt, end, title=None, labels=False, ticks=False)
    area = (
        chart_of(_rows(mood, order))
        .mark_area(interpolate="monotone", stroke=theme.paper, strokeWidth=0.7)
        .encode(
            x=x,
            # Stacked here and not by Vega-Lite, which would fill the gaps of a lesson with zeros and draw across them.
            y=alt.Y("bottom:Q", stack=None, scale=alt.Scale(domain=[0, 1], nice=False),
                    axis=alt.Axis(format="%", tickCount=4, title=tr("share of readable students"))),
            y2="top:Q",
            color=alt.Color("state:N", scale=alt.Scale(domain=order, range=[colour[s] for s in order]), legend=None),
            opacity=alt.Opacity("weight:Q", scale=None),
            detail="run:N",
            tooltip=[
                alt.Tooltip("word:N", title=tr("state")), alt.Tooltip("share:Q", format=".0%", title=tr("share")),
                alt.Tooltip("span:N", title="95 %"), alt.Tooltip("students:Q", title=tr("students")),
                alt.Tooltip("clock:N", title=tr("at")),
            ],
        )
    )  # fmt: skip
    layers = [area, *_brackets(alt, moments, colour, theme, height), *_marks(alt, markers, end, theme, width, height)]
    main = alt.layer(*layers).properties(width=width, height=height)
    return alt.vconcat(main, _basis(alt, mood, end, theme, width), spacing=10)


def evidence_chart(
    mood: Mood, moments: Sequence[Moment] = (), theme: Theme = LIGHT, width: int = WIDTH, most: int = 6
) -> Chart:
    """Each share by itself with its 95 % interval: the states of moments and the most frequent states."""
    alt = altair()
    mean = np.nanmean(np.nan_to_num(mood.share), axis=0) if len(mood.time) else np.zeros(len(mood.states))
    named = list(dict.fromkeys(moment.leads for moment in moments))
    often = [mood.states[i] for i in np.argsort(-mean, kind="stable") if mean[i] > 0]
    states = [s for s in stacking(mood.states) if s in [*named, *(s for s in often if s not in named)][:most]]
    end, colour = _end(mood, (), moments), palette(mood.states)
    top = float(np.nanmax(mood.high[:, [mood.states.index(s) for s in states]], initial=0.1)) if states else 1.0
    each = (width - 2 * 46) // 3
    rows = _rows(mood, states)
    cells = []
    for state in states:
        x = time_axis(alt, end, title=None, labelOverlap=True)
        scale = alt.Scale(domain=[0, min(1.0, top)], nice=True)
        y = alt.Y("share:Q", scale=scale, axis=alt.Axis(format="%", tickCount=3, title=None))
        spans = [{"time": m.start, "end": m.end} for m in moments if state in (m.state, *m.risen)]
        shade = chart_of(spans).mark_rect(color=theme.ink, opacity=0.1).encode(x=x, x2="end:Q")
        base = chart_of([row for row in rows if row["state"] == state]).encode(x=x, detail="run:N")
        ribbon = base.mark_area(color=line_colour(colour[state], theme), opacity=0.28, interpolate="monotone").encode(
            y=alt.Y("low:Q", scale=scale, axis=alt.Axis(format="%", tickCount=3, title=None)), y2="high:Q"
        )
        line = base.mark_line(color=line_colour(colour[state], theme), strokeWidth=1.8, interpolate="monotone").encode(
            y=y
        )
        cells.append(alt.layer(shade, ribbon, line).properties(width=each, height=84, title=emotion_word(state)))
    return alt.concat(*cells, columns=3, spacing={"row": 18, "column": 16})


def _rows(mood: Mood, order: Sequence[str]) -> list[dict[str, Any]]:
    """One row per window and state; ``run`` changes at every gap, so that nothing is drawn across it."""
    known = ~np.isnan(mood.share[:, 0]) if len(mood.time) else np.zeros(0, bool)
    run = np.cumsum(np.diff(known.astype(int), prepend=0) == 1)
    rows = []
    windows = [(int(window), float(mood.time[window])) for window in np.flatnonzero(known)]
    if windows and known[-1] and mood.seconds > mood.time[-1]:  # the last window reaches to the end of the lesson
        windows.append((len(known) - 1, float(mood.seconds)))
    for window, time in windows:
        students = int(mood.students[window])
        clock = f"{int(time) // 60}:{int(time) % 60:02d}"
        top = 0.0
        for state in order:
            column = mood.states.index(state)
            low, high = float(mood.low[window, column]), float(mood.high[window, column])
            share, bottom = round(float(mood.share[window, column]), 4), top
            top = round(min(1.0, bottom + share), 4)
            rows.append({
                "time": time, "clock": clock, "state": state, "word": emotion_word(state), "run": int(run[window]),
                "share": share, "bottom": bottom, "top": top, "low": round(low, 4), "high": round(high, 4),
                "weight": 0.55 if state == UNSURE_STATE else 1, "students": students,
                "span": tr("{low} to {high} %", low=f"{100 * low:.0f}", high=f"{100 * high:.0f}"),
            })  # fmt: skip
    return rows


def _basis(alt: Any, mood: Mood, end: float, theme: Theme, width: int) -> Any:
    """The number of students behind the shares."""
    faces, students = (
        later("minutes into the lesson  (grey: faces per frame)"),
        later("minutes into the lesson  (grey: students counted)"),
    )
    rows = [{"time": float(t), "students": int(n)} for t, n in zip(mood.time, mood.students, strict=True)]
    rows += [{**rows[-1], "time": float(mood.seconds)}] if rows and mood.seconds > mood.time[-1] else []
    top = int(max(1, mood.students.max(initial=1)))
    y = alt.Y(
        "students:Q",
        stack=None,
        scale=alt.Scale(domain=[0, top], nice=False),
        axis=alt.Axis(values=[0, top], title=None, grid=False, format="d"),
    )
    strip = chart_of(rows).mark_area(color=theme.ink, opacity=0.22, interpolate="step-after")
    return strip.encode(x=time_axis(alt, end, title=faces if mood.crowd else students), y=y).properties(
        width=width, height=30
    )


def _brackets(alt: Any, moments: Sequence[Moment], colour: dict[str, str], theme: Theme, height: int) -> list[Any]:
    """A lettered bracket above the area for each moment."""
    if not moments:
        return []
    rows = [
        {"time": m.start, "end": m.end, "middle": (m.start + m.end) / 2, "letter": letter(i), "state": m.leads}
        for i, m in enumerate(moments)
    ]
    data = chart_of(rows)
    bar = data.mark_rule(strokeWidth=5, strokeCap="butt", opacity=1).encode(
        x="time:Q", x2="end:Q", y=alt.value(-5),
        color=alt.Color("state:N", scale=alt.Scale(domain=list(colour), range=list(colour.values())), legend=None),
    )  # fmt: skip
    edges = [
        data.mark_rule(color=theme.ink, strokeDash=[2, 3], opacity=0.55).encode(
            x=f"{end}:Q", y=alt.value(-8), y2=alt.value(height)
        )
        for end in ("time", "end")
    ]
    words = data.mark_text(fontSize=12, fontWeight=700, color=theme.ink, baseline="bottom").encode(
        x="middle:Q", y=alt.value(-9), text="letter:N"
    )
    return [bar, *edges, words]


def _marks(alt: Any, markers: Sequence[Marker], end: float, theme: Theme, width: int, height: int) -> list[Any]:
    """A line and a word, or a number, for each marker; see ``marker_labels``."""
    if not markers:
        return []
    labels = marker_labels(markers, end, width)
    texts = [marker.text for marker in sorted(markers, key=lambda marker: marker.second)]
    placed = chart_of([
        {"time": label.second, "words": label.words, "row": label.row, "left": label.left, "text": text}
        for label, text in zip(labels, texts, strict=True)
    ])  # fmt: skip
    x, top = alt.X("time:Q"), alt.Y("row:Q", scale=alt.Scale(domain=[0, 1], range=[-30, -46]), axis=None)
    tip = alt.Tooltip("text:N", title=tr("marker"))
    rules = [
        placed.mark_rule(color=colour, strokeWidth=wide, opacity=strength).encode(
            x=x, y=top, y2=alt.value(height), tooltip=tip
        )
        for colour, wide, strength in ((theme.paper, 3, 0.5), (theme.ink, 1, 0.9))
    ]
    words = [
        placed.transform_filter(f"datum.left == {str(left).lower()}")
        .mark_text(align="right" if left else "left", dx=-5 if left else 5, fontSize=SIZE, color=theme.ink)
        .encode(x=x, y=top, text="words:N", tooltip=tip)
        for left in (False, True)
    ]
    return [alt.layer(*rules, *words).resolve_scale(y="independent")]


def letter(number: int) -> str:
    """0 -> "A"."""
    return chr(ord("A") + number % 26)


def _end(mood: Mood, markers: Sequence[Marker] = (), moments: Sequence[Moment] = ()) -> float:
    """The end of the time axis, seconds: nothing that is drawn may lie beyond it."""
    last = mood.seconds or (float(mood.time[-1] + mood.width / 2) if len(mood.time) else 60.0)
    return max(last, *(marker.second for marker in markers), *(moment.end for moment in moments), 1.0)


def line_colour(colour: str, theme: Theme) -> str:
    """The colour of a line: pale colours are hard to see on white paper, so they are darkened there."""
    channels = [int(colour[place : place + 2], 16) for place in (1, 3, 5)]
    pale = sum(channels) > 500 and theme.paper > "#8"
    return "#" + "".join(f"{round(0.62 * c) if pale else c:02x}" for c in channels)
