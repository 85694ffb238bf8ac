"""Folders of photos as people have them: names, layouts, and one odd entry that must not cost the class."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from drawn_faces import draw_photo, see_drawings

from fewshot import Classroom
from fewshot.classroom.enrollment_report import EnrollmentReport
from fewshot.classroom.photo_folder import list_photos
from fewshot.classroom.photo_names import student_and_emotion
from fewshot.errors import FewshotError, UsageError


def files(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def labels(folder: Path, *names: str) -> dict[str, str | None]:
    """Photo -> label, of the one student in a folder with these files."""
    (photos,) = list_photos(files(folder, *names)).students.values()
    return {photo.path.name: photo.emotion for photo in photos}


def enroll(folder: Path, monkeypatch: pytest.MonkeyPatch) -> EnrollmentReport:
    see_drawings(monkeypatch)
    return Classroom.open("physics").enroll_folder(folder, consent_by="their parents")


NAMES = [
    "Anna B.",
    "Bo M.",
    "O'Brien",
    "Zoë",
    "李明",
    "علي",
    "Jean-Luc",
    "J. R. R.",
    "Ngô Thị Ánh",
    "می‌خواهم",
    "d\u2019Artagnan",
]


def test_names_as_people_write_them(tmp_path: Path) -> None:
    found = list_photos(files(tmp_path, *(f"{name}/neutral/1.jpg" for name in NAMES)))
    assert sorted(found.students) == sorted(NAMES) and not found.problems and not found.notes


def test_one_odd_entry_costs_nobody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photos = tmp_path / "photos"
    draw_photo(photos / "Anna B." / "neutral" / "1.png", {1: 100}, seed=1)
    draw_photo(photos / "bo" / "neutral" / "1.png", {2: 100}, seed=2)
    for name in ("bad:name", "x" * 70, b"Zo\xeb"):
        (photos / os.fsdecode(name)).mkdir()
    os.mkfifo(photos / "pipe.jpg")
    os.mkfifo(photos / "bo" / "pipe.jpg")
    (photos / "everything").symlink_to("/")
    (photos / "bo" / "round").symlink_to(photos)
    (photos / "nowhere").symlink_to(photos / "missing")
    (photos / "bo" / os.fsdecode(b"b\xeb.jpg")).write_bytes(b"no picture")
    report = enroll(photos, monkeypatch)
    assert report.standing == ["Anna B.", "bo"]
    problems = {student.student: student.problem for student in report.students if student.problem}
    assert set(problems) == {"bad:name", "x" * 70, "Zo\ufffd", "everything"}
    assert "must not contain" in problems["bad:name"] and "UTF-8" in problems["Zo\ufffd"]
    assert "link" in problems["everything"]
    assert any("pipe.jpg" in note for note in report.notes) and any("nowhere" in note for note in report.notes)
    refused = {photo.path.name: photo.reason for photo in report.students[1].rejected}
    assert "pipe or a device" in refused["pipe.jpg"] and "link" in refused["round"]
    for text in [*problems, *problems.values(), *report.notes, *refused.values()]:
        text.encode()


def test_a_student_folder_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(place: Path) -> list[str]:
        if place.name == "bo":
            raise PermissionError(13, "Permission denied")
        return []

    monkeypatch.setattr("fewshot.classroom.photo_folder.looks_like_students", denied)
    found = list_photos(files(tmp_path, "anna/1.jpg", "bo/1.jpg"))
    assert list(found.students) == ["anna"] and "Permission denied" in found.problems["bo"]


@pytest.mark.parametrize(
    ("one", "other"),
    [("Zoé", "Zoe\u0301"), ("Anna", "Anna\u200b"), ("Anna B", "Anna\u00a0B"), ("علي", "\u200fعلي"), ("Bo", "Bo ")],
)
def test_names_that_look_the_same_are_one_student(one: str, other: str, tmp_path: Path) -> None:
    found = list_photos(files(tmp_path, f"{one}/1.jpg", f"{other}/2.jpg"))
    assert [len(photos) for photos in found.students.values()] == [2]
    (note,) = found.notes
    assert "2 folders are called" in note and "one student" in note


@pytest.mark.parametrize(
    ("one", "other"), [("Anna", "anna"), ("ZOË", "Zoe\u0308"), ("Straße", "STRASSE"), ("\uff21nna", "Anna")]
)
def test_names_that_differ_in_case_are_asked_about(one: str, other: str, tmp_path: Path) -> None:
    found = list_photos(files(tmp_path, f"{one}/1.jpg", f"{other}/2.jpg", "carla/3.jpg"))
    assert list(found.students) == ["carla"] and len(found.problems) == 2
    assert all(name in why for why in found.problems.values() for name in found.problems)


def test_a_name_that_differs_in_case_from_an_enrolled_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw_photo(tmp_path / "one" / "Anna" / "1.png", {1: 100}, seed=1)
    draw_photo(tmp_path / "two" / "anna" / "2.png", {1: 100}, seed=2)
    assert enroll(tmp_path / "one", monkeypatch).standing == ["Anna"]
    (anna,) = enroll(tmp_path / "two", monkeypatch).students
    assert "Anna (enrolled before)" in anna.problem
    assert enroll(tmp_path / "one", monkeypatch).standing == ["Anna"]
    with pytest.raises(UsageError, match="write Anna"):
        Classroom.open("physics").enroll("ANNA", tmp_path / "two" / "anna" / "2.png", consent_by="her mother")


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        (["anna/2026/happy/1.jpg", "anna/2026/neutral/2.jpg"], {"1.jpg": "happy", "2.jpg": "neutral"}),
        (["anna/happy/2026-11-20/1.jpg", "anna/2.jpg"], {"1.jpg": "happy", "2.jpg": None}),
        (["anna/DCIM/100APPLE/1.jpg", "anna/week 3/confused/2.jpg"], {"1.jpg": None, "2.jpg": "confused"}),
        (["anna/Sommerfest/Happy 2/1.jpg", "anna/Sommerfest/2.jpg"], {"1.jpg": "happy", "2.jpg": None}),
        (["anna/confused/evening/1.jpg", "anna/half_asleep/2.jpg"], {"1.jpg": "confused", "2.jpg": "half asleep"}),
        (["anna/confused/2026/1.jpg", "anna/tired./2.jpg"], {"1.jpg": "confused", "2.jpg": "tired"}),
    ],
)  # fmt: skip
def test_labels_of_nested_folders(names: list[str], wanted: dict[str, str | None], tmp_path: Path) -> None:
    assert labels(tmp_path, *names) == wanted


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("asha/happy.jpg", "happy"), ("asha/Happy (2).jpg", "happy"), ("asha/asha_sad.jpg", "sad"),
        ("asha/sad-asha.jpg", "sad"), ("asha/2026/neutral_1.jpg", "neutral"), ("asha/fröhlich.jpg", "happy"),
        ("asha/sad/happy.jpg", "sad"), ("asha/confused/happy.jpg", "confused"), ("asha/IMG_0001.jpg", None),
        ("asha/asha_1.jpg", None), ("asha/ben_happy.jpg", None), ("Joy/joy_1.jpg", None), ("Joy/sad.jpg", "sad"),
    ],
)  # fmt: skip
def test_a_photo_in_the_students_folder_may_be_called_like_an_emotion(
    name: str, wanted: str | None, tmp_path: Path
) -> None:
    assert labels(tmp_path, name) == {Path(name).name: wanted}


def test_a_year_without_emotions_is_said_to_be_no_state(tmp_path: Path) -> None:
    found = list_photos(files(tmp_path, "anna/2026/1.jpg"))
    assert found.students["anna"][0].emotion is None
    assert found.notes[0].startswith("anna: 2026 cannot be the name of a state")


@pytest.mark.parametrize(
    "names",
    [
        ["7b/anna/happy/1.jpg", "7b/bo/neutral/1.jpg"],
        ["2026/anna/happy/1.jpg"],
        ["2026/anna/1.jpg", "2026/bo/1.jpg"],
    ],
)
def test_a_folder_of_students_in_the_place_of_one(names: list[str], tmp_path: Path) -> None:
    found = list_photos(files(tmp_path, *names))
    assert not found.students and "folders of students (anna" in next(iter(found.problems.values()))


@pytest.mark.parametrize(
    ("stem", "wanted"),
    [
        ("dana_neutral", ("dana", "neutral")),
        ("Dana-Lena happy 2", ("Dana-Lena", "happy")),
        ("neutral_dana (3)", ("dana", "neutral")),
        ("anna_1", ("anna", None)),
        ("Anna B._Smiling", ("Anna B.", "happy")),
        ("李明_2", ("李明", None)),
        ("anna_happy_2026-11-20", ("anna", "happy")),
        ("cleo.sad", ("cleo", "sad")),
        ("cleo.sad.2", ("cleo", "sad")),
        ("happy.cleo", ("cleo", "happy")),
        ("Anna B. sad", ("Anna B.", "sad")),
        ("anna", None),
        ("IMG_0001", None),
        ("IMG_20261120_101112", None),
        ("20261120_101112", None),
        ("DSC00012", None),
        ("WhatsApp Image 2026-11-20", None),
        ("happy_1", None),
        ("happy", None),
    ],
)
def test_names_of_files_may_say_who_and_what(stem: str, wanted: tuple[str, str | None] | None) -> None:
    assert student_and_emotion(stem) == wanted


def test_a_flat_folder(tmp_path: Path) -> None:
    found = list_photos(
        files(tmp_path, "dana_neutral.jpg", "dana_confused.jpg", "anna_1.jpg", "bo.jpg", "IMG_1.jpg", "eve.jpg"),
        enrolled=["Bo"], listed=["anna"],
    )  # fmt: skip
    shown = {key: [photo.emotion for photo in photos] for key, photos in found.students.items()}
    assert shown == {"anna": [None], "dana": ["neutral", "confused"], "Bo": [None]}
    assert "anna (1), dana (2), Bo (1)" in found.notes[0]
    assert "Skipped 2 pictures" in found.notes[1] and "IMG_1.jpg, eve.jpg" in found.notes[1]


def test_too_many_files_are_a_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fewshot.classroom.photo_folder.MOST_PHOTOS", 2)
    found = list_photos(files(tmp_path, "anna/1.jpg", "anna/2.jpg", "anna/3.jpg", "bo/1.jpg"))
    assert list(found.students) == ["bo"] and "more than 2 files" in found.problems["anna"]


def test_an_error_with_a_name_that_is_not_utf_8_can_be_printed() -> None:
    assert str(FewshotError("No face in b\udceb.jpg 😀")) == "No face in b\ufffd.jpg 😀"


def consents(folder: Path, *rows: str) -> None:
    (folder / "consent.csv").write_text("\n".join(["student,given_by,date", *rows]), encoding="utf-8")


def test_names_in_the_list_of_consents_that_differ_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    see_drawings(monkeypatch)
    for number, name in enumerate(["anna", "benedikt", "carla", "dora", "eva"], start=1):
        draw_photo(tmp_path / name / "1.png", {number: 100}, seed=number)
    consents(tmp_path, "Anna,x,2026-01-01", "Benedict,x,2026-01-01", "carla,x,2999-01-01", "dora,x,2026-01-01")
    report = Classroom.open("physics").enroll_folder(tmp_path)
    assert report.standing == ["dora"]
    notes = {student.student: student.notes[0] for student in report.students if not student.stands}
    assert notes["anna"].startswith("consent.csv names Anna, but the folder is called anna.")
    assert "no row for benedikt" in notes["benedikt"] and "similar name in it is Benedict" in notes["benedikt"]
    assert "2999-01-01, which is in the future" in notes["carla"]
    assert notes["eva"] == "consent.csv has no row for eva"
    assert Classroom.open("maths").enroll_folder(tmp_path, consent_by="the school").standing == [
        "benedikt", "dora", "eva",
    ]  # fmt: skip


def test_nobody_with_a_valid_row_hears_what_is_wrong_with_the_file(tmp_path: Path) -> None:
    files(tmp_path, "anna/1.jpg", "bo/1.jpg")
    consents(tmp_path, "Anna,x,2026-01-01", "bo,x,31.2.2026")
    with pytest.raises(UsageError, match=r"names Anna, but .* called anna.*'31\.2\.2026' is not a date") as raised:
        Classroom.open("physics").enroll_folder(tmp_path)
    assert "correct consent.csv in the folder" in raised.value.hint


def test_the_second_of_two_who_look_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photos = tmp_path / "photos"
    draw_photo(photos / "lea" / "1.png", {1: 100}, seed=1)
    draw_photo(photos / "mia" / "1.png", {1: 90}, seed=2)
    draw_photo(photos / "zoe" / "1.png", {2: 90}, seed=3)
    lea, mia, zoe = enroll(photos, monkeypatch).students
    assert lea.stands and zoe.stands and not mia.stands and mia.looks_like == "lea"
    room = Classroom.open("physics")
    for name in ("lea", "mia"):
        lea, mia, zoe = room.enroll_folder(photos, consent_by="x", looks_like=[name]).students
        assert mia.stands and not mia.looks_like
        assert not any("looks like" in note for note in [*lea.notes, *zoe.notes])
        if name == "lea":
            assert any("mia looks like lea" in note and "the name of the other one" in note for note in mia.notes)
    with pytest.raises(UsageError, match="Lea cannot look like another student"):
        room.enroll_folder(photos, consent_by="x", looks_like=["Lea"])
