"""Charts: what is in them, and that they render offline. How they look was judged by eye."""

from __future__ import annotations

import io
import itertools
import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from fewshot.errors import UsageError
from fewshot.live.colours import EMOTION_COLOURS, OWN_STATES, UNSURE
from fewshot.research.simulation.made_lessons import Planted, make_lesson
from fewshot.session import optional_imports as extras
from fewshot.session.analysis.grid import make_grid
from fewshot.session.analysis.moments import Moment, find_moments
from fewshot.session.analysis.mood import class_mood
from fewshot.session.analysis.profile import make_profile
from fewshot.session.analysis.students import visibility
from fewshot.session.analysis.trends import class_trend, compare, student_trend
from fewshot.session.charts.faces import FACES, face_svg, ink_on, plate, strokes
from fewshot.session.charts.legend import _centred, band_words, legend_chart
from fewshot.session.charts.mood import evidence_chart, mood_chart
from fewshot.session.charts.own_faces import PLATES, SIGNS
from fewshot.session.charts.render import _spec, to_png, to_svg
from fewshot.session.charts.students import PICKED, bands_chart, sparkline_svg
from fewshot.session.charts.theme import DARK, LIGHT, Chart, hex_of, palette, stacking
from fewshot.session.charts.trend_charts import comparison_chart, trend_chart
from fewshot.session.lesson import Lesson, Marker

pytest.importorskip("altair")
pytest.importorskip("vl_convert")

EMPTY, SMALL = make_lesson(0, 0), make_lesson(6, 700, 1, [Planted(300, 120, "confused", 1.0)])


def charts(lesson: Lesson) -> dict[str, Chart]:
    grid = make_grid(lesson)
    mood, moments, seen = class_mood(grid), find_moments(grid, shuffles=60).found, visibility(grid)
    profiles = [make_profile(lesson), make_profile(make_lesson(len(lesson.students), 400, number=2))]
    return {
        "mood": mood_chart(mood, lesson.markers, moments),
        "evidence": evidence_chart(mood, moments),
        "bands": bands_chart(grid, seen, lesson.markers),
        "class": trend_chart(class_trend(profiles)),
        "student": trend_chart(student_trend(profiles, "Bela")),
        "compare": comparison_chart(compare(*profiles)),
        "legend": legend_chart(band_words(grid.states)),
    }


@pytest.mark.parametrize("lesson", [EMPTY, SMALL], ids=["empty", "small"])
def test_every_chart_renders_without_a_network(lesson: Lesson) -> None:
    for name, chart in charts(lesson).items():
        root = ElementTree.fromstring(to_svg(chart))
        assert root.tag.endswith("svg"), name
        links = [value for element in root.iter() for key, value in element.items() if key.endswith("href")]
        assert links == []


def test_texts_that_xml_does_not_allow_do_not_end_the_process() -> None:
    """vl-convert aborts the process at such a character, and with it every lesson of a service."""
    text = "quiz\x00 \x01\x1b[2J\ufffe\uffff"
    lesson = replace(SMALL, markers=[Marker(1, 60.0, text)], students=[f"{name}\x02" for name in SMALL.students])
    for name, chart in charts(lesson).items():
        assert not re.search(r"\\u00[01][0-8b]|\\uff(fe|ff)", json.dumps(_spec(chart))), name
        assert ElementTree.fromstring(to_svg(chart)).tag.endswith("svg")
        assert to_png(chart)
    assert "quiz\ufffd \ufffd\ufffd[2J\ufffd\ufffd" in words(charts(lesson)["mood"])


@pytest.fixture(scope="module")
def small() -> dict[str, Chart]:
    return charts(SMALL)


def words(chart: Chart) -> set[str]:
    return {"".join(element.itertext()) for element in ElementTree.fromstring(to_svg(chart)).iter() if element.text}


def test_names_markers_and_moments_are_written(small: dict[str, Chart]) -> None:
    assert set(SMALL.students) <= words(small["bands"])
    assert {marker.text for marker in SMALL.markers} | {"A"} <= words(small["mood"])
    assert {"confused", "unsure", "not readable", "not in view"} <= words(small["legend"])


def test_a_band_has_its_colour_at_its_time(small: dict[str, Chart]) -> None:
    picture = np.asarray(Image.open(io.BytesIO(to_png(small["bands"], scale=1.0))).convert("RGB"))
    blue, green, red = OWN_STATES["confused"]
    confused = (picture == (red, green, blue)).all(2).sum(axis=0)
    strips = np.flatnonzero((picture[:, :700] == (241, 243, 245)).all(2).any(axis=0))  # under them: "not in view"
    left, wide = strips[0], 860 - 136 - 116
    at = [left + round(wide * second / 700) for second in (360, 150, 600)]
    assert confused[at[0]] > max(30, 2 * confused[at[1]], 2 * confused[at[2]])  # six rows of 26 pixels


