"""Adding students on the page Class: who may, whose photos they are, how far it is, and what is refused, in words."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("streamlit", reason="needs the extra app")

import streamlit as st
from drawn_faces import draw_photo, see_drawings

from fewshot import Classroom
from fewshot.app.next_click import in_the_app
from fewshot.app.shell import PHOTO_TABLES, count_visit
from fewshot.app.uploads import Upload, save_class
from fewshot.app.views.photo_table import CHOSEN, RELOADED
from fewshot.classroom.consent import make_consent, write_consent_list
from fewshot.classroom.folder import no_consent
from fewshot.classroom.store import ClassStore
from fewshot.session.settings import Settings
from fewshot.types import EMOTIONS
from tests.app.test_pages import page, quiet, words  # noqa: F401 - a fixture
from tests.app.test_uploads import files, packed


class Sent:
    """A file as Streamlit hands it over."""

    def __init__(self, name: str, data: bytes) -> None:
        self.name, self._data = name, data

    def getvalue(self) -> bytes:
        return self._data


def upload(monkeypatch: pytest.MonkeyPatch, sent: dict[str, Any]) -> None:
    """Make the first fields for files give what was "uploaded", by the word of their key; later ones are empty."""

    def given(*_: Any, key: str = "", **__: Any) -> Any:
        return sent.get(key.split(maxsplit=1)[0]) if key.endswith(" 0") else None

    monkeypatch.setattr(st, "file_uploader", given)
    monkeypatch.setattr(st.delta_generator.DeltaGenerator, "file_uploader", given)


def button(test: Any, key: str) -> Any:
    return next(one for one in test.button if one.key == key)


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("key", ["enroll many", "enroll one"])
def test_photos_are_looked_at_only_after_the_acknowledgement(
    known: bool, key: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stand = Stand(tmp_path, monkeypatch)
    if known:
        Settings().acknowledged = datetime.now(UTC)
    upload(monkeypatch, {"folder": [stand.sent("asha/1.png", 1)], "photos": [stand.sent("1.png", 1)]})
    test = page("classes", **{"one student": "Asha", "consent many": "she", "consent one": "she"})
    assert not test.exception and button(test, key).disabled == (not known) and bool(stand.drawn) == known
    assert ("where this may not be used" in words(test)) == (not known)


class Stand:
    """A class with drawn photos, what the table was given, and what "the browser" changed in it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        see_drawings(monkeypatch)
        monkeypatch.setattr("fewshot.app.setups.photo_perception", lambda perception, *limits: perception)
        self.folder, self.drawn, self.room = folder, list[dict[str, Any]](), Classroom.open("Physics")
        self.room.create()
        monkeypatch.setattr("fewshot.app.setups.open_class", lambda _name: self.room)
        monkeypatch.setattr(
            "fewshot.app.views.photo_table.drawn_table", lambda data, key: self.drawn.append(data | {"in": key})
        )

    def sent(self, name: str, person: int, shows: str = "neutral", seed: int = 0) -> Sent:
        path = draw_photo(self.folder / "one.png", {person: 100}, emotion=EMOTIONS.index(shows), seed=seed + person)
        return Sent(name, path.read_bytes())

    def change(self, test: Any, **cells: dict[str, Any]) -> None:
        rows = {id.replace("__", "/") + ".png": one for id, one in cells.items()}
        test.session_state[self.drawn[-1]["in"]] = {"changes": {"rows": rows, "twins": []}}

    @property
    def lines(self) -> dict[str, str]:
        return {row["id"]: row["says"] for row in self.drawn[-1]["rows"]}


@pytest.fixture
def stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stand:
    Settings().acknowledged = datetime.now(UTC)
    return Stand(tmp_path, monkeypatch)


