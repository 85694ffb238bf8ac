"""One class photo cut into faces: what is cut, what is not, and naming the faces on the page Enrollment."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("streamlit", reason="needs the extra app")

from drawn_faces import DrawnEyes, draw_class, draw_frame, draw_photo, person_vector, see_drawings
from streamlit.testing.v1 import AppTest

from fewshot import Classroom
from fewshot.app.class_photo import CROWDED, MOST_FACES, ClassPhoto, Known, cut_into_faces
from fewshot.errors import UsageError
from fewshot.research.bench.survival.openable import readable
from fewshot.session.settings import Settings
from fewshot.types import Face, Frame, Vectors
from fewshot.vault import FileKeys
from tests.app.test_adding_students import Sent, upload
from tests.app.test_live_page import press
from tests.app.test_pages import page, quiet, words  # noqa: F401 - a fixture

ASHA, UMA, GUEST = 1, 2, 5


def read(vectors: Vectors) -> list[dict[str, float]]:
    return [{"happy": 0.9, "sad": 0.1}] * len(vectors)


def cut(photo: Frame, known: Known | None = None) -> ClassPhoto:
    return cut_into_faces("physics", photo, DrawnEyes(), read, known)


class Faces(DrawnEyes):
    """Sees as many faces as it is told to."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self._count = count

    def look(self, frame: Frame) -> list[Face]:
        return super().look(frame)[:1] * self._count


@pytest.mark.parametrize(("count", "said"), [(0, "no face found"), (MOST_FACES + 1, "Cut it into parts")])
def test_no_face_and_too_many_are_sentences(count: int, said: str, tmp_path: Path) -> None:
    photo = draw_frame(tmp_path / "1.png", {ASHA: 100})
    with pytest.raises(UsageError, match=said):
        cut_into_faces("physics", photo, Faces(count), read)


def test_small_and_crowded_faces_are_shown_with_the_reason(tmp_path: Path) -> None:
    photo = draw_frame(tmp_path / "1.png", {ASHA: 100, UMA: 30, GUEST: 100})
    assert ["too small" in face.problem for face in cut(photo).faces] == [False, True, False]
    crowded = draw_frame(tmp_path / "2.png", {ASHA: 140, UMA: 140})
    assert [face.problem for face in cut(crowded).faces] == [CROWDED, CROWDED]


def test_faces_are_in_rows_and_each_cut_shows_one(tmp_path: Path) -> None:
    row = draw_frame(tmp_path / "1.png", {ASHA: 90, UMA: 90, GUEST: 90})
    found = cut(np.concatenate([row, np.roll(row, 5, axis=0)]))
    assert [face.person.number for face in found.faces] == [1, 2, 3, 4, 5, 6]
    for face, person in zip(found.faces, (ASHA, UMA, GUEST) * 2, strict=True):
        (crop,) = face.person.crops
        (seen,) = DrawnEyes().look(crop.frame())
        assert seen.landmarks[0, 0] == person * 12 + 6 and crop.suggests == "happy"
    assert found.without(2).of(2) is None and found.of(2) is not None and "PNG" not in repr(found)


def test_it_says_whom_a_face_resembles(tmp_path: Path) -> None:
    known = Known(["asha", "ben"], np.stack([person_vector(ASHA), person_vector(9)]), 0.5)
    photo = draw_frame(tmp_path / "1.png", {ASHA: 90, UMA: 90})
    assert [face.like for face in cut(photo, known).faces] == ["asha", ""]


@pytest.fixture
def places(fewshot_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """A class with Asha, the terms acknowledged; and everywhere the program may write."""
    see_drawings(monkeypatch)
    monkeypatch.setattr("fewshot.app.setups.photo_perception", lambda perception: perception)
    Classroom.open("physics").enroll_folder(draw_class(tmp_path / "made", {"asha": ASHA}), consent_by="her mother")
    Settings().acknowledged = datetime.now(UTC)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temp"))
    (tmp_path / "temp").mkdir()
    return [fewshot_home, fewshot_home.with_name(f"{fewshot_home.name}-keys"), tmp_path / "temp"]


def enrollment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sent: bytes | None = None) -> AppTest:
    """The page after a photo of Asha, Uma and a guest was chosen."""
    data = draw_photo(tmp_path / "photo.png", {ASHA: 90, UMA: 90, GUEST: 90}, emotion=3, seed=9).read_bytes()
    upload(monkeypatch, {"classphoto": Sent("class.png", sent or data)})
    test = page("enroll", **{"class": "physics"})
    upload(monkeypatch, {})
    return test


def who(test: AppTest, number: int) -> AppTest:
    return next(one for one in test.button if one.key == f"who in photo {number}").click().run()


def write(test: AppTest, name: str, by: str) -> None:
    # The form for the camera stands before that of the photo.
    [one for one in test.text_input if one.label == "Name of the student"][-1].set_value(name)
    [one for one in test.text_input if one.label == "Consent given by"][-1].set_value(by)


def test_without_the_acknowledgement_no_photo_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    Classroom.open("physics").create()
    test = enrollment(monkeypatch, tmp_path)
    assert not test.exception and "class photo" not in test.session_state
    assert "where this may not be used" in words(test)


def test_what_is_no_picture_is_a_sentence_without_a_path(
    places: list[Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    test = enrollment(monkeypatch, tmp_path, b"no picture")
    (error,) = test.error
    assert "class.png" in error.value and str(tmp_path) not in error.value and "class photo" not in test.session_state


def test_faces_are_named_with_consent_and_nothing_else_is_kept(
    places: list[Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    test = enrollment(monkeypatch, tmp_path)
    assert not test.exception and not test.error and "3 faces of the photo not named yet" in words(test)
    assert "Face 1, like asha, who is enrolled" in words(test) and list(places[2].rglob("*.png")) == []
    photo: ClassPhoto = test.session_state["class photo"]
    (uma,), (guest,) = (face.person.crops for face in photo.faces[1:])
    marks = [data[60:120] for crop in (uma, guest) for data in (crop.picture, crop.seen)]

    who(test, 2)
    write(test, "Uma", "")
    press(test, "Enroll 1 picture")
    assert "Who gave consent?" in test.error[0].value
    write(test, "asha", "her mother")
    press(test, "Enroll 1 picture")
    assert "There is a student called asha" in test.error[0].value
    assert set(Classroom.open("physics").students) == {"asha"}
    write(test, "Uma", "her mother")
    press(test, "Enroll 1 picture")
    room = Classroom.open("physics")
    assert not test.error and set(room.students) == {"asha", "Uma"} and "2 faces" in words(test)
    assert room.roster().students["Uma"].emotions() == {None: 1}

    who(test, 1)  # Asha under another name
    write(test, "Ursula", "her mother")
    press(test, "Enroll 1 picture")
    assert "this face is like that of asha" in words(test) and "Ursula" not in room.students
    press(test, "It is asha: add the pictures")
    assert len(room.roster().students["asha"].photos) == 3 and "1 face of" in words(test)

    press(test, "Delete these faces")
    assert "class photo" not in test.session_state and "data:image/png" not in words(test)
    found = readable(places, FileKeys(places[0]))
    assert not [mark for mark in marks if mark in found] and list(places[2].rglob("*.png")) == []
