import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text

from fewshot.database import Database, open_database
from fewshot.database.columns import stack
from fewshot.database.lesson_tables import LessonRow
from fewshot.database.tables import ClassRow, SettingRow, StudentRow, SupportRow
from fewshot.errors import StoreError, UsageError

URLS = ["sqlite://", None]


@pytest.fixture(params=URLS)
def database(request: pytest.FixtureRequest) -> Database:
    return open_database(request.param)


def test_where_it_is(fewshot_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert open_database().path == fewshot_home / "fewshot.db"
    assert open_database() is open_database()
    monkeypatch.setenv("FEWSHOT_DATABASE", f"sqlite:///{tmp_path / 'other.db'}")
    assert open_database().path == tmp_path / "other.db"
    open_database().path.unlink()
    assert open_database().path.exists()  # made anew, where somebody deleted it
    assert open_database("sqlite://") is not open_database("sqlite://")


@pytest.mark.parametrize(
    ("url", "words"),
    [("what is this", "not the address"), ("nosuch://host/db", "driver"), ("postgresql+nosuch://h/d", "driver")],
)
def test_addresses_that_are_none(url: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        open_database(url)


def test_a_password_is_never_shown() -> None:
    try:
        open_database("postgresql://teacher:secret@localhost:1/db")
    except (UsageError, StoreError) as error:
        assert "secret" not in str(error)
    else:
        pytest.fail("nobody listens on port 1")


@pytest.mark.parametrize(
    "content", [b"a text file, and a long one" * 50, b"SQLite format 3\0" + bytes(range(256)) * 40]
)
def test_a_damaged_file_is_named_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.db"
    path.write_bytes(content)
    with pytest.raises(StoreError, match="damaged") as caught:
        Database(f"sqlite:///{path}")
    assert str(path) in str(caught.value)
    assert path.read_bytes() == content


def test_damage_in_the_middle_is_found_by_the_doctor(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'x.db'}")
    assert "MB" in database.check()
    content = bytearray(database.path.read_bytes())
    content[-4096:] = b"\xff" * 4096
    database.path.write_bytes(content)
    with pytest.raises(StoreError, match="damaged"):
        database.check()


def test_a_folder_that_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("FEWSHOT_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(StoreError, match="FEWSHOT_HOME"):
        open_database()


def test_what_goes_in_comes_out(database: Database) -> None:
    vector = np.array([1.5, -2.25, 1e-30], np.float32)
    moment = datetime(2026, 11, 20, 9, 30, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    with database.write() as session:
        session.add(ClassRow(name="physics", folded="physics", created=moment))
        session.flush()
        session.add(StudentRow(class_id=1, name="asha"))
        session.flush()
        session.add(SupportRow(student_id=1, emotion=None, network="n", vector=vector))
        session.add(SettingRow(key="x", value={"a": [1, None, "é"]}))
    with database.read() as session:
        created = session.get(ClassRow, 1).created
        assert created == moment
        assert created.tzinfo is UTC
        found = session.get(SupportRow, 1).vector
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, vector)
        assert session.get(SettingRow, "x").value == {"a": [1, None, "é"]}
    assert stack([], 3).shape == (0, 3)


def test_a_write_that_fails_leaves_nothing(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.write() as session:
        session.add(ClassRow(name="physics", folded="physics"))
        session.flush()
        1 / 0  # noqa: B018
    with database.read() as session:
        assert session.get(ClassRow, 1) is None


def test_what_contradicts_is_refused(database: Database) -> None:
    with pytest.raises(StoreError, match=r"not saved.*FOREIGN KEY"), database.write() as session:
        session.add(StudentRow(class_id=7, name="asha"))


def test_numbers_do_not_come_back(database: Database) -> None:
    def add() -> int:
        with database.write() as session:
            row = LessonRow(title="", source="", network="", started=datetime.now(UTC), labels=[])
            session.add(row)
            session.flush()
            return row.id

    first = add()
    with database.write() as session:
        session.delete(session.get(LessonRow, first))
    assert add() > first


def test_threads_take_turns(database: Database) -> None:
    def count() -> None:
        for _ in range(10):
            with database.write() as session:
                row = session.get(SettingRow, "n") or SettingRow(key="n", value=0)
                row.value += 1
                session.add(row)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as session:
        assert session.get(SettingRow, "n").value == 40


def test_a_full_disk_is_put_into_words(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'x.db'}")
    with pytest.raises(StoreError, match=r"full.*free space"), database.write() as session:
        session.execute(text("PRAGMA max_page_count = 1"))
        session.add(SettingRow(key="x", value="y" * 10_000_000))
