"""Stores of earlier versions: everything in them belongs to the local teacher, and there is a way back."""

import sqlite3
from pathlib import Path

import pytest
from old_store import go_back, make_old_store

from fewshot.classroom.owners import LOCAL, Owners
from fewshot.classroom.store import ClassStore
from fewshot.database import Database
from fewshot.errors import UsageError
from fewshot.session.lessons import LessonStore
from fewshot.session.settings import Settings

AT = "2026-01-01 00:00:00"
FILL = f"""
INSERT INTO classes VALUES (1, 'Physics', 'physics', 0, '{AT}', '', '', 0, 0),
  (9, 'gone', 'gone', 0, '{AT}', '', '', 0, 0);
DELETE FROM classes WHERE id = 9;
INSERT INTO students VALUES (4, 1, 'Zebulon', '{AT}');
INSERT INTO consents VALUES (2, 4, 'his mother', '2026-01-01', 'x', NULL, NULL, '{AT}');
INSERT INTO lessons VALUES (7, 1, 'a title', '', '', 0, 0, '{AT}', '{AT}', 1.0, '{AT}', '', '["angry"]');
INSERT INTO lessons VALUES (8, NULL, 'free', '', '', 0, 0, '{AT}', '{AT}', 1.0, '{AT}', '', '["angry"]');
DELETE FROM lessons WHERE id = 8;
INSERT INTO lesson_seconds VALUES (7, 0, 5, NULL);
INSERT INTO participants VALUES (3, 7, 4);
INSERT INTO markers VALUES (1, 7, 1.0, 'a marker');
INSERT INTO corrections VALUES (6, 4, 7, 1.0, 'happy', 'sad', '{AT}', NULL);
INSERT INTO settings VALUES ('portraits', 'true'), ('retention_days', '30'),
  ('acknowledged', '"2026-01-01T00:00:00+00:00"'),
  ('ice', '{{"servers": "stun:x"}}'), ('detector', '"yunet"'), ('sample past', '{{"titles": []}}');
"""
KEPT = ("students", "consents", "lesson_seconds", "participants", "markers", "corrections")


Rows = dict[str, list[dict[str, object]]]


def rows(path: Path, *tables: str) -> Rows:
    """The rows with the names of their columns, because a later version may have them in another order."""
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    found = {
        table: [dict(row) for row in connection.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()]
        for table in tables
    }
    connection.close()
    return found


def of_columns(found: Rows, before: Rows) -> Rows:
    """The columns that there were before. A value that is not sealed yet is its bytes behind a zero."""

    def plain(value: object, was: object) -> object:
        if not isinstance(value, bytes):
            return value
        assert value[:1] == b"\0"
        return value[1:] if isinstance(was, bytes) else value[1:].decode()

    return {
        table: [
            {column: plain(row[column], was[column]) for column in was}
            for row, was in zip(found[table], old, strict=True)
        ]
        for table, old in before.items()
    }


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "old.db"
    make_old_store(path, "0002")
    with sqlite3.connect(path) as connection:
        connection.executescript(FILL)
    connection.close()
    return path


def test_everything_of_an_old_store_belongs_to_the_local_teacher(old: Path) -> None:
    before = rows(old, *KEPT)
    database = Database(f"sqlite:///{old}")
    assert of_columns(rows(old, *KEPT), before) == before and all(before.values())
    assert [owner.id for owner in Owners(database).all()] == [LOCAL]
    assert ClassStore(database).consents("physics", "Zebulon")[0].given_by == "his mother"
    (info,) = LessonStore(database).lessons("Physics")
    assert (info.id, info.title) == (7, "a title") and LessonStore(database).load(7).markers[0].text == "a marker"
    settings = Settings(database)
    assert settings.portraits and settings.retention_days == 30 and settings.acknowledged is not None
    assert settings.get("sample past") == {"titles": []}
    other = Settings(database, Owners(database).add("Berta"))
    assert (other.portraits, other.retention_days, other.acknowledged) == (False, 90, None)
    assert other.get("ice") == {"servers": "stun:x"} and other.get("detector") == "yunet"


def test_rows_still_refer_to_each_other_and_old_numbers_are_not_used_again(old: Path) -> None:
    database = Database(f"sqlite:///{old}")
    assert LessonStore(database).create("Physics") == 9  # 8 was deleted
    ClassStore(database).create("new")
    assert max(row["id"] for row in rows(old, "classes")["classes"]) == 10  # 9 was deleted
    with pytest.raises(UsageError, match="already"):
        ClassStore(database).create("PHYSICS")
    ClassStore(database).delete("Physics")
    assert not any(rows(old, *KEPT).values())


def test_there_is_a_way_back_while_the_local_teacher_is_alone(old: Path) -> None:
    before = rows(old, *KEPT, "classes", "lessons", "settings", "sqlite_sequence")
    Database(f"sqlite:///{old}").close()
    go_back(old, "0002")
    after = rows(old, *KEPT, "classes", "lessons", "settings", "sqlite_sequence")
    numbers = [{row["name"]: row["seq"] for row in found.pop("sqlite_sequence")} for found in (before, after)]
    assert numbers[0].items() <= numbers[1].items()  # more tables count now
    assert after == before
    database = Database(f"sqlite:///{old}")
    Owners(database).add("Berta")
    database.close()
    with pytest.raises(RuntimeError, match="accounts besides the local teacher"):
        go_back(old, "0002")


def test_a_store_whose_rows_refer_to_nothing_is_not_changed(old: Path) -> None:
    with sqlite3.connect(old) as connection:
        connection.execute("INSERT INTO markers VALUES (99, 55, 1.0, 'of a lesson that is lost')")
    connection.close()
    with pytest.raises(Exception, match=r"markers.*lessons.*missing"):
        Database(f"sqlite:///{old}")
    assert rows(old, "alembic_version")["alembic_version"] == [{"version_num": "0002"}]
