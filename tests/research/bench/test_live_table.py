from __future__ import annotations

import json

import pytest

from fewshot.research.bench.live_run import Measured, median_and_range
from fewshot.research.bench.live_table import TARGETS, Target, flat, report, stage_rows, table_rows

TOLD = {"machine": {"cores": "2"}, "notes": ["quiet"], "commands": ["python x.py"], "stages": {}, "network": "n-1"}
WANTED_KEYS = {"fps_49", "fps_25", "fps_1", "p95_ms_49", "ratio_to_handwritten", "rss_mb_49", "start_s"}


def test_every_key_that_was_promised_has_one_line() -> None:
    keys = [target.key for target in TARGETS]
    assert len(keys) == len(set(keys))
    assert set(keys) >= WANTED_KEYS


@pytest.mark.parametrize(
    ("target", "value", "met"),
    [
        (Target("x", "x"), 5.0, None),
        (Target("x", "x", 30, most=False), 30.0, True),
        (Target("x", "x", 30, most=False), 29.9, False),
        (Target("x", "x", 45), 45.0, True),
        (Target("x", "x", 45), 45.1, False),
    ],
)
def test_targets_are_met_or_not(target: Target, value: float, met: bool | None) -> None:
    assert target.met(value) is met


def test_rows_show_median_range_and_target() -> None:
    assert table_rows({}) == []
    found = {"fps_49": median_and_range([29.0, 31.0, 33.0]), "switches": median_and_range([0.0])}
    rows = {row["what"]: row for row in table_rows(found)}
    assert len(rows) == 2
    speed = next(row for what, row in rows.items() if "49 faces" in what)
    assert (speed["median"], speed["range"], speed["target"], speed["met"]) == (
        "**31.0**",
        "29.0 - 33.0",
        ">= 30.0",
        "yes",
    )
    names = next(row for what, row in rows.items() if "names" in what)
    assert (names["range"], names["met"]) == ("", "yes")


def test_the_page_and_the_json_hold_the_same_numbers() -> None:
    found = {"start_s": median_and_range([2.0, 3.0, 2.5])}
    page = report(found, TOLD)
    assert "**2.50 s**" in page
    assert "python x.py" in page and "Network `n-1`." in page
    told = json.loads(json.dumps(flat(found, TOLD)))
    assert told["start_s"] == 2.5
    assert told["spread"]["start_s"] == {"median": 2.5, "low": 2.0, "high": 3.0}
    assert told["machine"] == {"cores": "2"} and told["network"] == "n-1"


def test_stages_are_rows_of_scenes() -> None:
    assert stage_rows({}) == []
    stages = {"class": {"detect": {"p50_ms": 8.04, "p95_ms": 9.0, "frames": 5.0}}}
    assert stage_rows(stages) == [{"scene": "class", "detect": "8.0 / 9.0"}]


def test_a_run_is_summed_up() -> None:
    # 100 frames, one every 20 ms, each worked on for 30 ms after it waited for 10.
    labelled = [0.04 + 0.02 * k for k in range(100)]
    measured = Measured(
        handed=[time - 0.04 for time in labelled],
        labelled=labelled,
        faces=[2] * 100,
        fresh=[2] * 99 + [1],
        latency=[0.03] * 100,
        decode_ms=[5.0] * 100,
        memory_mb=300.0,
        dropped=25,
        video_fps=25.0,
    )
    told = measured.summary()
    assert told["fps"] == pytest.approx(100 / labelled[-1])
    assert told["fps_steady"] == pytest.approx(50)
    assert (told["p50_ms"], told["queued_p95_ms"], told["between_p95_ms"]) == pytest.approx((30, 40, 20))
    assert told["fresh"] == pytest.approx(199 / 200)
    assert (told["dropped"], told["rss_mb"], told["faces"]) == (0.2, 300.0, 2.0)