def test_a_share_is_written_on_an_axis_as_in_the_text(small: dict[str, Chart]) -> None:
    said = {word for name in ("mood", "evidence", "class", "compare") for word in words(small[name]) if "%" in word}
    assert "100\N{NO-BREAK SPACE}%" in said
    assert not [word for word in said if re.search(r"\d%", word)]


def test_paper_follows_the_theme(small: dict[str, Chart]) -> None:
    corners = [
        Image.open(io.BytesIO(to_png(small["compare"], t, 1.0))).convert("RGB").getpixel((1, 1)) for t in (LIGHT, DARK)
    ]
    assert corners == [(255, 255, 255), (20, 24, 29)]


def test_every_state_has_a_colour_of_its_own() -> None:
    states = ["angry", "confused", "bored", "concentrating", "dancing", "dreaming", "unsure", "not readable"]
    colours = palette(states)
    assert len(set(colours.values())) == len(states)
    assert palette([]) == {} and stacking([]) == []
    assert stacking(["happy", "neutral", "unsure", "dancing", "sad"]) == [
        "dancing",
        "sad",
        "happy",
        "neutral",
        "unsure",
    ]


MACHADO = {
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
"""Colour blindness in linear RGB (Machado et al. 2009, severity 1)."""


@pytest.mark.parametrize("kind", ["normal", *MACHADO])
def test_colours_can_be_told_apart_by_colour_blind_people(kind: str) -> None:
    named = {**EMOTION_COLOURS, **OWN_STATES}
    seen = {name: lab(np.array(MACHADO.get(kind, np.eye(3))) @ linear(colour)) for name, colour in named.items()}
    close = {(a, b): np.linalg.norm(seen[a] - seen[b]) for a, b in itertools.combinations(seen, 2)}
    assert min(close.values()) > 15, min(close, key=lambda pair: close[pair])
    # "Unsure" is told by its form and its icon as well.
    grey = lab(np.array(MACHADO.get(kind, np.eye(3))) @ linear(UNSURE))
    assert min(np.linalg.norm(grey - value) for value in seen.values()) > 10


def linear(colour: tuple[int, int, int]) -> np.ndarray:
    rgb = np.array(colour[::-1]) / 255
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    matrix = np.array(
        [[0.4124564, 0.3575761, 0.180437], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]]
    )
    x, y, z = np.cbrt(np.maximum(matrix @ np.clip(rgb, 0, 1) / np.array([0.95047, 1, 1.08883]), 0.008856))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_icons_are_readable_on_their_colours() -> None:
    for colour in map(hex_of, EMOTION_COLOURS.values()):
        assert f'stroke="{ink_on(colour)}"' in face_svg("happy", colour, ink_on(colour))
    assert (
        "dasharray" in face_svg("not in view", "#000000", "#ffffff")
        and ElementTree.fromstring(face_svg("x", "#fff000", "#000000")) is not None
    )


OWN = (
    "thinking",
    "asking",
    "dancing",
    "dreaming",
    "curious",
    "frustrated",
    "lost",
    "müde",
    "скучно",
    "困惑",
    "yawning",
)


def test_own_states_look_different_without_colour_and_the_same_every_time() -> None:
    drawn = {state: (plate(state), strokes(state)) for state in (*EMOTION_COLOURS, *OWN_STATES, *OWN)}
    assert len(set(drawn.values())) == len(drawn)
    assert not {plate(state) for state in OWN} & {plate(state) for state in (*EMOTION_COLOURS, *OWN_STATES)}
    assert drawn["thinking"] == (plate("Thinking"), strokes("Thinking"))
    # By the name alone, on every machine: what was printed last year must still be right.
    assert (PLATES.index(plate("thinking")), SIGNS.index(strokes("thinking"))) == (3, 37)


def test_all_plates_and_signs_differ_and_can_be_drawn_in_a_page_and_in_a_chart() -> None:
    assert len(set(PLATES)) == len(PLATES) and len(set(SIGNS)) == len(SIGNS)
    for path in (*PLATES, *SIGNS, *FACES.values()):
        numbers = [float(n) for n in re.findall(r"-?\d*\.?\d+(?=[ ,a-zA-Z]|$)", _centred(path))]
        assert numbers and all(np.isfinite(numbers)), path
    svg = to_svg(legend_chart(["happy", *OWN, "unsure", "not in view"]))
    assert all(state in svg for state in OWN)


