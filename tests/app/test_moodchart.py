"""The live mood chart: data, colours, and bounded size."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("altair", reason="needs the extra app")

from fewshot.app.board import MoodStep
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
