"""The live mood chart: data, colours, and bounded size."""

from __future__ import annotations

import json
from typing import Any

import pytest

pytest.importorskip("altair", reason="needs the extra app")

from fewshot.app.board import BUCKET, MoodStep
from fewshot.app.moodchart import live_mood_spec, thinned
from fewshot.app.palette import look_of


def steps(count: int, people: float = 10.0) -> list[MoodStep]:
    return [MoodStep(5.0 * n, people, {"happy": people / 2, "sad": people / 2} if people else {}) for n in range(count)]


def test_an_empty_lesson_is_a_chart_without_data() -> None:
    spec = live_mood_spec([], [], 0.0)
    assert spec["layer"][0]["data"]["values"] == [] and spec["layer"][1]["data"]["values"] == []


def test_shares_and_colours_are_those_of_the_states() -> None:
    area, lines = live_mood_spec(steps(3), [(4.0, "here"), (400.0, "later")], 15.0)["layer"]
    assert {row["share"] for row in area["data"]["values"]} == {0.5} and len(area["data"]["values"]) == 6
    scale = area["encoding"]["color"]["scale"]
    assert dict(zip(scale["domain"], scale["range"], strict=True)) == {s: look_of(s).colour for s in ("happy", "sad")}
    assert [row["text"] for row in lines["data"]["values"]] == ["here"]
    assert area["encoding"]["x"]["scale"]["domain"] == [0, 15.0]


def test_one_chart_does_not_change_another() -> None:
    one = json.dumps(live_mood_spec(steps(3), [], 15.0))
    live_mood_spec(steps(9), [], 45.0)
    assert json.dumps(live_mood_spec(steps(3), [], 15.0)) == one


@pytest.mark.parametrize("count", [0, 1, 119, 120, 121, 5000])
def test_a_long_lesson_is_thinned(count: int) -> None:
    thin = thinned(steps(count))
    assert len(thin) <= 120 and (len(thin) > 0) == (count > 0)
    assert all(step.share(["sad"]) == pytest.approx(0.5) for step in thin)


def test_times_with_too_few_people_stay_empty() -> None:
    spec = live_mood_spec([*steps(2), *steps(2, people=0)], [], 20.0)
    assert len(spec["layer"][0]["data"]["values"]) == 4


def rising(count: int, event: float, gaps: tuple[tuple[float, float], ...] = ()) -> list[MoodStep]:
    """All happy before ``event``, all sad from then on; nothing in the gaps."""
    seconds = [BUCKET * (n + 0.5) for n in range(count)]
    kept = [s for s in seconds if not any(first <= s < last for first, last in gaps)]
    return [MoodStep(s, 10.0, {"sad" if s + BUCKET / 2 > event else "happy": 10.0}) for s in kept]


def sad_at(spec: dict[str, Any]) -> list[tuple[float, float]]:
    values = spec["layer"][0]["data"]["values"]
    return sorted((row["time"], row["share"]) for row in values if row["state"] == "sad")


@pytest.mark.parametrize("count", [12, 119, 600, 2000])
@pytest.mark.parametrize("at", [0.5, 0.31])
def test_a_rise_does_not_begin_before_its_marker(count: int, at: float) -> None:
    event = count * BUCKET * at
    drawn = sad_at(live_mood_spec(rising(count, event), [(event, "exercise")], count * BUCKET))
    assert [share for second, share in drawn if second < event] == [0] * sum(second < event for second, _ in drawn)
    assert (event, 1) in drawn and any(event - 0.1 < second < event for second, _ in drawn)
    assert len(drawn) <= 125


@pytest.mark.parametrize("gaps", [((60.0, 70.0),), ((60.0, 300.0), (400.0, 405.0)), ((5.0, 590.0),)])
def test_nothing_is_drawn_across_a_gap(gaps: tuple[tuple[float, float], ...]) -> None:
    rows = live_mood_spec(rising(120, 0, gaps), [], 600.0)["layer"][0]["data"]["values"]
    for first, last in gaps:
        before = {row["run"] for row in rows if row["time"] < first}
        after = {row["run"] for row in rows if row["time"] > last}
        assert before and after and not before & after
    assert all(sum(row["run"] == run for row in rows) >= 2 for run in {row["run"] for row in rows})


def test_rare_frames_are_no_gaps() -> None:
    rare = [MoodStep(20.0 * n, 10.0, {"sad": 10.0}) for n in range(30)]
    assert {row["run"] for row in live_mood_spec(rare, [], 600.0)["layer"][0]["data"]["values"]} == {0}


def test_gaps_are_not_filled_with_zeros() -> None:
    """Vega-Lite does that to what it stacks, and an area that falls to zero is drawn as a wedge across the gap."""
    vl_convert = pytest.importorskip("vl_convert")
    spec = live_mood_spec(rising(60, 100.0, ((120.0, 200.0),)), [], 300.0)
    assert "impute" not in json.dumps(vl_convert.vegalite_to_vega(spec))
    rows = spec["layer"][0]["data"]["values"]
    assert len({row["run"] for row in rows}) >= 2
    assert all(row["top"] - row["bottom"] == pytest.approx(row["share"], abs=1e-3) for row in rows)
    assert not [row for row in rows if 120 <= row["time"] < 200]
