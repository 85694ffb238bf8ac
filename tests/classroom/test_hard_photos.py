"""Photos in which no face can be used: each is refused with its reason and what to do, and the others are enrolled."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from drawn_faces import THRESHOLDS, Desk, DrawnEyes, draw_photo
from typer.testing import CliRunner

from fewshot.classroom.enrollment import Enrollment
from fewshot.classroom.photo_advice import no_face, with_advice
from fewshot.classroom.photo_folder import list_photos
from fewshot.cli import app
from fewshot.demo.sample import enrollment_photos, sample_picture
from fewshot.faces.quality import ENROLLMENT_LIMITS, Limits, _reasons
from fewshot.types import Face, Frame, Quality

ASHA = 1


def test_every_reason_has_its_advice() -> None:
    """Every sentence of ``faces.quality`` about a face that is not readable."""
    good = {"size": 100.0, "sharpness": 0.8, "yaw": 0.0, "pitch": 0.0, "roll": 0.0, "brightness": 128.0}
    bad = [
        {"size": 10}, {"sharpness": 0.01}, {"yaw": -80}, {"pitch": 70}, {"roll": 60}, {"roll": 179}, {"brightness": 2},
        {"brightness": 254},
    ]  # fmt: skip
    said = [_reasons(Quality(**{**good, **fault}), 40.0, True, ENROLLMENT_LIMITS) for fault in bad]
    said += [_reasons(Quality(**good), 40.0, False, Limits()), _reasons(Quality(**good), 1.0, True, ENROLLMENT_LIMITS)]
    for reasons in said:
        assert len(reasons) == 1 and re.search(r"\. (Use|Turn) ", with_advice(reasons)), reasons
    both = with_advice([*said[1], *said[6]])
    assert both.count("Use ") == 2 and "too blurred" in both and "too dark" in both


@pytest.mark.parametrize(("light", "said"), [(10, "dark"), (250, "bright"), (128, "upright, sharp")])
def test_a_photo_without_a_face_says_what_its_light_is(light: int, said: str) -> None:
    reason = no_face(np.full((120, 160, 3), light, np.uint8))
    assert reason.startswith("no face found (160x120)") and said in reason and "Use " in reason


class UprightEyes(DrawnEyes):
    """As a detector: sees only faces that stand upright, which here are in the upper half on the left."""

    def find(self, frame: Frame) -> list[Face]:
        height, width = frame.shape[:2]
        return [f for f in super().find(frame) if f.box[1::2].mean() < height / 2 and f.box[::2].mean() < width / 2]


@pytest.mark.parametrize(
    ("turn", "lies"),
    [
        (cv2.ROTATE_180, "upside down"),
        (cv2.ROTATE_90_CLOCKWISE, "on its side"),
        (cv2.ROTATE_90_COUNTERCLOCKWISE, "on its side"),
    ],
)
def test_a_turned_photo_is_recognised_as_one(desk: Desk, turn: int, lies: str) -> None:
    good = draw_photo(desk.photos / "asha/happy/1.png", {ASHA: 100}, seed=1)
    cv2.imwrite(str(desk.photos / "asha/happy/2.png"), cv2.rotate(cv2.imread(str(good)), turn))
    draw_photo(desk.photos / "asha/happy/3.png", {}, seed=3)
    draw_photo(desk.photos / "asha/happy/4.png", {ASHA: 100}, seed=4)
    enrollment = Enrollment(UprightEyes(), desk.roster, desk.store, THRESHOLDS, lambda supports: True)
    photos = enrollment.add("asha", list_photos(desk.photos).students["asha"], desk.consent).photos
    assert [photo.status for photo in photos] == ["accepted", "rejected", "rejected", "accepted"]
    assert f"because the photo is {lies}. Turn it" in photos[1].reason
    assert "because" not in photos[2].reason and "Use an upright" in photos[2].reason


class ShortSighted(DrawnEyes):
    """As a detector: a face must be large enough in a picture that is shrunk to 640 pixels."""

    def find(self, frame: Frame) -> list[Face]:
        return [f for f in super().find(frame) if (f.box[2] - f.box[0]) * 640 / max(frame.shape) >= 16]


@pytest.mark.parametrize(
    ("faces", "status", "reason"),
    [
        ([(2900, 1900)], "accepted", ""),
        ([(1200, 1250)], "accepted", ""),  # it lies in four parts
        ([(200, 200), (5200, 3200)], "rejected", "2 faces, and none is clearly the largest"),
        ([], "rejected", "no face found (6000x4000)"),
    ],
)
def test_a_far_face_in_a_large_photo_is_found(
    desk: Desk, faces: list[tuple[int, int]], status: str, reason: str
) -> None:
    path = draw_photo(desk.photos / "asha/happy/1.png", {ASHA: 100}, seed=1)
    drawn, whole = np.asarray(cv2.imread(str(path))), np.full((4000, 6000, 3), 128, np.uint8)
    for left, top in faces:
        whole[top : top + drawn.shape[0], left : left + drawn.shape[1]] = drawn
    cv2.imwrite(str(path), whole)
    enrollment = Enrollment(ShortSighted(), desk.roster, desk.store, THRESHOLDS, lambda supports: True)
    (photo,) = enrollment.add("asha", list_photos(desk.photos).students["asha"], desk.consent).photos
    assert (photo.status, reason in photo.reason) == (status, True), photo


def test_near_faces_are_not_passed_over_for_a_far_one(desk: Desk) -> None:
    """Two people in front; somebody behind them, or on a poster, is not the student."""
    path = draw_photo(desk.photos / "asha/happy/1.png", {ASHA: 100}, seed=1)
    drawn, whole = np.asarray(cv2.imread(str(path))), np.full((4000, 6000, 3), 128, np.uint8)
    height, width = drawn.shape[:2]
    near = cv2.resize(drawn, (5 * width // 2, 5 * height // 2), interpolation=cv2.INTER_NEAREST)
    for left, top, face in [(100, 100, near), (3000, 100, near), (4000, 3000, drawn)]:
        whole[top : top + face.shape[0], left : left + face.shape[1]] = face
    cv2.imwrite(str(path), whole)
    enrollment = Enrollment(ShortSighted(), desk.roster, desk.store, THRESHOLDS, lambda supports: True)
    (photo,) = enrollment.add("asha", list_photos(desk.photos).students["asha"], desk.consent).photos
    assert photo.status == "rejected" and "2 faces" in photo.reason


SPOILED: dict[str, Callable[[Frame], Frame]] = {
    "dark": lambda photo: (photo * 0.03).astype(np.uint8),
    "blurred": lambda photo: np.asarray(cv2.GaussianBlur(photo, (0, 0), 14), np.uint8),
    "upside_down": lambda photo: np.asarray(cv2.rotate(photo, cv2.ROTATE_180), np.uint8),
}


def test_the_command_refuses_each_in_words_and_enrolls_the_rest(tmp_path: Path) -> None:
    """The real chain, on the sample picture."""
    enrollment_photos(sample_picture(), tmp_path / "photos")
    student = sorted(path for path in (tmp_path / "photos").iterdir() if path.is_dir())[0]
    (good, *_) = sorted(path for path in student.rglob("*") if path.is_file())
    photo = np.asarray(cv2.imread(str(good)), np.uint8)
    for name, spoil in SPOILED.items():
        cv2.imwrite(str(good.with_name(f"{name}.png")), spoil(photo))
    words = ["enroll", "physics", str(tmp_path / "photos"), "--consent-by", "sample picture"]
    result = CliRunner().invoke(app, [*words, "--detector", "cascade", "--offline"], env={"COLUMNS": "400"})
    assert result.exit_code == 0, result.output
    for name in SPOILED:
        (line,) = [line for line in result.output.splitlines() if f"{name}.png" in line]
        assert re.search(r"\. (Use|Turn) ", line), line
    assert "4 students in class physics" in result.output
