from __future__ import annotations

from dataclasses import replace

import pytest

from fewshot.live.metrics import Metrics
from fewshot.research.bench.soaking import Sample, growth

EMPTY = Sample.of(Metrics("camera 0", live=True).snapshot(), named=0)


def samples(count: int, slope_a_minute: float, warm_up: float = 0.0) -> list[Sample]:
    """A run with a sample every ten seconds that starts at 500 MB."""
    return [
        replace(EMPTY, seconds=10.0 * k, memory_mb=500 + slope_a_minute * k / 6 - warm_up * (k < 3))
        for k in range(1, count + 1)
    ]


def test_a_sample_of_a_run_that_has_not_begun() -> None:
    assert EMPTY.processed == EMPTY.dropped == EMPTY.faces == 0
    assert EMPTY.latency_p95_ms == 0
    assert EMPTY.memory_mb > 1
    assert EMPTY.row()["state"] == "starting"


@pytest.mark.parametrize("count", [0, 1, 9])
def test_a_short_run_says_nothing(count: int) -> None:
    assert growth(samples(count, 0.0)) is None


@pytest.mark.parametrize("slope", [0.0, 1.0, -2.0])
def test_growth_is_measured_after_the_warm_up(slope: float) -> None:
    grown = growth(samples(360, slope, warm_up=200))
    assert grown is not None
    assert grown.slope_mb_per_hour == pytest.approx(60 * slope, abs=1e-6)
    # From the middle of the first fifth to the middle of the last one: four fifths of the 54 minutes after the warm-up.
    assert grown.end_mb - grown.start_mb == pytest.approx(43 * slope, abs=abs(slope))
    assert grown.percent == pytest.approx(100 * (grown.end_mb / grown.start_mb - 1))