def test_the_colour_of_an_own_state_does_not_depend_on_the_states_beside_it() -> None:
    alone = {state: palette([state])[state] for state in OWN}
    assert len(set(alone.values())) > 1
    first, second = OWN[0], next(state for state in OWN if alone[state] != alone[OWN[0]])
    assert palette([first, second]) == palette([second, first]) == {first: alone[first], second: alone[second]}


def test_sparkline() -> None:
    assert ElementTree.fromstring(sparkline_svg(np.zeros(0, np.int16), ["happy", "unsure"])) is not None
    cells = np.array([0, 0, 1, -1, -2, 0], np.int16)
    svg = sparkline_svg(cells, ["happy", "unsure"], width=60, height=10, label="<asha>")
    rects = [dict(element.items()) for element in ElementTree.fromstring(svg)]
    assert [rect["width"] for rect in rects] == ["20.00", "10.00", "10.00", "10.00"]
    assert [rect["height"] for rect in rects] == ["10.0", "3.2", "1.0", "10.0"] and "&lt;asha&gt;" in svg


def test_without_the_libraries_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(module: str) -> None:
        raise ModuleNotFoundError(f"No module named '{module}'", name=module)

    monkeypatch.setattr(extras.importlib, "import_module", missing)
    draw: Callable[[], Chart] = lambda: mood_chart(class_mood(make_grid(SMALL)))  # noqa: E731
    with pytest.raises(UsageError, match=r"Charts need the package altair.*pip install '.\[app\]'"):
        draw()


@pytest.mark.parametrize("seconds", [301, 329, 700, 2699])
def test_nothing_is_drawn_beyond_the_axis(seconds: int) -> None:
    grid = make_grid(make_lesson(6, seconds, 1))
    moments = [Moment(seconds - 60, seconds, "sad", True, 0.5, 0.1, 6, 0.01)]
    markers = [Marker(1, seconds - 0.5, "end"), Marker(2, seconds + 20.0, "after a pause")]
    spec = mood_chart(class_mood(grid), markers, moments).to_dict(validate=False)
    ends = [x["scale"]["domain"][1] for x in time_axes(spec)]
    assert ends and min(ends) >= seconds + 20


def time_axes(spec: object) -> list[dict[str, Any]]:
    """Every x axis of time, anywhere in a specification, that sets its own domain."""
    if isinstance(spec, list):
        return [axis for part in spec for axis in time_axes(part)]
    if not isinstance(spec, dict):
        return []
    x = spec.get("x")
    own = [x] if isinstance(x, dict) and x.get("field") == "time" and "domain" in x.get("scale", {}) else []
    return own + [axis for part in spec.values() for axis in time_axes(part)]


def test_nothing_is_drawn_across_a_gap() -> None:
    """Vega-Lite fills gaps in what it stacks with zeros, and an area that falls to zero is a wedge across the gap."""
    import vl_convert

    mood = class_mood(make_grid(SMALL))
    gap = slice(20, 30)
    for values in (mood.share, mood.low, mood.high):
        values[gap] = np.nan
    chart = mood_chart(mood)
    compiled = json.dumps(vl_convert.vegalite_to_vega(chart.to_dict()))
    assert '"impute"' not in compiled and '"type": "stack"' not in compiled
    rows = next(rows for rows in chart.to_dict()["datasets"].values() if rows and "bottom" in rows[0])
    runs = {run: [row["time"] for row in rows if row["run"] == run] for run in {row["run"] for row in rows}}
    first, second = (runs[run] for run in sorted(runs))
    assert max(first) < mood.time[20] <= mood.time[29] < min(second)
    for time in {row["time"] for row in rows}:
        column = sorted((row["bottom"], row["top"]) for row in rows if row["time"] == time)
        assert column[0][0] == 0 and column[-1][1] == pytest.approx(1, abs=0.01)
        assert all(below[1] == above[0] for below, above in itertools.pairwise(column))


def test_a_click_on_a_row_selects_its_student() -> None:
    grid = make_grid(SMALL)
    spec = bands_chart(grid, visibility(grid), pick=True).to_dict()
    assert "hconcat" not in spec and [one["name"] for one in spec["params"]] == [PICKED]
    students = {row.get("student") for rows in spec["datasets"].values() for row in rows if "top" in row}
    assert students == {*grid.students} and spec["autosize"]["type"] == "pad", "Streamlit must not shrink it"
    assert ElementTree.fromstring(to_svg(bands_chart(grid, visibility(grid), pick=True))).tag.endswith("svg")


@pytest.mark.parametrize("seconds", [1, 2, 5, 90])
def test_a_short_lesson_has_ticks_too(seconds: int) -> None:
    spec = mood_chart(class_mood(make_grid(make_lesson(6, seconds)))).to_dict()
    assert len(spec["vconcat"][1]["encoding"]["x"]["axis"]["values"]) >= 2
