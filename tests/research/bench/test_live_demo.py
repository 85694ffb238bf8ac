"""The researcher's script: its config composes, and its parts are the loop's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from drawn_faces import SlowEyes, draw_photo, see_drawings

from fewshot import Classroom
from fewshot.faces.tracker import Tracker
from fewshot.live.loop import Loop
from fewshot.live.pipeline import Schedule
from fewshot.live.smoothing import Smoother
from fewshot.live.sources import FrameSource
from fewshot.types import Frame

hydra = pytest.importorskip("hydra", reason="needs the extra 'train'")

HAPPY, NEUTRAL = 3, 6


def composed(*words: str) -> Any:
    conf = str(Path(__file__).resolve().parents[3] / "conf")
    with hydra.initialize_config_dir(conf, version_base=None):
        return hydra.compose("live_demo", list(words))


def test_the_config_composes_and_takes_a_file() -> None:
    cfg = composed("source=lesson.mp4", "smoother.time_constant=0")
    assert composed().source == 0
    assert cfg.source == "lesson.mp4"
    assert isinstance(hydra.utils.instantiate(cfg.smoother), Smoother)
    assert isinstance(hydra.utils.instantiate(cfg.tracker), Tracker)
    assert hydra.utils.instantiate(cfg.plan) == Schedule()


@pytest.fixture
def frames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Frame]:
    """A class 'physics' of one student, and ten frames of them happy before one that is neutral."""
    see_drawings(monkeypatch)
    shown = {}
    for emotion, name in ((HAPPY, "happy"), (NEUTRAL, "neutral")):
        draw_photo(tmp_path / f"photos/asha/{name}/1.png", {1: 100}, emotion, seed=emotion)
        picture = cv2.imread(str(draw_photo(tmp_path / f"{name}.png", {1: 100, 2: 90, 5: 80}, emotion, seed=9)))
        shown[emotion] = np.asarray(picture, np.uint8)
    Classroom.open("physics").enroll_folder(tmp_path / "photos", consent_by="her mother")
    return [shown[HAPPY]] * 10 + [shown[NEUTRAL]]


def built(*words: str) -> Loop:
    from experiments.live_demo import build_loop

    loop: Loop = build_loop(composed(*words), Schedule())
    return loop


@pytest.mark.parametrize("class_name", ["physics", "null"])
def test_a_change_of_the_smoother_reaches_the_loop(
    frames: list[Frame], monkeypatch: pytest.MonkeyPatch, class_name: str
) -> None:
    see_everything(monkeypatch, SlowEyes(0.0))
    happy = []
    for seconds in (0, 60):
        steps = built(f"class_name={class_name}", f"smoother.time_constant={seconds}").run(FrameSource(frames, 10.0))
        happy.append([step.result.readings[0].probabilities["happy"] for step in steps][-1])
    assert happy[0] < 0.5 < happy[1]


@pytest.mark.parametrize("class_name", ["physics", "null"])
def test_a_budget_reaches_the_loop(frames: list[Frame], monkeypatch: pytest.MonkeyPatch, class_name: str) -> None:
    eyes = SlowEyes()
    see_everything(monkeypatch, eyes)
    list(built(f"class_name={class_name}", "budget_ms=1").run(FrameSource(frames, 10.0)))
    assert eyes.embedded == [3] + [1] * 10


@pytest.mark.parametrize("class_name", ["physics", "null"])
def test_a_change_of_the_tracker_reaches_the_loop(
    frames: list[Frame], monkeypatch: pytest.MonkeyPatch, class_name: str
) -> None:
    see_everything(monkeypatch, SlowEyes(0.0))
    away = [*frames[:2], np.zeros_like(frames[0]), *frames[:2]]
    tracks = []
    for memory in (10.0, 0.05):  # seconds; at 10 frames per second everybody is away for a tenth of one
        steps = list(built(f"class_name={class_name}", f"tracker.memory={memory}").run(FrameSource(away, 10.0)))
        tracks.append([reading.track for reading in steps[-1].result.readings])
    assert sorted(tracks[0]) == [0, 1, 2] and min(tracks[1]) > 2


def see_everything(monkeypatch: pytest.MonkeyPatch, eyes: SlowEyes) -> None:
    """The script, with a class and without one, sees through these eyes."""
    for place in ("fewshot.class_models", "experiments.live_demo"):
        monkeypatch.setattr(f"{place}.open_perception", lambda *args, **options: eyes)
    from fewshot import class_models

    monkeypatch.setattr("experiments.live_demo.open_population", class_models.open_population)
