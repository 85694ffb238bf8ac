"""A copy of an enrolled photo is not a further photo, however it was made; a different photo of the same person is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from fewshot import Classroom
from fewshot.classroom.copies import CHANGED, MIRRORED, NEARLY, SAVED_AGAIN, how_copied, likeness
from fewshot.classroom.photos import fingerprint
from fewshot.demo.sample import enrollment_photos, sample_picture
from fewshot.types import Frame


def face(seed: int) -> Frame:
    """A smooth made-up picture, 112 x 112."""
    noise = np.random.default_rng(seed).integers(0, 256, (9, 9, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(noise, (112, 112), interpolation=cv2.INTER_CUBIC), np.uint8)


def mirrored(picture: Frame) -> Frame:
    return np.ascontiguousarray(picture[:, ::-1])


ONE, OTHER = face(1), face(2)
MARK = fingerprint(ONE, ONE)


def test_how_a_copy_was_made() -> None:
    assert how_copied(MARK, MARK, 1.0, 1.0) == SAVED_AGAIN
    assert how_copied(MARK, fingerprint(OTHER, ONE), 0.99, 0.99) == CHANGED
    assert how_copied(MARK, fingerprint(mirrored(ONE), mirrored(ONE)), 0.93, 0.94) == MIRRORED
    assert how_copied(fingerprint(mirrored(ONE), mirrored(ONE)), MARK, 0.93, 0.94) == MIRRORED
    assert how_copied(MARK, fingerprint(OTHER, OTHER), 0.99, 0.99) == ""


@pytest.mark.parametrize(("expression", "identity"), [(0.5, 0.99), (0.99, 0.6), (0.8, 0.8)])
def test_the_hash_alone_is_no_proof(expression: float, identity: float) -> None:
    """A face that does not move makes all crops alike: then the vectors decide."""
    assert how_copied(MARK, fingerprint(OTHER, ONE), expression, identity) == ""
    assert how_copied(MARK, fingerprint(OTHER, mirrored(ONE)), expression, identity) == ""


def test_a_frame_of_a_burst_is_nearly_the_same() -> None:
    shifted = np.asarray(np.roll(ONE, 3, axis=1), np.uint8)
    assert 24 < likeness(MARK, fingerprint(OTHER, shifted), 0.96, 0.95).crop < 48
    assert how_copied(MARK, fingerprint(OTHER, shifted), 0.96, 0.95) == NEARLY


def test_distances_of_a_mirror_image() -> None:
    near = likeness(MARK, fingerprint(mirrored(ONE), mirrored(ONE)), 0.0, 0.0)
    assert near.mirror_crop <= 12 and near.mirror_photo <= 40 and near.crop > 60 and near.photo > 300
    assert likeness(MARK, MARK, 0.0, 0.0).crop == 0


COPIES: dict[str, Callable[[Frame], Frame]] = {
    "mirrored": mirrored,
    "brighter": lambda photo: np.asarray(cv2.convertScaleAbs(photo, alpha=1.1, beta=15), np.uint8),
    "smaller": lambda photo: np.asarray(
        cv2.resize(photo, None, fx=0.7, fy=0.7, interpolation=cv2.INTER_AREA), np.uint8
    ),
    "cut": lambda photo: np.ascontiguousarray(photo[: round(0.96 * len(photo)), round(0.05 * photo.shape[1]) :]),
}


def test_copies_of_a_real_photo(shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEWSHOT_SHARED", str(shared))
    enrollment_photos(sample_picture(), tmp_path / "photos")
    student, other = sorted(path for path in (tmp_path / "photos").iterdir() if path.is_dir())[:2]
    one = sorted(path for path in student.rglob("*") if path.is_file())[0]
    photo = np.asarray(cv2.imread(str(one)), np.uint8)
    made = [tmp_path / f"{name}.jpg" for name in COPIES]
    for path in made:
        cv2.imwrite(str(path), COPIES[path.stem](photo), [cv2.IMWRITE_JPEG_QUALITY, 85])
    room = Classroom.temporary("physics", detector="scrfd", download=False)
    first = room.enroll("asha", [one, *made[:2]], consent_by="x")
    assert [result.status for result in first.photos] == ["accepted", "rejected", "rejected"]
    assert f"{one.parent.name}/{one.name}" in first.photos[1].reason and "mirrored" in first.photos[1].reason
    later = room.enroll("asha", made)
    assert [result.status for result in later.photos] == ["already enrolled"] * 4
    twin = room.enroll("bela", made, consent_by="x", looks_like="asha")
    assert not twin.stands and all("is enrolled for asha" in result.reason for result in twin.photos)
    assert room.enroll("chen", other, consent_by="x").stands
