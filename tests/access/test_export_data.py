"""Everything that is held about a student, for the family: complete, of one teacher only, and safe to open."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import stat
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_home import made_home
from typer.testing import CliRunner

from fewshot.access.export import folder_for
from fewshot.audit.log import latest
from fewshot.classroom.class_rows import Networks
from fewshot.classroom.consent import Consent
from fewshot.classroom.corrections import learn
from fewshot.classroom.enrollment import Accepted
from fewshot.classroom.owners import Owners
from fewshot.classroom.store import ClassStore
from fewshot.cli import app
from fewshot.commands import terminal
from fewshot.database import open_database
from fewshot.database.owner import LOCAL_TEACHER, Owner
from fewshot.session.check_in_answers import close_check_in
from fewshot.session.lessons import LessonStore
from fewshot.session.recorder import LessonRecorder
from fewshot.types import EMOTIONS, FrameResult, Reading

DAY = date(2026, 11, 20)
ODD = "Zoë <b>O'Neil & نور"
OTHER = "Quentin Quarles"
NAMES = [ODD, OTHER]
LABEL = "own <i>state</i>"


@pytest.fixture(autouse=True)
def nobody_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "_teacher", "")
    monkeypatch.delenv("FEWSHOT_AS", raising=False)


def teach(owner: Owner = LOCAL_TEACHER, mark: str = "") -> ClassStore:
    """A class of two with a lesson of three seconds, in which the first student was in view for two."""
    store = ClassStore(open_database(), owner)
    photos = [
        Accepted(name, LABEL, f"{place}{mark}" * 32, "0f", *np.eye(4, dtype=np.float32)[:2], 90.0, 0.9, DAY)
        for place, name in enumerate(NAMES)
    ]
    consents = {name: Consent(f"the mother of {name} {mark}", DAY) for name in NAMES}
    store.keep("physics", photos, consents, Networks("n", "i", 4, 4))
    lessons = LessonStore(store.database, owner)
    number = lessons.create("physics", title=f"<script>alert(1)</script> {OTHER} {mark}", students=NAMES)
    with LessonRecorder(lessons, number, NAMES, threaded=False) as recorder:
        for second in range(3):
            seen = [OTHER, ODD] if second else [OTHER]
            faces = [
                Reading(i, (0, 0, 1, 1), 0.9, name, 0.5, "happy", 0.9, dict.fromkeys(EMOTIONS, 1 / 7))
                for i, name in enumerate(seen)
            ]
            recorder.write(FrameResult("cam", second, float(second), 64, 48, tuple(faces)))
    lessons.mark(number, 1.0, f"{ODD} helped Quentin")
    lessons.mark(number, 2.0, "Quentin left")
    learn(store.database, "physics", number, ODD, 1.0, "sad", np.ones(4), "happy", owner=owner)
    close_check_in(lessons, [number], ODD, "asked, fine", "sat beside Quentin <i>")
    close_check_in(lessons, [number], OTHER, "not needed", "about the other")
    store.set_portrait("physics", ODD, b"\xff\xd8 picture")
    return store


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of ``teach``."""
    return made_home(tmp_path_factory, teach)


@pytest.fixture(autouse=True)
def copied(made: Path, fewshot_home: Path) -> None:
    shutil.copytree(made, fewshot_home)


def typed(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, list(words))
    return done.exit_code, done.output


def exported(folder: Path, *words: str, student: str = ODD) -> tuple[dict[str, Any], str]:
    code, said = typed("export-data", "PHYSICS", student, "--output", str(folder), *words)
    assert code == 0, said
    return json.loads((folder / "data.json").read_text("utf-8")), (folder / "data.html").read_text("utf-8")


