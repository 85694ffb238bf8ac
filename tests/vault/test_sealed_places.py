"""A value opens only in the row, the column and the second where it was sealed."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sealed_class import NAMES, fill, in_place, told

from fewshot.errors import StoreError

MOVES = {
    "a vector to another student": ("supports", "vector", 1, 3),
    "a vector to another photo": ("supports", "vector", 1, 2),
    "an identity to another photo": ("identities", "vector", 1, 2),
    "a name to another student": ("students", "name", 1, 2),
    "a consent to another student": ("consents", "given_by", 1, 2),
    "a correction to another student": ("corrections", "actually", 1, 2),
    "a note to another student": ("check_ins", "note", 1, 2),
    "an answer to another student": ("check_ins", "answer", 1, 2),
    "a portrait to another student": ("portraits", "picture", 1, 2),
    "a marker to another one": ("markers", "text", 1, 2),
}


@pytest.fixture
def home(fewshot_home: Path) -> Path:
    database = in_place(fewshot_home)
    fill(database).close()
    database.close()
    return fewshot_home


def change(home: Path, *commands: str) -> None:
    with sqlite3.connect(home / "fewshot.db") as connection:
        for command in commands:
            assert connection.execute(command).rowcount > 0
    connection.close()


def refused(home: Path) -> None:
    """Reading says that the database is damaged, and the reader gets nothing."""
    with pytest.raises(StoreError, match="damaged"):
        for name in NAMES:
            told(in_place(home), name)


@pytest.mark.parametrize("what", MOVES)
@pytest.mark.parametrize("with_its_row_id", [False, True])
def test_a_value_in_another_row_does_not_open(home: Path, what: str, with_its_row_id: bool) -> None:
    table, column, one, two = MOVES[what]
    if with_its_row_id and "to another student" not in what:
        return  # then the whole rows have changed places, and both open where they are
    primary = "student_id" if table == "portraits" else "id"
    columns = [column, "rid"] if with_its_row_id else [column]
    values = ", ".join(
        f"{name} = (SELECT {name} FROM {table} AS other WHERE other.{primary} = {one + two} - {table}.{primary})"
        for name in columns
    )
    before = [told(in_place(home), name) for name in NAMES]
    assert len(before) == 3
    change(home, f"UPDATE {table} SET {values} WHERE {primary} IN ({one}, {two})")
    if table == "markers":
        from fewshot.session.lessons import LessonStore

        with pytest.raises(StoreError, match="damaged"):
            LessonStore(in_place(home)).load(1)
        return
    refused(home)


@pytest.mark.parametrize(
    "command",
    [
        "UPDATE readings SET sealed = (SELECT o.sealed FROM readings o WHERE o.second = 2 AND o.participant_id = "
        "readings.participant_id) WHERE second = 1",
        "UPDATE readings SET sealed = (SELECT o.sealed FROM readings o WHERE o.second = readings.second AND "
        "o.participant_id = 1 + (readings.participant_id % 3))",
        "UPDATE consents SET given_by = purpose",
        "UPDATE corrections SET said = actually",
        "UPDATE students SET key = (SELECT o.key FROM students o WHERE o.id = 1 + (students.id % 3))",
        "UPDATE supports SET vector = CAST(substr(vector, 1, 30) || x'0001' AS BLOB)",
        "UPDATE supports SET vector = CAST(x'00' || substr(vector, 2) AS BLOB)",
        "UPDATE supports SET vector = CAST(x'05' || substr(vector, 2) AS BLOB)",
        "UPDATE students SET name = CAST(x'00' || substr(name, 2) AS BLOB)",
        "UPDATE supports SET emotion = CAST(x'00' || substr(emotion, 2) AS BLOB)",
        "UPDATE supports SET vector = substr(vector, 1, 20)",
    ],
)
def test_seconds_columns_and_keys_cannot_be_swapped(home: Path, command: str) -> None:
    assert told(in_place(home), NAMES[0])
    change(home, command)
    refused(home)
