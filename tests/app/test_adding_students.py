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
from fewshot.app.uploads import Upload, save_class
from fewshot.classroom.consent import make_consent
from fewshot.classroom.folder import no_consent
from fewshot.classroom.store import ClassStore
from fewshot.session.settings import Settings
from tests.app.test_pages import page, quiet, words  # noqa: F401 - a fixture
from tests.app.test_uploads import files, packed


class Sent:
    """A file as Streamlit hands it over."""

    def __init__(self, name: str, data: bytes) -> None:
        self.name, self._data = name, data

    def getvalue(self) -> bytes:
        return self._data


def upload(monkeypatch: pytest.MonkeyPatch, sent: dict[str, Any]) -> None:
    """Make the fields for files give what was "uploaded": by the first word of their key."""
    monkeypatch.setattr(st, "file_uploader", lambda *_, key="", **__: sent.get(str(key).split()[0]))
    field = st.delta_generator.DeltaGenerator
    monkeypatch.setattr(field, "file_uploader", lambda *_, key="", **__: sent.get(str(key).split()[0]))


def button(test: Any, key: str) -> Any:
    return next(one for one in test.button if one.key == key)


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("key", ["enroll many", "enroll one"])
def test_photos_are_enrolled_only_after_the_acknowledgement(
    known: bool, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ClassStore().create("Physics")
    if known:
        Settings().acknowledged = datetime.now(UTC)
    upload(monkeypatch, {"folder": [Sent("asha/1.jpg", b"x")], "photos": [Sent("1.jpg", b"x")]})
    test = page("classes", **{"one student": "Asha"})
    assert not test.exception and button(test, key).disabled == (not known)
    assert ("where this may not be used" in words(test)) == (not known)


@pytest.mark.parametrize("key", ["enroll many", "enroll one"])
def test_without_consent_the_next_click_is_named_above_the_button(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ClassStore().create("Physics")
    Settings().acknowledged = datetime.now(UTC)
    upload(monkeypatch, {"folder": [Sent("asha/1.jpg", b"x")], "photos": [Sent("1.jpg", b"x")]})
    test = page("classes", **{"one student": "Asha"})
    button(test, key).click().run()
    (error,) = test.error
    assert "Consent given by" in error.value and not re.search("Type:|fewshot enroll|/tmp", error.value)


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
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    see_drawings(monkeypatch)
    Settings().acknowledged = datetime.now(UTC)
    room = Classroom.open("Physics")
    room.create()
    monkeypatch.setattr("fewshot.app.setups.open_class", lambda _name: room)
    sent = []
    for number, who in ((1, "dana"), (2, "emre")):
        path = draw_photo(tmp_path / f"{who}_neutral.png", {number: 100}, emotion=6, seed=number)
        sent.append(Sent(f"flat/{path.name}", path.read_bytes()))
    sent.append(Sent("flat/notes.png", b"no picture"))
    upload(monkeypatch, {"folder": sent})
    bars: list[str] = []
    field = st.delta_generator.DeltaGenerator
    real = field.progress
    monkeypatch.setattr(field, "progress", lambda self, value, text="": (bars.append(text), real(self, value, text))[1])
    test = page("classes", **{"consent many": "the parents"})
    button(test, "enroll many").click().run()
    assert not test.exception and not test.error
    assert [text.split(" (")[0] for text in bars if "photo" in text] == [
        "Checking photo 1 of 3",
        "Checking photo 2 of 3",
    ]
    assert set(room.roster().students) == {"dana", "emre"}
    assert str(tmp_path) not in words(test) and "fewshot-photos-" not in words(test)


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
