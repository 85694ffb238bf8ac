from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="needs the extra 'dev'")

from fewshot.live.metrics import Metrics
from fewshot.research.bench.live_plots import plot_latency, plot_runs, plot_soak, plot_stages
from fewshot.research.bench.soaking import Sample


def ink(path: Path) -> int:
    """Pixels that are not white."""
    picture = cv2.imread(str(path))
    assert picture is not None
    return int((picture.min(axis=2) < 250).sum())


def test_stages_are_drawn(tmp_path: Path) -> None:
    stages = {
        "class_49": {"detect": {"p50_ms": 8.0}, "embed": {"p50_ms": 15.0}},
        "webcam_1": {"detect": {"p50_ms": 4.0}},
    }
    plot_stages(tmp_path / "a.png", stages, {"class_49": 30.0, "webcam_1": 10.0})
    assert ink(tmp_path / "a.png") > 5000


def test_runs_and_latencies_are_drawn(tmp_path: Path) -> None:
    plot_runs(tmp_path / "b.png", {"class_49": [30.0, 31.0], "webcam_1": [90.0]}, {"class_49": 30.0})
    plot_latency(tmp_path / "c.png", {"class_49": list(np.linspace(20, 60, 200))})
    assert min(ink(tmp_path / "b.png"), ink(tmp_path / "c.png")) > 2000


def test_a_soak_is_drawn(tmp_path: Path) -> None:
    sample = Sample.of(Metrics().snapshot(), 0)
    plot_soak(tmp_path / "d.png", [replace(sample, seconds=60.0 * k, memory_mb=500.0) for k in range(5)])
    assert ink(tmp_path / "d.png") > 2000
