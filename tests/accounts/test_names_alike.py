"""Accounts whose names or addresses look alike, and names in commands that somebody copies into a shell."""

from __future__ import annotations

import shlex

import pytest

from fewshot.accounts.accounts import Accounts
from fewshot.classroom.names import quoted
from fewshot.errors import UsageError

PASSWORD = "four green plums fell"


@pytest.mark.parametrize("name", ["ANNA", "\uff21\uff4e\uff4e\uff41", "An\u200bna", "An\u00adna", "\U0001d400nna"])
def test_a_name_that_looks_like_another_ones_is_taken(name: str) -> None:
    accounts = Accounts()
    accounts.add("Anna", password=PASSWORD)
    for add in (lambda: accounts.add(name, password=PASSWORD), lambda: accounts.owners.add(name)):
        with pytest.raises(UsageError, match="account 'Anna' already"):
            add()
    assert len(accounts.all()) == 1


def test_nobody_can_be_called_like_the_local_teacher() -> None:
    for name in ("Local", "\uff4c\uff4f\uff43\uff41\uff4c"):
        with pytest.raises(UsageError, match="account 'local' already"):
            Accounts().add(name, password=PASSWORD)


@pytest.mark.parametrize(
    ("invited", "other"),
    [("sam@school.example", "\u017fam@school.example"), ("strasse@school.example", "stra\u00dfe@school.example"),
     ("kim@school.example", "\u212aim@school.example")],
)  # fmt: skip
def test_an_address_of_other_letters_takes_nobodys_invitation(invited: str, other: str) -> None:
    accounts = Accounts()
    owner = accounts.add("Sam", email=invited)
    assert accounts.known("https://id.example", "1", other) is None
    assert accounts.known("https://id.example", "2", f" {invited.upper()}") == owner


@pytest.mark.parametrize(
    "name",
    [
        "Anna",
        "Anna Berg",
        "$(reboot)",
        "`id`",
        "a; b",
        "a&b",
        "O'Hara",
        "O'Hara & $HOME",
        "#1",
        "~",
        "[ab]",
        "Zo\u00eb",
    ],
)
def test_a_name_in_a_printed_command_is_one_word_for_a_shell(name: str) -> None:
    assert shlex.split(quoted(name), comments=True) == [name]
    if set(name) & set("$`"):
        assert quoted(name).startswith("'")
