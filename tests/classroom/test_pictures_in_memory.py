"""Pictures that are in memory only: enrolled by the rules of photos, and no file is written."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from drawn_faces import draw_frame, draw_photo, see_drawings

from fewshot import Classroom
from fewshot.classroom.photos import PhotoFile, load_photo
from fewshot.errors import UsageError
from fewshot.pictures import read_picture
from fewshot.types import Frame

ASHA, BELA = 1, 2


@pytest.fixture(autouse=True)
def drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    see_drawings(monkeypatch)


def shown(folder: Path, *people: int, emotion: int = 3, seed: int = 1) -> Frame:
    return read_picture(draw_photo(folder / "one.png", dict.fromkeys(people, 100), emotion, seed))


def test_without_consent_no_picture_is_looked_at(tmp_path: Path) -> None:
    room = Classroom.temporary("physics")
    with pytest.raises(UsageError, match="no consent"):
        room.enroll_pictures("asha", [(shown(tmp_path, ASHA), None)])
    with pytest.raises(UsageError, match="consent ended"):
        room.enroll_pictures("asha", [(shown(tmp_path, ASHA), None)], consent_by="her mother", consent_until="2020-1-1")
    assert room.students == [] and room._perception is None


@pytest.mark.parametrize("name", ["", "  ", "a/b", "x" * 400])
def test_a_name_that_cannot_be_one_is_refused(name: str, tmp_path: Path) -> None:
    room = Classroom.temporary("physics")
    with pytest.raises(UsageError):
        room.enroll_pictures(name, [(shown(tmp_path, ASHA), None)], consent_by="her mother")
    assert room.students == []


def test_every_check_of_a_photo_holds(tmp_path: Path) -> None:
    room = Classroom.temporary("physics")
    pictures = [
        (shown(tmp_path, ASHA), "happy"),
        (shown(tmp_path, ASHA, emotion=6, seed=2), None),
        (shown(tmp_path, ASHA, BELA, seed=3), "happy"),
        (shown(tmp_path, BELA, seed=4), "sad"),
        (np.zeros((80, 80, 3), np.uint8), None),
        (shown(tmp_path, ASHA), "sad"),
    ]
    result = room.enroll_pictures("asha", pictures, consent_by="her mother")
    assert [photo.status for photo in result.photos] == ["accepted", "accepted", *["rejected"] * 4]
    reasons = [photo.reason for photo in result.photos[2:]]
    for said, part in zip(
        reasons, ("2 faces", "not the same person", "no face found", "the same photo as"), strict=True
    ):
        assert part in said
    assert room.roster().students["asha"].emotions() == {"happy": 1, None: 1}
    again = room.enroll_pictures("asha", [pictures[0]])  # the consent on record is enough
    assert [photo.status for photo in again.photos] == ["already enrolled"]


def test_a_twin_is_refused_until_the_teacher_says_so(tmp_path: Path) -> None:
    room = Classroom.temporary("physics")
    room.enroll_pictures("asha", [(shown(tmp_path, ASHA), "happy")], consent_by="her mother")
    other = [(shown(tmp_path, ASHA, emotion=6, seed=9), "neutral")]
    refused = room.enroll_pictures("uma", other, consent_by="her mother", from_camera=True)
    assert not refused.stands and refused.looks_like == "asha" and room.students == ["asha"]
    twin = room.enroll_pictures("uma", other, consent_by="her mother", from_camera=True, looks_like=["asha"])
    assert twin.stands and room.students == ["asha", "uma"]


def test_no_file_is_written_and_no_text_contains_the_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = draw_frame(tmp_path / "one.png", {ASHA: 100})
    temporary = tmp_path / "temp"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    made: list[object] = []
    monkeypatch.setattr("fewshot.session.temporary.TemporaryFolder.__init__", lambda *_: made.append(1))
    Classroom.temporary("physics").enroll_pictures("asha", [(picture, None)], consent_by="her mother")
    assert list(temporary.rglob("*")) == [] and made == []
    file = PhotoFile(Path("pictures/1"), picture=picture)
    assert (
        "array" not in repr(file)
        and load_photo(file).sha256
        != load_photo(PhotoFile(Path("pictures/1"), picture=picture.reshape(-1, 320, 3))).sha256
    )
