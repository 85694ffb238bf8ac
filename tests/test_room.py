from datetime import date, timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest
from drawn_faces import DrawnEyes, draw_photo, see_drawings

from fewshot import Classroom
from fewshot.classroom.roster import class_names
from fewshot.errors import StoreError, UsageError
from fewshot.types import Frame

ASHA, BELA, STRANGER = 1, 2, 5
HAPPY, NEUTRAL = 3, 6


@pytest.fixture(autouse=True)
def drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    see_drawings(monkeypatch)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Two photos of each of two students."""
    for name, person in (("asha", ASHA), ("bela", BELA)):
        draw_photo(tmp_path / f"photos/{name}/happy/1.png", {person: 100}, emotion=HAPPY, seed=person)
        draw_photo(tmp_path / f"photos/{name}/neutral/2.png", {person: 100}, emotion=NEUTRAL, seed=person + 50)
    return tmp_path / "photos"


def lesson(tmp_path: Path, people: dict[int, int], frames: int = 12) -> list[Frame]:
    path = draw_photo(tmp_path / "lesson.png", people, emotion=HAPPY, seed=99)
    return [np.asarray(cv2.imread(str(path)), np.uint8)] * frames


def test_enroll_watch_remove(photos: Path, tmp_path: Path, fewshot_home: Path) -> None:
    room = Classroom.open("physics")
    assert not room.exists
    report = room.enroll_folder(photos, consent_by="their parents")
    assert report.standing == ["asha", "bela"]
    assert class_names() == ["physics"]
    again = Classroom.open("physics")
    assert again.students == ["asha", "bela"]
    results = list(again.watch(lesson(tmp_path, {ASHA: 100, STRANGER: 90, BELA: 80})))
    assert len(results) == 12
    last = results[-1].readings
    assert [reading.student for reading in last] == ["asha", None, "bela"]
    assert [reading.emotion for reading in last] == ["happy"] * 3
    assert [reading.prototypes for reading in last] == ["personal", "class", "personal"]
    again.remove("asha")
    assert again.students == ["bela"]
    left = b"".join(path.read_bytes() for path in fewshot_home.rglob("*") if path.is_file())
    assert b"asha" not in left
    assert [r.student for r in list(again.watch(lesson(tmp_path, {ASHA: 100})))[-1].readings] == [None]
    again.remove("bela")
    assert class_names() == []
    assert not room.folder.exists()


def test_enroll_files_of_one_student(photos: Path) -> None:
    room = Classroom.open("physics")
    files = [photos / "asha/happy/1.png", str(photos / "asha/neutral/2.png"), "nowhere.png"]
    result = room.enroll("asha", files, consent_by="her mother, 2026-11-20")
    assert result.stands
    assert [photo.status for photo in result.photos] == ["accepted", "accepted", "rejected"]
    assert "No file nowhere.png" in result.photos[2].reason
    assert room.roster().students["asha"].emotions() == {None: 2}
    assert room.enroll("bela", photos / "bela", consent_by="himself").count("accepted") == 2
    assert room.roster().students["bela"].emotions() == {"happy": 1, "neutral": 1}
    labelled = draw_photo(photos / "x.png", {BELA: 100}, emotion=1, seed=77)
    room.enroll("bela", labelled, emotion="Confused")
    assert room.roster().students["bela"].emotions()["confused"] == 1


def test_without_consent_nobody_is_enrolled(photos: Path, fewshot_home: Path) -> None:
    room = Classroom.open("physics")
    with pytest.raises(UsageError, match=r"fewshot enroll physics .*--consent-by"):
        room.enroll_folder(photos)
    with pytest.raises(UsageError, match="--consent-by"):
        room.enroll("asha", [photos / "asha/happy/1.png"])
    assert not fewshot_home.exists()


def test_consent_file_counts_student_by_student(photos: Path) -> None:
    (photos / "consent.csv").write_text(
        "student,given_by,date,until\nasha,her mother,2026-01-01,\n"
        "bela,him,2020-01-01,2020-12-31\ncarl,he,2026-01-01,\n"
    )
    report = Classroom.open("physics").enroll_folder(photos, consent_by="the school")
    assert report.standing == ["asha"]
    assert report.students[1].photos[0].reason == "no consent that holds today"
    assert "carl" in report.notes[0]


def test_who_lost_consent_is_not_recognised(photos: Path, tmp_path: Path) -> None:
    room = Classroom.open("physics")
    room.enroll_folder(photos, consent_by="their parents", consent_until=date.today() + timedelta(days=30))
    roster = room.roster()
    consent = roster.students["asha"].consent
    roster.students["asha"].consent = type(consent)(consent.given_by, consent.day, until=date(2020, 1, 1))
    roster.save()
    assert room.ended_consents() == ["asha"]
    result = list(room.watch(lesson(tmp_path, {ASHA: 100, BELA: 90})))[-1]
    assert [reading.student for reading in result.readings] == [None, "bela"]
    assert room.students == ["asha", "bela"]


def test_nobody_accepted_makes_no_class(tmp_path: Path) -> None:
    draw_photo(tmp_path / "photos/asha/1.png", {}, seed=1)
    report = Classroom.open("physics").enroll_folder(tmp_path / "photos", consent_by="her mother")
    assert report.standing == []
    assert class_names() == []


def test_pictures_outside_the_students_folders_are_named(photos: Path) -> None:
    draw_photo(photos / "loose.png", {ASHA: 100}, seed=8)
    notes = Classroom.open("physics").enroll_folder(photos, consent_by="x").notes
    assert "1 picture in" in notes[0]


@pytest.mark.parametrize("action", ["watch", "remove"])
def test_a_class_that_does_not_exist(photos: Path, action: str) -> None:
    Classroom.open("maths").enroll_folder(photos, consent_by="x")
    room = Classroom.open("physics")
    with pytest.raises(UsageError, match=r"no class 'physics'.*maths"):
        room.watch([]) if action == "watch" else room.remove("asha")


def test_a_store_of_another_network_is_refused(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Classroom.open("physics").enroll_folder(photos, consent_by="x")
    monkeypatch.setattr(DrawnEyes, "network", "drawn-2")
    room = Classroom.open("physics")
    with pytest.raises(StoreError, match="drawn-2"):
        room.watch([])
    with pytest.raises(StoreError, match="drawn-2"):
        room.enroll_folder(photos, consent_by="x")


@pytest.mark.parametrize("file", ["prototypes.store", "roster.json"])
def test_damaged_files_are_named_and_never_written_over(photos: Path, file: str) -> None:
    room = Classroom.open("physics")
    room.enroll_folder(photos, consent_by="x")
    path = room.folder / file
    path.write_bytes(path.read_bytes()[:-20])
    before = path.read_bytes()
    for action in (lambda: room.watch([]), lambda: Classroom.open("physics").enroll_folder(photos, consent_by="x")):
        with pytest.raises(StoreError, match="damaged"):
            action()
    assert path.read_bytes() == before


def test_a_store_that_got_lost_is_named(photos: Path) -> None:
    room = Classroom.open("physics")
    room.enroll_folder(photos, consent_by="x")
    (room.folder / "prototypes.store").unlink()
    with pytest.raises(StoreError):
        Classroom.open("physics").enroll_folder(photos, consent_by="x")


def test_who_is_in_the_store_alone_has_no_consent_and_goes(photos: Path, tmp_path: Path) -> None:
    room = Classroom.open("physics")
    room.enroll_folder(photos, consent_by="x")
    roster = room.roster()
    roster.remove("asha")
    roster.save()
    result = list(Classroom.open("physics").watch(lesson(tmp_path, {ASHA: 100})))[-1]
    assert result.readings[0].student is None


def test_a_class_keeps_to_the_recogniser_it_was_enrolled_with(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def open_perception(*args: object, **options: str) -> DrawnEyes:
        asked.append(options["recogniser"])
        return DrawnEyes()

    monkeypatch.setattr("fewshot.room.open_perception", open_perception)
    monkeypatch.setattr(DrawnEyes, "identity_network", "drawn-1:identity")
    Classroom.open("physics").enroll_folder(photos, consent_by="x")
    Classroom.open("physics").watch([])
    monkeypatch.setattr(DrawnEyes, "identity_network", "w600k_mbf")
    Classroom.open("maths").enroll_folder(photos, consent_by="x")
    Classroom.open("maths").watch([])
    assert asked == ["auto", "own", "auto", "mobilefacenet"]
