"""The mood of the class so far on the live page: it looks like the reports, and is fast enough for every 2 s."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import Any

from fewshot.app.board import BUCKET, MoodStep, states_in
from fewshot.session.charts.theme import LIGHT, Theme, palette, stacking, themed, time_axis
from fewshot.session.optional_imports import altair
from fewshot.translation import LANGUAGE, tr
from fewshot.translation.words import emotion_word

_MOST = 120
_GAP = 1.5
"""Steps further apart than this multiple of their usual distance have a gap of the lesson between them."""
Spec = dict[str, Any]


def live_mood_spec(
    mood: Sequence[MoodStep],
    markers: Sequence[tuple[float, str]],
    seconds: float,
    theme: Theme = LIGHT,
    height: int = 160,
    letters: int | None = None,
) -> Spec:
    """Stacked shares over time, with the teacher's markers as dashed lines, as a Vega-Lite specification.

    Altair describes the chart once. Later calls only replace data, colours and the time axis, because checking a whole
    chart takes 0.2 s.

    Args:
        mood: of the whole lesson.
        markers: (second, text).
        seconds: of the lesson so far.
        height: pixels.
        letters: height of the axis labels, pixels; None: as usual.
    """
    drawn = points(mood, [second for second, _ in markers])
    order = stacking(states_in(mood))
    colours = palette(order)
    spec = copy.deepcopy(_frame(theme, height, LANGUAGE.get()))
    area, lines = spec["layer"]
    area["data"] = {"values": [row for run, second, step in drawn for row in _stacked(run, second, step, order)]}
    area["encoding"]["color"]["scale"] = {"domain": order, "range": [colours[state] for state in order]}
    lines["data"] = {"values": [{"time": second, "text": text} for second, text in markers if second <= seconds]}
    axis = time_axis(altair(), seconds, None).to_dict()
    for layer in (area, lines):
        layer["encoding"]["x"] |= {
            "scale": axis["scale"],
            "axis": {**axis["axis"], "labelOverlap": "greedy", "labelSeparation": 10},
        }
    if letters is not None:
        config = spec.setdefault("config", {})
        config["axis"] = {**config.get("axis", {}), "labelFontSize": letters}
    return spec


def _stacked(run: int, second: float, step: MoodStep, order: Sequence[str]) -> list[Spec]:
    """The states of one step, one upon the other. Vega-Lite would fill gaps with zeros, and draw across them."""
    shares = [round(step.share([state]), 4) for state in order]
    tops = list(accumulate(shares))
    return [
        {
            "time": second,
            "state": state,
            "word": emotion_word(state),
            "share": share,
            "bottom": round(top - share, 4),
            "top": round(top, 4),
            "run": run,
        }
        for state, share, top in zip(order, shares, tops, strict=True)
    ]


@lru_cache(maxsize=32)
def _frame(theme: Theme, height: int, _language: str) -> Spec:
    alt = altair()
    nothing = alt.Data(values=[])
    area = (
        alt.Chart(nothing)
        .mark_area(interpolate="monotone", line=False)
        .encode(
            x=time_axis(alt, 60, None),
            y=alt.Y(
                "bottom:Q",
                stack=None,
                title=None,
                scale=alt.Scale(domain=[0, 1]),
                axis=alt.Axis(format="%", tickCount=3),
            ),
            y2="top:Q",
            color=alt.Color("state:N", legend=None),
            detail="run:N",
            tooltip=[
                alt.Tooltip("word:N", title=tr("state")),
                alt.Tooltip("share:Q", format=".0%", title=tr("share")),
            ],
        )
    )
    lines = (
        alt.Chart(nothing)
        .mark_rule(strokeDash=[4, 3], strokeWidth=1.3, color=theme.ink)
        .encode(x=time_axis(alt, 60, None), tooltip=[alt.Tooltip("text:N", title=tr("marker"))])
    )
    says = tr(
        "The mood of the class so far, as shares of the people who could be read. The shares of now are above it."
    )
    chart = themed(alt.layer(area, lines).properties(height=height, width="container", description=says), theme)
    return dict(chart.to_dict())


def points(mood: Sequence[MoodStep], cuts: Sequence[float] = ()) -> list[tuple[int, float, MoodStep]]:
    """The points to draw: (run, second, step). Nothing is drawn between two runs, because there the lesson has a gap.

    Steps are not merged across a cut, such as a marker, and the values of both sides reach it: what begins at a marker
    must not seem to begin before it. There are about ``_MOST`` points, and two more per cut.

    Args:
        mood: in the order of time; steps without people are left out.
        cuts: seconds.
    """
    usual = _usual_distance(mood)
    found: list[tuple[int, float, MoodStep]] = []
    for run, cut, steps in _parts([step for step in mood if step.people], cuts, usual):
        if cut is not None and _differ(found[-1][2], steps[0]):
            found += [(run, cut - 0.01, found[-1][2]), (run, cut, steps[0])]
        begun = found[-1][1] if found and found[-1][0] == run else None
        found += [(run, step.second, step) for step in steps if begun is None or step.second > begun]
    alone = {run for run, count in Counter(run for run, _, _ in found).items() if count == 1}
    ends = [(run, second + usual / 2, step) for run, second, step in found if run in alone]
    return sorted([*found, *ends], key=lambda point: point[:2])  # a single point would not be seen


def _parts(
    shown: Sequence[MoodStep], cuts: Sequence[float], usual: float
) -> list[tuple[int, float | None, list[MoodStep]]]:
    """Stretches without a gap or a cut in them: (run, the cut at its beginning, steps)."""
    run = 0
    parts: list[tuple[int, float | None, list[MoodStep]]] = [(0, None, list(shown[:1]))] if shown else []
    for early, late in pairwise(shown):
        gap = late.second - early.second > _GAP * usual
        cut = next((cut for cut in cuts if late.second - usual / 2 <= cut < late.second + usual / 2), None)
        run += gap
        if gap or cut is not None:
            parts.append((run, None if gap else cut, []))
        parts[-1][2].append(late)
    group = -(-len(shown) // _MOST) if shown else 1
    return [(run, cut, thinned(steps, -(-len(steps) // group))) for run, cut, steps in parts]


def _differ(one: MoodStep, other: MoodStep) -> bool:
    return any(abs(one.share([state]) - other.share([state])) > 0.005 for state in {*one.counts, *other.counts})


def _usual_distance(mood: Sequence[MoodStep]) -> float:
    """Seconds from one step to the next; more than a bucket if frames are rare."""
    between = sorted(late.second - early.second for early, late in pairwise(mood))
    return max(BUCKET, between[(len(between) - 1) // 2]) if between else BUCKET


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
