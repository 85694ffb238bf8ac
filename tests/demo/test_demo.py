"""The demo: its truth, its score, and the whole job on a machine that can download nothing."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from rich.console import Console

from fewshot.demo.run import run_demo
from fewshot.demo.sample import PEOPLE, camera, enrollment_photos, sample_picture, true_boxes, video
from fewshot.demo.score import Scorecard, reading_of
from fewshot.types import FrameResult, Reading


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    return sample_picture()


def test_the_truth_follows_the_camera(picture: np.ndarray) -> None:
    for time in (0.0, 1.7, 5.3):
        boxes = true_boxes(time, picture)
        centres = np.array([[(x0 + x1) / 2, (y0 + y1) / 2, 1.0] for x0, y0, x1, y1 in (p.box for p in PEOPLE)])
        np.testing.assert_allclose((boxes[:, :2] + boxes[:, 2:]) / 2, centres @ camera(time, picture).T, atol=1e-6)
        assert (boxes[:, :2] >= 0).all() and (boxes[:, 2] <= 1280).all() and (boxes[:, 3] <= 720).all()


def test_the_video_moves_and_has_the_promised_length(picture: np.ndarray) -> None:
    frames = list(video(picture))
    assert len(frames) == 120 and frames[0].shape == (720, 1280, 3)
    assert np.abs(frames[0].astype(int) - frames[20]).mean() > 5


def test_only_the_enrolled_get_photos_and_no_two_are_alike(picture: np.ndarray, tmp_path: Path) -> None:
    enrollment_photos(picture, tmp_path)
    assert sorted(folder.name for folder in tmp_path.iterdir()) == sorted(p.name for p in PEOPLE if p.enrolled)
    contents = [path.read_bytes() for path in sorted(tmp_path.rglob("*.jpg"))]
    assert len(contents) == len(set(contents)) == 12


def reading(box: tuple[float, float, float, float], student: str | None = None) -> Reading:
    return Reading(track=0, box=box, score=0.9, student=student)


@pytest.mark.parametrize(
    ("boxes", "expected"),
    [
        ([], None),
        ([(200, 200, 300, 300)], None),
        ([(0, 0, 100, 25)], None),  # overlap 0.25
        ([(0, 0, 100, 40)], 0),  # overlap 0.40
        ([(0, 0, 100, 40), (0, 0, 100, 90)], 1),
    ],
    ids=["nothing seen", "elsewhere", "too little", "enough", "the better one"],
)
def test_a_reading_belongs_to_the_face_it_overlaps(
    boxes: list[tuple[float, float, float, float]], expected: int | None
) -> None:
    readings = tuple(reading(box) for box in boxes)
    found = reading_of(np.array([0.0, 0.0, 100.0, 100.0]), readings)
    assert found is (None if expected is None else readings[expected])


def test_the_score_counts_names_strangers_and_mistakes() -> None:
    boxes = np.array([[i * 100.0, 0, i * 100 + 80, 80] for i in range(len(PEOPLE))])
    named = ["asha", "asha", None, "dana", None, "ben"]
    readings = tuple(reading((*box,), student) for box, student in zip(boxes, named, strict=True))  # type: ignore[arg-type]
    card = Scorecard()
    card.add(FrameResult("sample", 0, 0.0, 1280, 720, readings), boxes)
    card.add(FrameResult("sample", 1, 0.1, 1280, 720, ()), boxes)
    counts = {name: (t.frames, t.found, t.right, t.wrong, t.unknown) for name, t in card.tallies.items()}
    assert counts["asha"] == (2, 1, 1, 0, 0)
    assert counts["ben"] == (2, 1, 0, 1, 0)
    assert counts["chidi"] == (2, 1, 0, 0, 1)
    assert counts["guest 2"] == (2, 1, 0, 1, 0)
    # asha was named in one of two frames: not most of them. guest 1 was seen and named by nobody's name.
    assert [person.name for person in PEOPLE if card.is_right(person)] == ["guest 1"]


def test_the_whole_job_without_any_download(tmp_path: Path) -> None:
    out = tmp_path / "demo"
    score = run_demo(out, detector="cascade", download=False, console=Console(quiet=True))
    lines = [json.loads(line) for line in (out / "readings.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["frame"] for line in lines] == list(range(120))
    capture = cv2.VideoCapture(str(out / "annotated.mp4"))
    assert int(capture.get(cv2.CAP_PROP_FRAME_COUNT)) == 120
    capture.release()
    assert all(cv2.imread(str(out / name)) is not None for name in ("contact_sheet.png", "timeline.png"))
    # The weakest chain there is: what it names has to be right, and it has to know somebody.
    assert sum(tally.wrong for tally in score.tallies.values()) == 0
    assert sum(score.is_right(person) for person in PEOPLE if person.enrolled) >= 2


def test_the_whole_job_with_the_default_models(shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEWSHOT_SHARED", str(shared))
    score = run_demo(tmp_path / "demo", download=False, console=Console(quiet=True))
    assert [person.name for person in PEOPLE if not score.is_right(person)] == []
