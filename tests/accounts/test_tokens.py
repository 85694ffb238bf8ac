"""Tokens of programs: what is stored of them, what they allow, and when they end."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from fewshot.accounts.tokens import BEGINS, Tokens
from fewshot.classroom.owners import Owners
from fewshot.classroom.store import ClassStore
from fewshot.cli import app
from fewshot.database import open_database
from fewshot.database.columns import now
from fewshot.database.owner import LOCAL_TEACHER, Owner
from fewshot.errors import UsageError


class Clock:
    def __init__(self) -> None:
        self.now = now()

    def __call__(self) -> datetime:
        return self.now


def run(*words: str) -> Any:
    done = CliRunner().invoke(app, ["tokens", *words])
    assert done.exit_code == 0, done.output
    return done


def text_of(done: Any) -> str:
    (text,) = [line for line in done.stdout.splitlines() if line.startswith(BEGINS)]
    return str(text)


@pytest.fixture
def anna() -> Owner:
    return Owners().add("Anna")


def test_a_token_is_shown_once_and_stored_nowhere(fewshot_home: Path) -> None:
    done = run("add", "laptop", "--scope", "read", "--scope", "analyze")
    text = text_of(done)
    assert "shown only now" in done.output and "Article 5(1)(f)" in done.output
    found = Tokens().find(text)
    assert found is not None and found.owner == LOCAL_TEACHER and found.scopes == {"read", "analyze"}
    assert found.classes is None
    assert text not in run("list").output
    open_database().close()
    kept = b"".join(path.read_bytes() for path in fewshot_home.rglob("*") if path.is_file())
    assert text.encode() not in kept and text.removeprefix(BEGINS).encode() not in kept


@pytest.mark.parametrize("text", ["", BEGINS, BEGINS + "x" * 43, "fewshot", "\x00", "é" * 20, BEGINS + "a" * 10_000])
def test_another_text_is_no_token(text: str) -> None:
    Tokens().add(LOCAL_TEACHER, "laptop", ["read"])
    assert Tokens().find(text) is None


def test_a_removed_token_and_one_that_has_ended_open_nothing() -> None:
    clock = Clock()
    tokens = Tokens(clock=clock)
    first, one = tokens.add(LOCAL_TEACHER, "a", ["read"], days=2)
    second, other = tokens.add(LOCAL_TEACHER, "b", ["read"], days=30)
    assert tokens.find(first) and tokens.get(one.id)
    clock.now += timedelta(days=2)
    assert tokens.find(first) is None and tokens.get(one.id) is None
    run("remove", str(other.id))
    assert Tokens().find(second) is None and Tokens().get(other.id) is None
    assert CliRunner().invoke(app, ["tokens", "remove", str(other.id)]).exit_code == 2


def test_the_classes_of_a_token(anna: Owner) -> None:
    store = ClassStore(owner=anna)
    for name in ("physics", "art"):
        store.create(name)
    text, token = Tokens().add(anna, "room 3", ["read"], ["Physics"])
    assert list((token.classes or {}).values()) == ["physics"]
    store.rename("physics", "optics")
    found = Tokens().find(text)
    assert found is not None and list((found.classes or {}).values()) == ["optics"]
    store.delete("optics")
    found = Tokens().find(text)
    assert found is not None and found.classes == {}  # and not all of them


def test_a_class_that_went_to_another_teacher_is_not_the_tokens_any_more(anna: Owner) -> None:
    from fewshot.accounts.accounts import Accounts

    bert = Owners().add("Bert")
    ClassStore(owner=anna).create("physics")
    text, _ = Tokens().add(anna, "room 3", ["read"], ["physics"])
    Accounts().give(anna, bert)
    found = Tokens().find(text)
    assert found is not None and found.classes == {}


def test_the_tokens_of_a_removed_account_are_gone(anna: Owner) -> None:
    text, _ = Tokens().add(anna, "room 3", ["read"])
    Owners().remove(anna.id)
    assert Tokens().find(text) is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["x", "--scope", "everything"], "There is no right everything. Rights: read, enroll"),
        (["x", "--scope", "read", "--class", "nowhere"], "nowhere"),
        (["x", "--scope", "read", "--days", "0"], "0 days"),
        (["x/y", "--scope", "read"], "x/y"),
        (["x", "--scope", "read", "--as", "Nobody"], "There is no account 'Nobody'"),
        (["x", "--scope", "read", "--as", "Root"], "may only have the right metrics"),
        (["x"], "--scope"),
    ],
)
def test_what_cannot_be_a_token(words: list[str], said: str) -> None:
    Owners().add("Root", "administrator")
    done = CliRunner().invoke(app, ["tokens", "add", *words], standalone_mode=True)
    assert done.exit_code == 2 and said in done.output
    assert Tokens().all() == []


def test_another_teachers_class_cannot_be_named(anna: Owner) -> None:
    ClassStore().create("physics")
    with pytest.raises(UsageError, match="physics"):
        Tokens().add(anna, "x", ["read"], ["physics"])


def test_an_administrator_may_see_figures() -> None:
    root = Owners().add("Root", "administrator")
    _, token = Tokens().add(root, "monitor", ["metrics"])
    assert token.scopes == {"metrics"}


def test_adding_and_removing_stand_in_the_audit_log(anna: Owner) -> None:
    _, token = Tokens().add(anna, "x", ["read"])
    Tokens().remove(token.id)
    shown = CliRunner().invoke(app, ["audit", "show"]).output
    assert "token added" in shown and "token removed" in shown
    assert CliRunner().invoke(app, ["audit", "verify"]).exit_code == 0
