"""Accounts by command and in the store: adding, giving, resetting, removing."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

pytest.importorskip("argon2", reason="needs the extra app")

from sqlalchemy import select

from fewshot.access.audit_page import log_rows
from fewshot.accounts import passwords
from fewshot.accounts.accounts import Accounts
from fewshot.classroom.owners import Owner
from fewshot.classroom.store import ClassStore
from fewshot.cli import app
from fewshot.database import open_database
from fewshot.database.lesson_tables import LessonRow
from fewshot.database.tables import ClassRow
from fewshot.errors import UsageError
from fewshot.session.lessons import LessonStore
from fewshot.session.settings import Settings

PASSWORD, OTHER = "four green plums fell", "seven blue pears rose"


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    from argon2 import PasswordHasher

    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    nobody = hasher.hash("nobody")
    monkeypatch.setattr(passwords, "_hasher", lambda: hasher)
    monkeypatch.setattr(passwords, "_nobodys", lambda: nobody)  # not kept for the tests of real costs


def run(*words: str, typed: str = "") -> Any:
    """What a command did: with its password on standard input."""
    done = CliRunner().invoke(app, ["accounts", *words], input=typed)
    if done.exit_code == 2:
        raise UsageError(done.output)
    assert done.exit_code == 0, done.output
    return done.output


def add(name: str, *words: str) -> str:
    return run("add", name, "--password-file", "-", *words, typed=f"{PASSWORD}\n")


def teach(owner: Any, *names: str) -> None:
    """Give an owner classes with a lesson each."""
    with open_database().write() as session:
        for name in names:
            row = ClassRow(owner_id=owner.id, name=name, folded=name.casefold())
            session.add(row)
            session.flush()
    for name in names:
        LessonStore(owner=owner).create(name, title=f"of {name}")


def whose(table: Any) -> set[str]:
    with open_database().read() as session:
        return set(session.scalars(select(table.owner_id)))


def test_an_account_is_added_listed_reset_and_removed_by_command() -> None:
    assert "There is no account yet" in run("list") and "There is no account yet" in run()
    assert "Anna was added as a teacher" in add("Anna")
    assert "office was added as an administrator" in add("office", "--administrator")
    listed = run("list")
    assert "Anna" in listed and "administrator" in listed and "never" in listed and PASSWORD not in listed
    accounts = Accounts()
    accounts.logins.begin(accounts.get("anna").owner)
    assert "1 login of this account ended" in run("reset", "anna", "--password-file", "-", typed=OTHER)
    assert accounts.verify("ANNA", OTHER) == accounts.get("Anna").owner and accounts.verify("Anna", PASSWORD) is None
    assert "Anna was removed" in run("remove", "anna")
    assert [account.owner.name for account in accounts.all()] == ["office"]


@pytest.mark.parametrize(
    "typed", ["", "\n", "short", "Anna Anna Anna", f"{PASSWORD}\nsecond line\n", "x" * 5000, "aaaaaaaaaaaaaa"]
)
def test_a_password_that_cannot_be_used_adds_nobody(typed: str) -> None:
    with pytest.raises(UsageError, match=r"[Pp]assword"):
        run("add", "Anna", "--password-file", "-", typed=typed)
    assert Accounts().all() == []


def test_a_password_comes_from_a_file_as_editors_write_it(tmp_path: Path) -> None:
    for number, data in enumerate((f"{PASSWORD}\r\n", f"\ufeff{PASSWORD}", PASSWORD)):
        path = tmp_path / "word"
        path.write_bytes(data.encode())
        run("add", f"teacher {number}", "--password-file", str(path))
        assert Accounts().verify(f"teacher {number}", PASSWORD) is not None
    path.write_bytes(b"\xff\xfe broken \xff")
    for wrong in (path, tmp_path / "missing", tmp_path):
        with pytest.raises(UsageError, match="cannot be read"):
            run("add", "Bert", "--password-file", str(wrong))


def test_a_password_is_no_argument_and_needs_a_terminal_or_a_file() -> None:
    assert CliRunner().invoke(app, ["accounts", "add", "Anna", PASSWORD]).exit_code == 2
    with pytest.raises(UsageError, match="--password-file") as refused:
        run("add", "Anna", typed=f"{PASSWORD}\n{PASSWORD}\n")
    assert "Nothing was changed" in refused.value.text and Accounts().all() == []


def test_a_password_is_typed_twice_without_being_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    from fewshot.commands.accounts import add_account

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stdin", Terminal())
    words = [PASSWORD, OTHER]
    monkeypatch.setattr("getpass.getpass", lambda prompt: words.pop(0))
    with pytest.raises(UsageError, match="differ"):
        add_account("Anna", False, None, "", False)
    words[:] = [PASSWORD, PASSWORD]
    add_account("Anna", False, None, "", False)
    assert Accounts().verify("Anna", PASSWORD) is not None


@pytest.mark.parametrize("name", ["Anna", "ANNA", " anna ", "local", "", "..", "a/b", "x" * 100, "-x", "an\u202ena"])
def test_a_name_that_is_taken_or_cannot_be_one_is_refused_before_the_password_is_asked_for(name: str) -> None:
    add("Anna")
    with pytest.raises(UsageError) as refused:
        Accounts().check_new(name)
    assert PASSWORD not in str(refused.value) and len(Accounts().all()) == 1


def test_classes_of_the_laptop_go_to_an_account_with_the_settings_for_privacy() -> None:
    teach(Accounts().owners.local(), "physics", "music")
    Settings().aggregate_only = True
    Settings().set("acknowledged", "2026-01-01T00:00:00+00:00")
    said = add("Anna", "--takes-local")
    anna = Accounts().get("Anna")
    assert "2 classes and 2 lessons" in said and set(anna.classes) == {"physics", "music"} and anna.lessons == 2
    assert Settings(owner=anna.owner).aggregate_only and Settings(owner=anna.owner).acknowledged is None
    assert ClassStore().names() == [] and ClassStore(owner=anna.owner).exists("physics")
    with pytest.raises(UsageError, match="administrator has no classes"):
        add("office", "--administrator", "--takes-local")
    assert len(Accounts().all()) == 1


def test_an_account_with_classes_is_removed_only_if_something_says_what_happens_to_them() -> None:
    add("Anna")
    add("Bert")
    add("office", "--administrator")
    anna, bert = (Accounts().get(name).owner for name in ("Anna", "Bert"))
    teach(anna, "physics")
    with pytest.raises(UsageError, match="class physics and 1 lesson belong") as refused:
        run("remove", "Anna")
    assert "--give-to" in refused.value.text and "--delete-classes" in refused.value.text
    for words in (["--give-to", "nobody"], ["--give-to", "Anna"], ["--give-to", "office"],
                  ["--give-to", "Bert", "--delete-classes"]):  # fmt: skip
        with pytest.raises(UsageError):
            run("remove", "Anna", *words)
        assert Accounts().get("Anna").classes == ("physics",)
    assert "belong to Bert now" in run("remove", "Anna", "--give-to", "bert")
    assert whose(ClassRow) == whose(LessonRow) == {bert.id}
    assert "were deleted" in run("remove", "Bert", "--delete-classes")
    assert whose(ClassRow) == whose(LessonRow) == set()


def test_classes_of_the_same_name_are_not_mixed() -> None:
    add("Anna")
    add("Bert")
    for name, classes in (("Anna", ["Physics", "music"]), ("Bert", ["physics"])):
        teach(Accounts().get(name).owner, *classes)
    with pytest.raises(UsageError, match="already has the class Physics"):
        run("remove", "Anna", "--give-to", "Bert")
    assert Accounts().get("Anna").classes == ("music", "Physics")


def test_a_removed_account_leaves_no_hash_and_no_login(fewshot_home: Path) -> None:
    add("Anna")
    accounts = Accounts()
    with accounts.database.read() as session:
        from fewshot.database.account_tables import PasswordRow

        hashed = session.scalar(select(PasswordRow.hash))
    accounts.logins.begin(accounts.get("Anna").owner)
    run("remove", "Anna")
    assert not accounts.any() and accounts.were_used() and hashed is not None
    with accounts.database.read() as session:
        for table in ("passwords", "logins", "invited"):
            assert session.connection().exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() == 0


def test_people_are_invited_by_an_address_and_without_a_password() -> None:
    assert "was added" in run("add", "Anna", "--email", " Anna@School.example ")
    assert Accounts().get("Anna").email == "anna@school.example" and Accounts().verify("Anna", "") is None
    for email in ("anna@school.example", "nobody", "@x", "a b@c", "a@b@c", "a@"):
        with pytest.raises(UsageError):
            run("add", "Bert", "--email", email)
    assert Accounts().known("https://i", "1", "") is None and Accounts().known("https://i", "1", "b@x") is None
    found = Accounts().known("https://i", "1", "ANNA@school.example")
    assert found is not None and found.name == "Anna"
    assert Accounts().known("https://other", "1", "") is None
    assert Accounts().known("https://other", "1", "anna@school.example") is None


@pytest.mark.parametrize(
    "words", [["reset", "nobody", "--password-file", "-"], ["remove", "nobody"], ["remove", "local"]]
)
def test_an_account_that_does_not_exist_is_named_with_those_that_do(words: list[str]) -> None:
    add("Anna")
    with pytest.raises(UsageError, match="Existing accounts: Anna"):
        run(*words, typed=PASSWORD)


def test_whoever_gets_at_a_teachers_classes_by_the_account_leaves_a_line() -> None:
    add("Anna", "--takes-local")
    accounts = Accounts()
    anna, bert = accounts.get("Anna").owner, accounts.add("Bert", password=PASSWORD)
    ClassStore(owner=anna).create("physics")
    accounts.reset("Anna", OTHER, one_time=True)
    accounts.give(anna, bert)
    accounts.give(anna, bert)  # nothing is left to give

    def told(owner: Owner) -> list[str]:
        return [f"{line[3]} {line[5]}" for line in log_rows(accounts.database, 50, owner)]

    assert told(anna) == ["password reset ", "classes given classes 1, lessons 0"]
    assert told(bert) == ["classes given classes 1, lessons 0"]
