"""Whoever has an old database and all keys that are left after a removal cannot find out the name by trying names."""

from __future__ import annotations

import sqlite3
import unicodedata
from pathlib import Path

from sealed_class import NAMES, fill, in_place

from fewshot.classroom.store import ClassStore
from fewshot.vault import FileKeys, Vault
from fewshot.vault.cipher import blind

DICTIONARY = [*NAMES, "anna", "Physics"]


def indexes_in(path: Path) -> set[str]:
    connection = sqlite3.connect(path)
    queries = ("SELECT name_index FROM students", "SELECT folded FROM classes", "SELECT sha256 FROM photos")
    found = {value for query in queries for (value,) in connection.execute(query)}
    connection.close()
    return found


def guessed(indexes: set[str], keys: FileKeys) -> set[str]:
    """The words whose blind index under any key is one of these, however a key may be used."""
    vault = Vault(keys)
    forms = {
        form: word for word in DICTIONARY
        for form in (word, word.lower(), word.casefold(), unicodedata.normalize("NFD", word), f"{word} 0", f"{word} 1")
    }  # fmt: skip
    return {
        word
        for name in keys.names()
        for form, word in forms.items()
        if {vault.blind(name, form), blind(keys.key(name), form)} & indexes
    }


def test_the_keys_that_remain_give_no_name_away(fewshot_home: Path) -> None:
    database, path = in_place(fewshot_home), fewshot_home / "fewshot.db"
    fill(database).close()
    old = indexes_in(path)
    assert guessed(old, FileKeys(fewshot_home)) == {*NAMES, "Physics"}, "the attack works before"
    ClassStore(database).remove_student("physics", NAMES[0])
    keys = FileKeys(fewshot_home)
    assert guessed(old, keys) <= set(NAMES[1:]), "an old copy tells nothing of who was removed"
    assert guessed(indexes_in(path), keys) == {*NAMES[1:], "Physics"}


def test_indexes_of_a_deleted_class_tell_nothing(fewshot_home: Path) -> None:
    database, path = in_place(fewshot_home), fewshot_home / "fewshot.db"
    fill(database).close()
    old = indexes_in(path)
    ClassStore(database).delete("physics")
    assert guessed(old, FileKeys(fewshot_home)) == set()


def test_without_a_key_an_index_is_not_a_known_sum(fewshot_home: Path) -> None:
    import hashlib

    fill(in_place(fewshot_home)).close()
    found = indexes_in(fewshot_home / "fewshot.db")
    sums = {hashlib.sha256(f"{name}{more}".encode()).hexdigest() for name in NAMES for more in ("", " 0", " 1")}
    assert not found & (sums | {name.casefold() for name in DICTIONARY} | set(DICTIONARY))
