"""The table of photos before they are enrolled: what it says, what a teacher changes in it, and that it is kept to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from drawn_faces import DrawnEyes, draw_photo, see_drawings

from fewshot import Classroom
from fewshot.app.photo_plan import MISSING, NOT_LOOKED_AT, Plan, make_plan
from fewshot.app.photo_table import (
    UNSURE,
    WHOSE,
    Change,
    PhotoTable,
    Row,
    changes_of,
    look_at_photos,
    names_of,
    rows_of_class,
    rows_of_student,
    to_look_at,
)
from fewshot.app.uploads import Upload, save_class
from fewshot.classroom.consent import Consent, ConsentList, make_consent
from fewshot.types import EMOTIONS, Face, Frame

HAPPY, NEUTRAL, SAD = (EMOTIONS.index(word) for word in ("happy", "neutral", "sad"))
GIVEN = make_consent("the parents, in writing")


class CountingEyes(DrawnEyes):
    """Counts the photos that were looked at."""

    def __init__(self) -> None:
        super().__init__()
        self.looked = 0

    def look(self, frame: Frame) -> list[Face]:
        self.looked += 1
        return super().look(frame)


def read(vectors: np.ndarray) -> list[str]:
    """The emotion of a drawn face; "sad" is not clear."""
    words = [EMOTIONS[int(np.argmax(vector[:7]))] for vector in vectors]
    return [UNSURE if word == "sad" else word for word in words]


class Bench:
    """A class, a folder of photos and their table."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        see_drawings(monkeypatch)
        self.folder, self.eyes, self.room = folder, CountingEyes(), Classroom.open("Physics")
        self.room.create()
        self.table = PhotoTable()

    def draw(self, place: str, person: int, shows: int = NEUTRAL, side: int = 100, seed: int = 0) -> None:
        draw_photo(self.folder / place, {person: side} if person >= 0 else {}, emotion=shows, seed=seed + 7 * person)

    def plan(self, given: Consent | None = GIVEN) -> Plan:
        table, roster = self.table, self.room.roster()
        table.rows = table.rows or rows_of_class(self.folder, roster.students)
        names = names_of(table, roster, given)
        look_at_photos(table, to_look_at(table, names), self.folder, names, lambda: (self.eyes, read), lambda row: None)
        return make_plan(table, names, roster, self.room)

    def enroll(self, plan: Plan) -> Any:
        return self.room.enroll_photos(plan.files, plan.consents, looks_like=plan.twins)

    def change(self, **changes: Change) -> None:
        self.table.changes |= {id.replace("__", "/") + ".png": one for id, one in changes.items()}


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(tmp_path / "photos", monkeypatch)


def said(plan: Plan) -> dict[str, tuple[str, str]]:
    return {photo.row.id: (photo.status, photo.words) for photo in plan.photos}


def test_an_empty_table_has_no_plan(bench: Bench) -> None:
    bench.folder.mkdir()
    plan = bench.plan()
    assert plan.photos == [] and plan.students == [] and plan.files == {}


def test_every_photo_has_a_line_that_says_what_would_be_refused_and_why(bench: Bench) -> None:
    bench.draw("asha/neutral/1.png", 1)
    bench.draw("asha/happy/2.png", 1, HAPPY, seed=3)
    bench.draw("asha/3.png", 1, SAD, side=30, seed=5)
    bench.draw("asha/wall.png", -1, seed=9)
    (bench.folder / "asha/notes.png").write_bytes(b"no picture")
    bench.draw("ben/1.png", 2, SAD)
    bench.draw("cleo/1.png", 1, SAD, seed=40)
    (bench.folder / "ben/1 again.png").write_bytes((bench.folder / "ben/1.png").read_bytes())
    plan = bench.plan()
    lines = said(plan)
    assert lines["asha/neutral/1.png"] == lines["asha/happy/2.png"] == ("enroll", "")
    assert lines["asha/3.png"][0] == "refused" and "small" in lines["asha/3.png"][1]
    assert (
        lines["asha/wall.png"] == ("refused", lines["asha/wall.png"][1]) and "o face found" in lines["asha/wall.png"][1]
    )
    assert lines["asha/notes.png"][1].startswith("Asha/notes.png is not a picture") and str(bench.folder) not in str(
        lines
    )
    assert sorted(lines[f"ben/{name}.png"][0] for name in ("1", "1 again")) == ["enroll", "refused"]
    assert "same photo as" in lines["ben/1.png"][1] + lines["ben/1 again.png"][1]
    assert lines["cleo/1.png"] == ("refused", "Looks like asha, who is in another row.")
    (cleo,) = [photo for photo in plan.photos if photo.student == "cleo"]
    assert cleo.like == "asha" and cleo.reads == UNSURE
    assert {photo.reads for photo in plan.photos if photo.row.id.startswith("asha/happy")} == {"happy"}
    assert plan.count("enroll") == 3 and plan.students == ["asha", "ben"]
    assert bench.room.roster().students == {}  # nothing is stored


