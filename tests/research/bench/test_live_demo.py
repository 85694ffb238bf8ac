"""The researcher's script: its config composes, and its parts are the loop's."""

from __future__ import annotations

from pathlib import Path

import pytest

from fewshot.faces.tracker import Tracker
from fewshot.live.pipeline import Schedule
from fewshot.live.smoothing import Smoother

hydra = pytest.importorskip("hydra", reason="needs the extra 'train'")


def test_the_config_composes_and_takes_a_file() -> None:
    conf = str(Path(__file__).resolve().parents[3] / "conf")
    with hydra.initialize_config_dir(conf, version_base=None):
        cfg = hydra.compose("live_demo", ["source=lesson.mp4", "smoother.time_constant=0"])
        assert hydra.compose("live_demo").source == 0
    assert cfg.source == "lesson.mp4"
    assert isinstance(hydra.utils.instantiate(cfg.smoother), Smoother)
    assert isinstance(hydra.utils.instantiate(cfg.tracker), Tracker)
    assert hydra.utils.instantiate(cfg.plan) == Schedule()