def test_the_table_is_shown_before_anything_is_stored_and_what_it_says_is_enrolled(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = [
        stand.sent("class/flat/1.png", 1),
        stand.sent("class/emre/happy/2.png", 2, "happy"),
        Sent("class/emre/wall.png", b"x"),
    ]
    upload(monkeypatch, {"folder": sent})
    test = page("classes")
    assert not test.exception and not test.error and button(test, "enroll many").disabled
    assert "No consent for emre, flat" in words(test) and {row["reads"] for row in stand.drawn[-1]["rows"]} == {"-"}
    next(field for field in test.text_input if field.key == "consent many").set_value("the parents").run()
    assert button(test, "enroll many").label == "Enroll 2 photos of 2 students" and stand.room.students == []
    assert "2 photos will be enrolled, 1 cannot be enrolled" in words(test)
    stand.change(test, flat__1={"student": "dana", "shows": "sad"})
    test.run()
    assert button(test, "enroll many").label == "Enroll 2 photos of 2 students" and stand.room.students == []
    button(test, "enroll many").click().run()
    assert not test.exception and not test.error
    assert {key: one.emotions() for key, one in stand.room.roster().students.items()} == {
        "dana": {"sad": 1}, "emre": {"happy": 1},
    }  # fmt: skip
    assert "2 photos accepted, 1 refused" in words(test) and "wall.png" in words(test)


def test_a_class_that_changed_meanwhile_is_shown_again_before_anything_is_stored(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(monkeypatch, {"folder": [stand.sent("dana/1.png", 1), stand.sent("emre/1.png", 2)]})
    test = page("classes", **{"consent many": "the parents"})
    other = Classroom.open("Physics")
    draw_photo(stand.folder / "other/1.png", {2: 100}, emotion=1, seed=90)
    other.enroll("zoe", stand.folder / "other", consent_by="her mother")
    button(test, "enroll many").click().run()
    assert "Look at the table again" in words(test) and other.students == ["zoe"]
    assert stand.lines == {"dana/1.png": "will be enrolled", "emre/1.png": "cannot be enrolled"}
    button(test, "enroll many").click().run()
    assert other.students == ["dana", "zoe"]


def test_photos_of_one_student_are_shown_when_there_is_a_name(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    upload(monkeypatch, {"photos": [stand.sent("1.png", 1, "happy")]})
    test = page("classes", **{"consent one": "her mother"})
    assert "Write the name of the student" in words(test) and not stand.drawn
    next(field for field in test.text_input if field.key == "one student").set_value("Asha P.").run()
    (row,) = stand.drawn[-1]["rows"]
    assert (row["student"], row["shows"], row["reads"], row["differs"]) == ("Asha P.", "neutral", "happy", True)
    button(test, "enroll one").click().run()
    assert stand.room.students == ["Asha P."]


def test_the_list_of_consents_is_filled_in_and_brought_back(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = [stand.sent("dana/1.png", 1), stand.sent("=emre/1.png", 2)]
    upload(monkeypatch, {"folder": sent})
    page("classes")
    listed = write_consent_list(["=emre", "dana"], {})
    filled = listed.decode("utf-8-sig").replace("'=emre,,", "'=emre,his father,2026-01-02").encode("utf-8-sig")
    upload(monkeypatch, {"folder": sent, "list": Sent("anything.csv", filled)})
    test = page("classes", **{"consent many": "the parents"})
    # What is written above is for everybody, but the list says that nobody has consented for dana yet.
    assert stand.lines == {"=emre/1.png": "will be enrolled", "dana/1.png": "cannot be enrolled"}
    assert "nobody has given consent for dana yet" in str(stand.drawn[-1]) and "No consent for dana" in words(test)


def test_a_reload_in_the_middle_says_that_the_photos_are_gone(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    upload(monkeypatch, {"folder": [stand.sent("dana/1.png", 1)]})
    first = page("classes", **{"consent many": "the parents"})
    number = str(first.query_params[CHOSEN]).strip("[]'")
    assert number.isdigit() and RELOADED not in words(first)
    ClassStore().create("A class that comes first in the list")
    upload(monkeypatch, {})
    again = page("classes", {CHOSEN: number})
    assert again.session_state["class"] == first.session_state["class"], "the photos would go to another class"
    assert RELOADED in words(again) and CHOSEN not in again.query_params and stand.room.students == []
    assert RELOADED in words(again.run())
    assert RELOADED not in words(page("classes"))


def test_the_photos_are_forgotten_with_the_page_and_when_they_are_taken_out(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(monkeypatch, {"folder": [stand.sent("dana/1.png", 1)]})
    test = page("classes", **{"consent many": "the parents"})
    assert test.session_state[PHOTO_TABLES]
    upload(monkeypatch, {})
    test.run()
    assert not test.session_state[PHOTO_TABLES] and CHOSEN not in test.query_params
    monkeypatch.setattr(st, "session_state", {"shown": "Class", PHOTO_TABLES: {"many": 1}})
    count_visit("Class")
    assert PHOTO_TABLES in st.session_state
    count_visit("Live")
    assert PHOTO_TABLES not in st.session_state


def test_a_zip_that_cannot_be_read_is_a_sentence_and_nothing_is_enrolled(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(monkeypatch, {"zip": Sent("class.zip", b"no zip")})
    test = page("classes", **{"consent many": "the parents"})
    (error,) = test.error
    assert "cannot be unpacked" in error.value and not stand.drawn and stand.room.students == []


def test_the_page_enrollment_has_the_same_table(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    upload(monkeypatch, {"folder": [stand.sent("dana/1.png", 1)]})
    test = page("enroll", **{"consent many": "the parents"})
    button(test, "enroll many").click().run()
    assert not test.exception and stand.room.students == ["dana"]


@pytest.mark.parametrize("reasons", [None, {"asha": "the consent ended on 2026-01-01"}])
def test_an_error_about_consent_names_a_click_and_no_command(reasons: dict[str, str] | None) -> None:
    said = in_the_app(no_consent("Physics", "/tmp/fewshot-photos-x1", reasons))
    assert "Fill in the field “Consent given by”" in said
    assert not re.search("fewshot enroll|/tmp|--consent", said)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (["p/dana_neutral.jpg", "p/emre_neutral.jpg"], ["dana_neutral.jpg", "emre_neutral.jpg"]),
        (["p/Dana 1.jpg", "p/Dana 2.jpg", "p/Emre 1.jpg", "p/class.jpg"], None),
        (["p/dana_1.jpg", "p/consent.csv"], ["consent.csv", "dana_1.jpg"]),
        (["p/dana.jpg", "p/emre.jpg", "p/consent.csv"], ["consent.csv", "dana.jpg", "emre.jpg"]),
        (["dana/dana_neutral.jpg", "dana/dana_happy.jpg"], ["dana/dana_happy.jpg", "dana/dana_neutral.jpg"]),
        (["dana/IMG_1.jpg", "dana/IMG_2.jpg"], ["dana/IMG_1.jpg", "dana/IMG_2.jpg"]),
        (["dana/neutral.jpg", "dana/happy.jpg"], ["dana/happy.jpg", "dana/neutral.jpg"]),
        (["dana/me_1.jpg", "dana/happy/2.jpg"], ["dana/happy/2.jpg", "dana/me_1.jpg"]),
        (["a/dana_1.jpg", "b/emre_1.jpg"], ["a/dana_1.jpg", "b/emre_1.jpg"]),
    ],
)
@pytest.mark.parametrize("zipped", [False, True])
def test_a_flat_folder_of_portraits_is_not_one_student(
    sent: list[str], kept: list[str] | None, zipped: bool, tmp_path: Path
) -> None:
    save_class([packed(*sent)] if zipped else [Upload(name, b"x") for name in sent], tmp_path)
    assert files(tmp_path) == (sorted(name.split("/", 1)[1] for name in sent) if kept is None else kept)


def test_the_bar_counts_photos_and_the_result_names_no_temporary_folder(
    stand: Stand, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sent = [stand.sent(f"flat/{who}_neutral.png", number) for number, who in ((1, "dana"), (2, "emre"))]
    upload(monkeypatch, {"folder": [*sent, Sent("flat/notes.png", b"no picture")]})
    bars: list[str] = []
    field = st.delta_generator.DeltaGenerator
    real = field.progress
    monkeypatch.setattr(field, "progress", lambda self, value, text="": (bars.append(text), real(self, value, text))[1])
    test = page("classes", **{"consent many": "the parents"})
    assert [text.split(" (")[0] for text in bars if "photo" in text] == [
        "Opening the photos …", "Looking at photo 1 of 3", "Looking at photo 2 of 3", "Looking at photo 3 of 3",
    ]  # fmt: skip
    button(test, "enroll many").click().run()
    assert set(stand.room.roster().students) == {"dana", "emre"}
    assert not re.search("fewshot-photos-", words(test) + str(stand.drawn))


def test_every_photo_is_counted_before_it_is_looked_at(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    see_drawings(monkeypatch)
    for number in range(3):
        draw_photo(tmp_path / f"asha/{number}.png", {1: 100}, emotion=number, seed=number)
    (tmp_path / "asha/4.png").write_bytes(b"no picture")
    told: list[int] = []
    room = Classroom.temporary("Physics")
    room.enroll("asha", tmp_path / "asha", consent_by="her mother", on_photo=lambda: told.append(1))
    assert len(told) == 4
    told.clear()
    room.enroll_folder(tmp_path, on_photo=lambda: told.append(1))
    assert len(told) == 4 and make_consent("x").day == date.today()