def test_exactly_what_the_table_says_is_enrolled_and_every_photo_is_looked_at_once(bench: Bench) -> None:
    bench.draw("asha/neutral/1.png", 1)
    bench.draw("asha/happy/2.png", 1, HAPPY, seed=3)
    bench.draw("flat/IMG_1.png", 2, seed=4)
    bench.draw("ben/happy/1.png", 2, HAPPY, seed=8)
    bench.plan()
    assert bench.eyes.looked == 4
    bench.change(flat__IMG_1=Change(student="ben", shows="neutral"), asha__happy__2=Change(shows="proud"))
    bench.change(asha__neutral__1=Change(out=True))
    plan = bench.plan()
    assert bench.eyes.looked == 4
    assert said(plan)["asha/neutral/1.png"] == ("left out", "")
    report = bench.enroll(plan)
    assert all(photo.status == "accepted" for student in report.students for photo in student.photos)
    students = bench.room.roster().students
    assert {key: student.emotions() for key, student in students.items()} == {
        "asha": {"proud": 1}, "ben": {"happy": 1, "neutral": 1},
    }  # fmt: skip
    assert students["asha"].consent.given_by == "the parents, in writing"
    assert bench.eyes.looked == 4  # the vectors that were found before are stored


def test_the_plan_and_the_enrollment_of_the_files_themselves_agree(bench: Bench) -> None:
    for person in range(6):
        for number, shows in enumerate((NEUTRAL, HAPPY)):
            bench.draw(f"s{person}/{EMOTIONS[shows]}/{number}.png", person, shows, seed=number)
    bench.draw("s1/neutral/other.png", 2, seed=77)
    planned = {photo.row.id: photo.status == "enroll" for photo in bench.plan().photos}
    report = Classroom.open("Other").enroll_folder(bench.folder, consent_by="the parents")
    done = {
        photo.path.relative_to(bench.folder).as_posix(): photo.status == "accepted"
        for student in report.students
        for photo in student.photos
    }
    assert planned == done and not all(done.values())


def test_no_network_looks_at_a_photo_before_there_is_consent(bench: Bench) -> None:
    bench.draw("asha/1.png", 1)
    bench.draw("ben/1.png", 2)
    bench.table.listed = ConsentList({"asha": make_consent("her mother")}, {"ben": "consent.csv, line 3: nobody"})
    plan = bench.plan(given=None)
    assert bench.eyes.looked == 1 and plan.lacking == ["ben"]
    asha, ben = plan.photos
    assert (asha.status, asha.consent) == ("enroll", "consent.csv: her mother")
    assert (ben.status, ben.consent, ben.reads) == ("refused", MISSING, "") and NOT_LOOKED_AT in ben.words
    assert bench.table.looks["ben/1.png"].thumbnail and bench.table.looks["ben/1.png"].seen is None
    assert "ben" not in plan.files
    bench.table.listed = None
    assert bench.plan().count("enroll") == 2 and bench.eyes.looked == 2  # only ben's was new
    assert {photo.consent for photo in bench.plan().photos} == {"written above: the parents, in writing"}


def test_the_consent_on_record_is_enough_for_more_photos(bench: Bench) -> None:
    bench.draw("asha/1.png", 1)
    bench.enroll(bench.plan())
    bench.draw("asha/2.png", 1, HAPPY, seed=30)
    bench.table = PhotoTable()
    plan = bench.plan(given=None)
    assert [photo.consent for photo in plan.photos] == ["on record: the parents, in writing"] * 2
    assert [photo.status for photo in plan.photos] == ["known", "enroll"]
    bench.change(asha__1=Change(shows="sad"))
    plan = bench.plan(given=None)
    assert said(plan)["asha/1.png"] == ("change", "Enrolled before (without a label). Becomes sad.")
    bench.enroll(plan)
    assert bench.room.roster().students["asha"].emotions() == {"sad": 1, None: 1}


