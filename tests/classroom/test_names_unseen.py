"""Characters that cannot be seen, or that turn text around: refused in names, ignored, or shown as signs."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from fewshot.classroom.consent import make_consent
from fewshot.classroom.names import alike, check_name, look_alikes
from fewshot.classroom.store import ClassStore
from fewshot.cli import app
from fewshot.database import open_database
from fewshot.database.tables import ClassRow, StudentRow
from fewshot.errors import UsageError


@pytest.mark.parametrize("letter", ["\x80", "\x85", "\x9b", "\x9f", "\x1b", "\x07", "\x7f", "\x00"])
@pytest.mark.parametrize("form", ["Jo{}e", "{}Joe", "Joe{}x"])
def test_control_characters_are_refused_in_words(letter: str, form: str) -> None:
    with pytest.raises(UsageError, match="control characters"):
        check_name(form.format(letter), "student")


@pytest.mark.parametrize("letter", "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
@pytest.mark.parametrize("form", ["Jo{}e", "{}Joe", "Joe{}"])
def test_signs_that_turn_the_direction_are_refused_in_words(letter: str, form: str) -> None:
    with pytest.raises(UsageError, match="direction of writing") as refused:
        check_name(form.format(letter), "student")
    assert letter not in str(refused.value)


@pytest.mark.parametrize(
    "name", ["\u200b", "\u200b\u200b", "\ufeff", "\u2060", "\u00ad", "\u3164", "\u2800", "\u200d", "\ufe0f", "\u034f",
             "\u115f", "\u0301", " \u200b ", "\u180e", "\U000e0041", "\u17b5"],
)  # fmt: skip
def test_a_name_that_nobody_can_see_is_refused_in_words(name: str) -> None:
    for what in ("student", "class"):
        with pytest.raises(UsageError, match="letter that can be seen"):
            check_name(name, what)


@pytest.mark.parametrize(
    "unseen", "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u00ad\ufe0f\u034f\u061c\u180e\u3164\u2800"
)
def test_a_name_with_what_cannot_be_seen_is_the_name_without_it(unseen: str) -> None:
    for name in (f"Jo{unseen}", f"{unseen}Jo", f"J{unseen}o"):
        assert check_name(name, "student") == "Jo" and alike(name) == alike("JO")


@pytest.mark.parametrize("name", ["علی‌رضا", "葛\U000e0100城", "O'Brien", "李", "Zoë", "नर्‍मदा", "Anna B."])
def test_what_a_script_needs_stays(name: str) -> None:
    assert check_name(name, "student") == name


def consent() -> object:
    return make_consent("the mother")


def a_class() -> ClassStore:
    store = ClassStore()
    store.create("Physics")
    store.record_consent("Physics", "Jo", consent())
    return store


def test_jo_and_jo_with_something_unseen_are_one_student() -> None:
    store = a_class()
    store.record_consent("Physics\u200b", "Jo\u200b", consent())
    assert list(store.roster("physics").students) == ["Jo"] and store.names() == ["Physics"]
    store.remove_student("Physics", "Jo\ufeff", keep_class=True)
    assert not store.roster("Physics").students
    with pytest.raises(UsageError, match="already"):
        store.create("Phy\u200bsics")


def test_a_difference_in_case_asks() -> None:
    store = a_class()
    for name in ("jo", "JO", "jO\u200b"):
        with pytest.raises(UsageError, match="upper and lower case"):
            store.record_consent("Physics", name, consent())
    store.record_consent("Physics", "Ben", consent())
    with pytest.raises(UsageError, match="already"):
        store.rename_student("Physics", "Ben", "jo")
    assert store.rename_student("Physics", "Jo", "JO") == "JO"


def test_pairs_of_an_earlier_version_are_kept_and_reported() -> None:
    store = a_class()
    store.record_consent("Physics", "Ben", consent())
    with open_database().write() as session:
        next(row for row in session.scalars(select(StudentRow)) if row.name == "Ben").name = "Jo\u200b"
    assert set(store.roster("Physics").students) == {"Jo", "Jo\u200b"}
    assert look_alikes(store.roster("Physics").students) == [("Jo", "Jo\u200b")]
    done = CliRunner().invoke(app, ["roster", "Physics"])
    assert "looks the same on a screen" in done.output and "\u200b" not in done.output
    assert store.rename_student("Physics", "Jo\u200b", "Bella") == "Bella"
    assert set(store.roster("Physics").students) == {"Jo", "Bella"}


def test_a_class_of_an_earlier_version_is_still_found() -> None:
    store = a_class()
    with open_database().write() as session:
        session.scalars(select(ClassRow)).one().name = "Phys\u200bics"
    for name in ("Phys\u200bics", "Physics", "PHYSICS"):
        assert list(store.roster(name).students) == ["Jo"]
    with pytest.raises(UsageError, match="already"):
        store.create("Physics")
