"""The mood of the class so far on the live page: it looks like the reports, and is fast enough for every 2 s."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from fewshot.app.board import MoodStep, states_in
from fewshot.session.charts.theme import LIGHT, Theme, palette, stacking, themed, time_axis
from fewshot.session.optional_imports import altair

_MOST = 120
Spec = dict[str, Any]


def live_mood_spec(
    mood: Sequence[MoodStep],
    markers: Sequence[tuple[float, str]],
    seconds: float,
    theme: Theme = LIGHT,
    height: int = 160,
) -> Spec:
    """Stacked shares over time, with the teacher's markers as dashed lines, as a Vega-Lite specification.

    Altair describes the chart once. Later calls only replace data, colours and the time axis, because checking a whole
    chart takes 0.2 s.

    Args:
        mood: of the whole lesson.
        markers: (second, text).
        seconds: of the lesson so far.
        height: pixels.
    """
    steps = thinned(mood)
    order = stacking(states_in(steps))
    colours = palette(order)
    spec = copy.deepcopy(_frame(theme, height))
    area, lines = spec["layer"]
    area["data"] = {
        "values": [
            {"time": step.second, "state": state, "share": round(step.share([state]), 4), "order": place}
            for step in steps
            if step.people
            for place, state in enumerate(order)
        ]
    }
    area["encoding"]["color"]["scale"] = {"domain": order, "range": [colours[state] for state in order]}
    lines["data"] = {"values": [{"time": second, "text": text} for second, text in markers if second <= seconds]}
    axis = time_axis(altair(), seconds, None).to_dict()
    for layer in (area, lines):
        layer["encoding"]["x"] |= {
            "scale": axis["scale"],
            "axis": {**axis["axis"], "labelOverlap": "greedy", "labelSeparation": 10},
        }
    return spec


@lru_cache(maxsize=8)
def _frame(theme: Theme, height: int) -> Spec:
    alt = altair()
    nothing = alt.Data(values=[])
    area = (
        alt.Chart(nothing)
        .mark_area(interpolate="monotone", line=False)
        .encode(
            x=time_axis(alt, 60, None),
            y=alt.Y(
                "share:Q",
                stack="zero",
                title=None,
                scale=alt.Scale(domain=[0, 1]),
                axis=alt.Axis(format="%", tickCount=3),
            ),
            color=alt.Color("state:N", legend=None),
            order=alt.Order("order:Q"),
            tooltip=[alt.Tooltip("state:N"), alt.Tooltip("share:Q", format=".0%")],
        )
    )
    lines = (
        alt.Chart(nothing)
        .mark_rule(strokeDash=[4, 3], strokeWidth=1.3, color=theme.ink)
        .encode(x=time_axis(alt, 60, None), tooltip=[alt.Tooltip("text:N", title="marker")])
    )
    chart = themed(alt.layer(area, lines).properties(height=height, width="container"), theme)
    return dict(chart.to_dict())


def thinned(mood: Sequence[MoodStep], most: int = _MOST) -> list[MoodStep]:
    """Merge neighbouring steps until there are at most ``most``."""
    group = -(-len(mood) // most) if mood else 1
    return [_together(mood[start : start + group]) for start in range(0, len(mood), group)]


def _together(steps: Sequence[MoodStep]) -> MoodStep:
    seen = [step for step in steps if step.people] or list(steps[:1])
    people = sum(step.people for step in seen) / len(seen)
    states = {state for step in seen for state in step.counts}
    counts = {state: sum(step.counts.get(state, 0.0) for step in seen) / len(seen) for state in states}
    return MoodStep(sum(step.second for step in steps) / len(steps), people, counts)
