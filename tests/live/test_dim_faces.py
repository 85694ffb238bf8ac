"""A face that is too dark to be read is still recognised: it has its name, and the reason why it has no emotion."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from drawn_faces import DrawnEyes, draw_photo, see_drawings
from typer.testing import CliRunner

from fewshot.cli import app
from fewshot.faces.detections import Detections
from fewshot.faces.quality import assess
from fewshot.types import Face, Frame

ASHA, STRANGER, HAPPY = 1, 5, 3


class DimEyes(DrawnEyes):
    """Drawn faces in a room without light: their quality is what the program's own limits say of a dark crop."""

    grey_level = 5

    def find(self, frame: Frame) -> list[Face]:
        faces = super().find(frame)
        noise = np.random.default_rng(0).integers(-4, 5, (112, 112))
        crop = np.clip(self.grey_level + noise, 0, 255).astype(np.uint8)
        for face in faces:
            x, y, right, _ = face.box
            eyes = np.array([[0.3, 0.35], [0.7, 0.35], [0.5, 0.57], [0.34, 0.76], [0.66, 0.76]], np.float32)
            found = Detections(face.box[None], np.ones(1, np.float32), ((x, y) + eyes * (right - x))[None])
            (face.quality,) = assess(frame.shape, found, crop[None])
            face.expression = None
        return faces


@pytest.fixture
def lesson(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A class of one, and a video of her and a stranger."""
    see_drawings(monkeypatch)
    monkeypatch.chdir(tmp_path)
    draw_photo(tmp_path / "photos/asha/happy/1.png", {ASHA: 100}, emotion=HAPPY, seed=1)
    assert run("enroll", "physics", "photos", "--consent-by", "her mother")
    frame = cv2.imread(str(draw_photo(tmp_path / "frame.png", {ASHA: 100, STRANGER: 100}, HAPPY)))
    writer = cv2.VideoWriter(str(tmp_path / "lesson.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 10, frame.shape[1::-1])
    for _ in range(12):
        writer.write(frame)
    writer.release()
    return tmp_path / "lesson.avi"


def run(*words: object) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    return result.output


def readings(path: Path) -> list[dict]:
    return [face for line in path.read_text(encoding="utf-8").splitlines() for face in json.loads(line)["faces"]]


@pytest.mark.parametrize(("grey_level", "named"), [(5, True), (1, False)])
def test_it_is_named_and_not_read(lesson: Path, monkeypatch: pytest.MonkeyPatch, grey_level: int, named: bool) -> None:
    monkeypatch.setattr(DimEyes, "grey_level", grey_level)
    monkeypatch.setattr("fewshot.class_models.open_perception", lambda *args, **options: DimEyes())
    said = run("analyze", lesson, "--class", "physics", "--jsonl", "out.jsonl")
    found = readings(Path("out.jsonl"))
    assert len(found) == 24 and all(face["emotion"] is None and not face["probabilities"] for face in found)
    assert all(not face["quality"]["readable"] for face in found)
    assert all(any("too dark" in reason for reason in face["quality"]["reasons"]) for face in found)
    assert {face["student"] for face in found} == ({"asha", None} if named else {None})
    row = next((line for line in said.splitlines() if "asha" in line), "")
    assert bool(row) == named or "asha" in said  # she is in the table only if somebody was seen as her
    if named:
        assert "100 %" in row and "too dark" in row