@pytest.mark.parametrize("choice", ["add", "twin", "out"])
def test_a_photo_of_somebody_who_is_there_is_added_or_a_twin_or_left_out(choice: str, bench: Bench) -> None:
    bench.draw("Asha Patel/1.png", 1)
    bench.enroll(bench.plan())
    bench.table, bench.folder = PhotoTable(), bench.folder.with_name("more")
    bench.draw("mia/1.png", 1, HAPPY, seed=50)
    (line,) = bench.plan().photos
    assert (line.status, line.like, line.words) == (
        "refused", "Asha Patel", "Looks like Asha Patel, who is enrolled.",
    )  # fmt: skip
    if choice == "twin":
        bench.table.twins = frozenset({"mia"})
    else:
        bench.change(mia__1=Change(student="Asha Patel") if choice == "add" else Change(out=True))
    plan = bench.plan()
    assert plan.count("enroll") == (choice != "out")
    bench.enroll(plan)
    students = {key: len(student.photos) for key, student in bench.room.roster().students.items()}
    assert students == {
        "add": {"Asha Patel": 2}, "twin": {"Asha Patel": 1, "mia": 1}, "out": {"Asha Patel": 1},
    }[choice]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("Asha P.", "enroll"), ("\u05d3\u05e0\u05d4 \u05db\u05d4\u05df", "enroll"), ("\U0001f98a Fox", "enroll"),
        ("O'Hara", "enroll"),
        ("x" * 64, "enroll"), ("x" * 80, "refused"), ("", "refused"), ("  ", "refused"), ("../evil", "refused"),
        ("ASHA", "refused"), ("<b>\u202e", "refused"),
    ],
)  # fmt: skip
def test_odd_names_are_enrolled_or_refused_in_words_and_can_be_corrected(name: str, status: str, bench: Bench) -> None:
    bench.draw("asha/1.png", 1)
    bench.draw("new/1.png", 2)
    bench.change(new__1=Change(student=name))
    plan = bench.plan()
    (line,) = [photo for photo in plan.photos if photo.row.id == "new/1.png"]
    assert line.status == status and bool(line.words) == (status == "refused")
    bench.change(new__1=Change(student="Ben"))
    bench.enroll(bench.plan())
    assert {"Ben"} <= set(bench.room.roster().students)


def test_a_label_that_cannot_be_one_is_refused(bench: Bench) -> None:
    bench.draw("asha/1.png", 1)
    bench.change(asha__1=Change(shows="unsure"))
    (line,) = bench.plan().photos
    assert line.status == "refused" and "cannot be the name of a state" in line.words


def test_names_that_only_differ_in_case_are_asked_about_until_one_is_changed(bench: Bench) -> None:
    bench.draw("Anna/1.png", 1)
    bench.draw("anna/1.png", 2, seed=9)
    plan = bench.plan()
    assert {photo.status for photo in plan.photos} == {"refused"}
    assert all("differ only in upper and lower case" in photo.words for photo in plan.photos)
    bench.change(anna__1=Change(student="Anna 2"))
    assert bench.plan().students == ["Anna", "Anna 2"]


@pytest.mark.parametrize(
    ("sent", "guessed"),
    [
        (["p/dana_neutral.jpg", "p/emre_happy.jpg", "p/IMG_3.jpg"],
         [("dana", "neutral"), ("emre", "happy"), ("", None)]),
        (["9b/2025/asha/happy/1.jpg", "9b/2026/asha/2.jpg", "9b/2026/ben/confused/1.jpg"],
         [("asha", None), ("asha", "happy"), ("ben", "confused")]),
        (["school/9b/asha/happy/1.jpg", "school/9b/ben/sad/1.jpg", "school/9c/cleo/happy/1.jpg",
          "school/9c/dan/happy/1.jpg"],
         [("asha", "happy"), ("ben", "sad"), ("cleo", "happy"), ("dan", "happy")]),
        (["con/1.jpg", "ben/1.jpg"], [("ben", None), ("con", None)]),  # Windows reserves one of the names
        (["IMG_1.jpg"], [("", None)]),
    ],
)  # fmt: skip
def test_names_and_labels_are_guessed_from_folders_and_files(
    sent: list[str], guessed: list[tuple[str, str | None]], tmp_path: Path
) -> None:
    save_class([Upload(name, b"x") for name in sent], tmp_path)
    assert [(row.student, row.shows) for row in rows_of_class(tmp_path, ())] == guessed


def test_photos_of_one_student_have_the_label_that_was_chosen(tmp_path: Path) -> None:
    draw_photo(tmp_path / "sad/1.png", {1: 100})
    draw_photo(tmp_path / "2.png", {1: 100})
    assert rows_of_student(tmp_path, "asha", None) == [Row("2.png", "asha"), Row("sad/1.png", "asha", "sad")]
    assert [row.shows for row in rows_of_student(tmp_path, "asha", "happy")] == ["happy", "happy"]


@pytest.mark.parametrize(
    "sent", [None, 3, [], {"rows": 3}, {"rows": {"1": 3}, "twins": 3}, {"rows": {"2": {}}, "twins": [3]}]
)
def test_nonsense_from_a_browser_changes_nothing(sent: Any) -> None:
    assert changes_of(sent, [Row("1", "asha")]) == ({}, frozenset())
    assert changes_of({"rows": {"1": {"student": 3, "out": "yes"}}}, [Row("1", "")])[0] == {"1": Change()}


def test_a_picture_in_the_table_is_small_and_no_log_shows_vectors(bench: Bench) -> None:
    bench.draw("asha/1.png", 1)
    bench.plan()
    look = bench.table.looks["asha/1.png"]
    assert max(cv2.imdecode(np.frombuffer(look.thumbnail, np.uint8), 1).shape[:2]) <= 112
    assert look.seen is not None and "array" not in repr(look) and "array" not in repr(look.seen)
    assert WHOSE.endswith(".")