class Tags(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)
        assert not [name for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_files_hold_everything_about_the_student_and_no_classmate(tmp_path: Path) -> None:
    store = ClassStore()
    held, page = exported(tmp_path / "a" / "b")
    assert held["student"] == ODD and held["class"] == "physics" and held["made_by"] == "local"
    assert [consent["given_by"] for consent in held["consents"]] == [f"the mother of {ODD} "]
    (photo,) = held["photos"]
    assert photo["label"] == LABEL and photo["sha256"] == "0" * 32 and photo["enrolled"] == "2026-11-20"
    assert [one["numbers"] for one in held["identity_vectors"]] == [[0.0, 1.0, 0.0, 0.0]]
    assert [one["correction"] for one in held["expression_vectors"]] == [None, 1]
    (lesson,) = held["lessons"]
    assert [reading["second"] for reading in lesson["readings"]] == [1, 2]
    assert {reading["shown"] for reading in lesson["readings"]} == {"happy"}
    assert sum(lesson["readings"][0]["probabilities"].values()) == pytest.approx(1, abs=0.01)
    assert [marker["text"] for marker in lesson["markers"]] == [f"{ODD} helped [another student]"]
    assert [(c["predicted"], c["corrected_to"], c["undone"]) for c in held["corrections"]] == [("happy", "sad", None)]
    (asked,) = held["check_ins"]
    assert (asked["answer"], asked["note"]) == ("asked, fine", "sat beside [another student] <i>")
    assert "sat beside [another student] &lt;i&gt;" in page and "about the other" not in json.dumps(held) + page
    assert held["portrait"]["jpeg_base64"] and held["settings"]["lessons_deleted_after_days"] == 90
    assert [line["event"] for line in held["history"]][:2] == ["consent recorded", "enrolled"]
    assert {line["account"] for line in held["history"]} == {"local"} and len(held["not_kept"]) >= 4
    assert "Quentin" not in json.dumps(held) + page and "Quarles" not in json.dumps(held) + page
    assert latest(store.database, 1, LOCAL_TEACHER)[0].event == "exported"
    again, _ = exported(tmp_path / "again")
    assert again["history"][-1]["event"] == "exported"


def test_the_page_has_no_script_and_all_texts_are_escaped(tmp_path: Path) -> None:
    _, page = exported(tmp_path / "out")
    tags = Tags(page)
    assert tags.found.isdisjoint({"script", "b", "i", "a", "link", "iframe", "form"}) and "img" in tags.found
    assert "default-src 'none'" in page and not re.search(r"(src|href)=\"(?!data:)", page)
    for words in (
        ODD,
        LABEL,
        "<script>alert(1)</script> [another student]",
        "2 lists of numbers",
        "local",
    ):
        assert words in tags.text, words
    assert "In view in 2 seconds" in tags.text and "What is not kept" in tags.text


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such permissions")
def test_only_the_owner_of_the_files_can_open_them_also_when_they_are_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "data.json").write_text("old")
    (folder / "data.json").chmod(0o644)
    exported(folder)
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {
        "data.json": 0o600, "data.html": 0o600,
    }  # fmt: skip


def test_a_student_without_lessons_and_photos(tmp_path: Path) -> None:
    store = ClassStore()
    store.record_consent("physics", "Ann", Consent("she", DAY))
    held, page = exported(tmp_path, student="Ann")
    assert held["lessons"] == held["photos"] == held["corrections"] == [] and held["portrait"] is None
    assert "No lesson with this student is stored" in page and "No photo was enrolled" in page


def test_each_teacher_gets_their_own_class(tmp_path: Path) -> None:
    anna = Owners().add("Anna")
    teach(anna, "annas")
    mine, _ = exported(tmp_path / "mine")
    theirs, _ = exported(tmp_path / "theirs", "--as", "anna")
    assert "annas" not in json.dumps(mine) and "annas" in json.dumps(theirs) and theirs["made_by"] == "Anna"
    Owners().add("Bert")
    Owners().add("Chief", "administrator")
    assert typed("export-data", "physics", ODD, "--as", "Bert")[0] == 2
    code, said = typed("export-data", "physics", ODD, "--as", "Chief")
    assert code == 2 and "administrator" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [(("physics", "Nobody"), "There is no student"), (("chemistry", ODD), "There is no class")],
)
def test_who_is_not_there_is_a_sentence_and_no_file(
    words: tuple[str, str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, printed = typed("export-data", *words)
    assert code == 2 and said in printed and "data-of" not in repr(list(tmp_path.iterdir()))


def test_a_place_that_is_a_file_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code, said = typed("export-data", "physics", ODD, "--output", str(tmp_path / "file"))
    assert code == 2 and "Nothing was written" in said and "--output" in said


@pytest.mark.parametrize(
    "spoil",
    [
        "UPDATE supports SET vector = x'0000'",
        "UPDATE supports SET vector = substr(vector, 1, 30)",
        "UPDATE identities SET vector = x'000000c07f'",
        "UPDATE identities SET vector = x'0000c07f'",
        "UPDATE consents SET day = 'never'",
        "UPDATE readings SET sealed = x'01'",
        "UPDATE readings SET sealed = (SELECT r.sealed FROM readings r WHERE r.second <> readings.second)",
        "UPDATE corrections SET second = 9e999",
    ],
)
def test_a_damaged_store_is_said_in_words_and_nothing_is_written(spoil: str, tmp_path: Path) -> None:
    path = open_database().path
    with sqlite3.connect(path) as connection:
        connection.execute(spoil)
    connection.close()
    code, said = typed("export-data", "physics", ODD, "--output", str(tmp_path / "out"))
    assert code == 1 and "damaged" in said and "Traceback" not in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["..", "Ann/..", "...", "आशा कुमारी", "x" * 64, "学" * 64, "CON", "a\u200db"])
def test_a_folder_is_named_after_any_student(name: str) -> None:
    folder = folder_for(name)
    assert len(folder.parts) == 1 and folder.name.startswith("data-of-") and len(folder.name.encode()) <= 70
    assert not folder.name.endswith((".", " ", "-"))
