"""What is erased is remembered in numbers, in the database and beside it."""

from __future__ import annotations

import json
import sqlite3
import stat
from datetime import date
from pathlib import Path

import pytest

from fewshot.classroom.consent import make_consent
from fewshot.classroom.store import ClassStore
from fewshot.database import Database
from fewshot.database.tables import PhotoRow, StudentRow
from fewshot.session.lessons import LessonStore


def erased(database: Database) -> list[tuple[str, int]]:
    assert database.path is not None
    connection = sqlite3.connect(database.path)
    rows = connection.execute("SELECT kind, row_id FROM erased ORDER BY kind, row_id").fetchall()
    connection.close()
    return rows


def beside(folder: Path) -> dict[str, list[list[object]]]:
    kept = json.loads((folder / "erased.json").read_text(encoding="utf-8"))["installations"]
    (only,) = kept.values()
    return dict(only)


@pytest.fixture
def store(tmp_path: Path) -> ClassStore:
    store = ClassStore(Database(f"sqlite:///{tmp_path / 'x.db'}"))
    store.create("physics")
    for name in ("Zebulon", "Quirina"):
        store.record_consent("physics", name, make_consent("a parent"))
    with store.database.write() as session:
        for number, sha256 in ((1, "a"), (1, "b"), (2, "c")):
            session.add(
                PhotoRow(student_id=number, sha256=sha256, fingerprint="", emotion="happy", enrolled=date.today())
            )
    return store


def test_nothing_is_written_before_something_is_erased(store: ClassStore, tmp_path: Path) -> None:
    assert erased(store.database) == []
    assert not (tmp_path / "erased.json").exists()


def test_each_kind_is_remembered_in_the_store_and_beside_it(store: ClassStore, tmp_path: Path) -> None:
    lessons = LessonStore(store.database)
    number = lessons.create("physics", title="first")
    lessons.end(number)
    store.remove_photo("physics", "Quirina", "c")
    lessons.delete(number)
    store.remove_student("physics", "Zebulon")
    store.delete("physics")
    assert erased(store.database) == [("class", 1), ("lesson", 1), ("photo", 3), ("student", 1), ("student", 2)]
    assert [tuple(entry[:2]) for entry in beside(tmp_path)["erased"]] == erased(store.database)
    text = (tmp_path / "erased.json").read_text(encoding="utf-8")
    assert "Zebulon" not in text
    assert "Quirina" not in text
    assert stat.S_IMODE((tmp_path / "erased.json").stat().st_mode) == 0o600


def test_an_erasure_that_fails_is_not_remembered(store: ClassStore, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), store.database.erase() as session:
        session.delete(session.get(StudentRow, 1))
        session.flush()
        raise RuntimeError
    assert erased(store.database) == []
    assert not (tmp_path / "erased.json").exists()


def test_a_withdrawal_is_written_beside_the_store(store: ClassStore, tmp_path: Path) -> None:
    store.withdraw_consent("physics", "Zebulon", date(2026, 3, 1))
    (entry,) = beside(tmp_path)["withdrawn"]
    assert (entry[0], entry[2]) == (1, "2026-03-01")


def test_the_next_start_writes_what_a_kill_left_out(store: ClassStore, tmp_path: Path) -> None:
    store.remove_student("physics", "Zebulon")
    (tmp_path / "erased.json").unlink()
    Database(f"sqlite:///{store.database.path}")
    assert [tuple(entry[:2]) for entry in beside(tmp_path)["erased"]] == [("student", 1)]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"installations": {"a": {}}}', '{"installations": 7}'])
def test_a_damaged_list_stops_no_erasure_and_is_kept_aside(store: ClassStore, tmp_path: Path, content: str) -> None:
    (tmp_path / "erased.json").write_text(content, encoding="utf-8")
    store.remove_student("physics", "Zebulon")
    assert [tuple(entry[:2]) for entry in beside(tmp_path)["erased"]] == [("student", 1)]
    (damaged,) = tmp_path.glob("damaged-*-erased.json")
    assert damaged.read_text(encoding="utf-8") == content


def test_two_stores_in_one_folder_share_the_file(store: ClassStore, tmp_path: Path) -> None:
    other = ClassStore(Database(f"sqlite:///{tmp_path / 'y.db'}"))
    other.create("physics")
    other.delete("physics")
    store.remove_student("physics", "Zebulon")
    kept = json.loads((tmp_path / "erased.json").read_text(encoding="utf-8"))["installations"]
    assert sorted(entry["erased"][0][:2] for entry in kept.values()) == [["class", 1], ["student", 1]]


def test_the_number_of_a_removed_photo_is_not_used_again(store: ClassStore) -> None:
    store.remove_photo("physics", "Quirina", "c")
    with store.database.write() as session:
        photo = PhotoRow(student_id=2, sha256="d", fingerprint="", emotion="happy", enrolled=date.today())
        session.add(photo)
        session.flush()
        assert photo.id == 4
