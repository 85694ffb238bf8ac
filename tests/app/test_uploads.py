"""Uploads: folders, zips and single photos, and zips that mean harm."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from fewshot.app import uploads
from fewshot.app.uploads import Upload, save_class, save_student, thumbnail, thumbnail_of
from fewshot.errors import UsageError


def packed(*names: str, data: bytes = b"x") -> Upload:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name in names:
            archive.writestr(name, data)
    return Upload("photos.zip", target.getvalue())


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("sent", "students", "kept"),
    [
        ([], [], []),
        ([Upload("asha/1.jpg", b"x")], ["asha"], ["asha/1.jpg"]),
        ([Upload("asha/sad/1.jpg", b"x"), Upload("ben/1.jpg", b"x")], ["asha", "ben"], ["asha/sad/1.jpg", "ben/1.jpg"]),
        ([packed("asha/1.jpg", "ben/neutral/1.jpg")], ["asha", "ben"], ["asha/1.jpg", "ben/neutral/1.jpg"]),
        ([packed("photos/asha/1.jpg", "photos/ben/1.jpg")], ["asha", "ben"], ["asha/1.jpg", "ben/1.jpg"]),
        ([packed("photos/asha/1.jpg", "photos/ben/1.jpg", "photos/consent.csv")], ["asha", "ben"],
         ["asha/1.jpg", "ben/1.jpg", "consent.csv"]),
        ([packed("asha/happy/1.jpg", "asha/sad/1.jpg")], ["asha"], ["asha/happy/1.jpg", "asha/sad/1.jpg"]),
        ([packed("asha/1.jpg", "__MACOSX/asha/._1.jpg", "asha/.DS_Store", "asha/Thumbs.db")], ["asha"], ["asha/1.jpg"]),
        ([packed("asha\\1.jpg")], ["asha"], ["asha/1.jpg"]),
    ],
)  # fmt: skip
def test_photos_of_a_class(sent: list[Upload], students: list[str], kept: list[str], tmp_path: Path) -> None:
    assert save_class(sent, tmp_path) == students and files(tmp_path) == kept


def test_a_photo_in_no_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"lonely\.jpg is not in a student's folder"):
        save_class([Upload("lonely.jpg", b"x")], tmp_path)


@pytest.mark.parametrize("name", ["../../evil/1.jpg", "/etc/evil/1.jpg", "asha/../../evil/1.jpg", "..\\evil\\1.jpg"])
def test_nothing_is_written_outside_the_folder(name: str, tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    save_class([packed(name), Upload(name, b"x")], inside)
    assert all(path.startswith("inside/") for path in files(tmp_path))


def test_a_zip_that_unpacks_to_too_much_is_refused_before_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "MOST_BYTES", 1000)
    with pytest.raises(UsageError, match="upload the parts one by one"):
        save_class([packed("asha/1.jpg", data=bytes(5000))], tmp_path)
    assert files(tmp_path) == []


def test_a_damaged_zip_is_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be unpacked"):
        save_class([Upload("photos.zip", b"no zip")], tmp_path)


@pytest.mark.parametrize(
    ("emotion", "kept"), [(None, ["asha/1.jpg", "asha/sad/2.jpg"]), ("happy", ["asha/happy/1.jpg", "asha/happy/2.jpg"])]
)
def test_photos_of_one_student(emotion: str | None, kept: list[str], tmp_path: Path) -> None:
    save_student([Upload("1.jpg", b"x"), packed("sad/2.jpg")], tmp_path, "asha", emotion)
    assert files(tmp_path) == kept


def test_a_name_that_cannot_be_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        save_student([Upload("1.jpg", b"x")], tmp_path, "../asha")


def test_thumbnails_are_small_and_there_is_none_of_what_is_no_picture(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (900, 700, 3), np.uint8)
    data = cv2.imencode(".png", picture)[1].tobytes()
    (tmp_path / "a.png").write_bytes(data)
    (tmp_path / "b.png").write_bytes(b"no picture")
    small = thumbnail(tmp_path / "a.png")
    assert small is not None and max(cv2.imdecode(np.frombuffer(small, np.uint8), 1).shape[:2]) == 220
    assert thumbnail(tmp_path / "b.png") is None
    assert thumbnail_of("x.png", data) == small
    with pytest.raises(UsageError, match="cannot be read as a picture"):
        thumbnail_of("x.png", b"no picture")
