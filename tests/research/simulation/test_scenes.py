from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fewshot.errors import FewshotError
from fewshot.live.sources import open_source
from fewshot.research.simulation.scenes import CLASS, SCENES, made_up_scene, repeated
from fewshot.research.simulation.virtual_classroom import Settings

PORTRAIT = np.full((60, 50, 3), 200, np.uint8)
FACE = (10.0, 10.0, 40.0, 50.0)


def test_the_class_of_49_has_49_tiles() -> None:
    settings = SCENES[CLASS]
    assert settings.columns * settings.rows == 49
    assert (settings.width, settings.height) == (1920, 1080)
    assert settings.seconds >= 15
    assert 25 <= settings.fps <= 30


def test_without_portraits_there_is_no_gallery(tmp_path: Path) -> None:
    with pytest.raises(FewshotError, match="No portrait"):
        made_up_scene(tmp_path, CLASS, 1.0, [])


def test_portraits_take_turns() -> None:
    plan = repeated(Settings(columns=3, rows=1, seconds=1, fps=5), 2)
    assert [seat.segments[0].picture for seat in plan.seats] == ["0", "1", "0"]
    assert all(seat.segments[0].stop == 5 for seat in plan.seats)
    assert not any(seat.enrolled for seat in plan.seats)


def test_a_gallery_is_made_up_once(tmp_path: Path) -> None:
    pytest.importorskip("av", reason="PyAV is not installed")
    scene = made_up_scene(tmp_path, "webcam_1", 0.1, [(PORTRAIT, FACE)])
    assert (scene.faces, scene.photos, scene.truth) == (1, None, None)
    source = open_source(scene.video)
    shots = list(source)
    source.close()
    assert len(shots) == 3
    assert shots[0].frame.shape == (720, 1280, 3)
    made = scene.video.stat().st_mtime_ns
    assert made_up_scene(tmp_path, "webcam_1", 0.1, [(PORTRAIT, FACE)]).video.stat().st_mtime_ns == made
