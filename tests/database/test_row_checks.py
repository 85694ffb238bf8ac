"""A changed value that nothing seals, and a row that disappears, are noticed; no change by the program itself is."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from contextlib import closing
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from old_store import go_back
from sqlalchemy import Boolean, insert, select, update
from sqlalchemy.orm import Session

from fewshot.backup.make import make_backup
from fewshot.classroom.store import ClassStore
from fewshot.commands import doctor
from fewshot.database import Database, structure
from fewshot.database.lesson_tables import CorrectionRow, LessonRow
from fewshot.database.row_check import RowChanged, _kinds, _plan, checked_rows, with_check
from fewshot.database.tables import ClassRow, ConsentRow, PhotoRow, SettingRow, StudentRow
from fewshot.errors import StoreError
from fewshot.research.bench.survival.damage import CHECKED, CRASH, SILENT, damages, fill_store, read_store
from fewshot.research.bench.survival.jobs import CLASS, PUPILS, RATE, frame
from fewshot.session.lessons import LessonStore
from fewshot.session.recorder import LessonRecorder


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store with rows in nearly every table."""
    folder = tmp_path_factory.mktemp("checked")
    (folder / "home").mkdir(mode=0o700)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FEWSHOT_HOME", str(folder / "home"))
        patch.delenv("FEWSHOT_KEYS", raising=False)
        fill_store(folder / "home" / "fewshot.db", seconds=4)
    return folder


@pytest.fixture
def path(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of this store with its keys."""
    shutil.copytree(made, tmp_path / "copy")
    monkeypatch.setenv("FEWSHOT_HOME", str(tmp_path / "copy" / "home"))
    monkeypatch.delenv("FEWSHOT_KEYS", raising=False)
    return tmp_path / "copy" / "home" / "fewshot.db"


def by_hand(path: Path, *statements: str, values: tuple[object, ...] = ()) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement, values)
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def another(value: Any) -> Any:
    """Another value than a stored one."""
    if value is None:
        return 1001
    if isinstance(value, bytes):
        return value[:-1] + bytes([value[-1] ^ 1])
    if isinstance(value, str):
        return value[:-1] + chr(ord(value[-1]) ^ 1) if value else "x"
    return value + 1000


def test_damage_at_random_places_is_named_or_changes_nothing(tmp_path: Path, fewshot_home: Path) -> None:
    done = damages(tmp_path, 40, seed=11)
    assert [found for found in done if found[1] in (SILENT, CHECKED, CRASH)] == []
    assert len({outcome for _, outcome, _ in done}) == 2  # some are named, and some are harmless


def test_every_row_that_the_program_writes_has_a_checksum_that_fits(path: Path) -> None:
    database = Database(f"sqlite:///{path}")
    with database.read() as session:
        for kind in _kinds():
            rows = list(checked_rows(session, kind))
            assert all(row.row_check is not None for row in rows), kind
        assert {kind.__name__ for kind in _kinds() if not list(checked_rows(session, kind))} <= {
            "RefusedRow", "TicketRow", "TokenClassRow",
        }  # fmt: skip
    database.check()


@pytest.mark.parametrize("kind", _kinds(), ids=lambda kind: kind.__name__)
def test_a_changed_value_of_any_column_is_named(path: Path, kind: Any) -> None:
    plan = _plan(kind)
    keys = [column.name for column in plan.table.primary_key]
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        first = connection.execute(f"SELECT * FROM {plan.table.name}").fetchone()
    database = Database(f"sqlite:///{path}")
    for part in plan.parts if first is not None else ():
        name = part.column.name
        where = " AND ".join(f"{key} = ?" for key in keys)
        content = path.read_bytes()
        mine = tuple(first[key] for key in keys)
        changed = 1 - first[name] if isinstance(part.column.type, Boolean) else another(first[name])
        by_hand(path, f'UPDATE {plan.table.name} SET "{name}" = ? WHERE {where}', values=(changed, *mine))
        with pytest.raises(StoreError, match="is damaged"), database.read() as session:
            list(session.scalars(select(kind)))
        with pytest.raises(StoreError, match="is damaged"):
            database.check()
        path.write_bytes(content)


def test_bytes_that_became_text_and_a_value_that_became_null_are_named(path: Path) -> None:
    for change in ("title = CAST('waves' AS TEXT)", "ended = NULL", "sample = 1", "started = 'x'", "seconds = NULL"):
        content = path.read_bytes()
        try:
            by_hand(path, f"UPDATE lessons SET {change} WHERE id = 1")
        except sqlite3.IntegrityError:  # a column that is never NULL
            continue
        with pytest.raises(StoreError, match="is damaged"):
            LessonStore(Database(f"sqlite:///{path}")).lessons()
        path.write_bytes(content)


@pytest.mark.parametrize(
    "lost",
    [
        "DELETE FROM readings WHERE second = 1 AND participant_id = 2",
        "DELETE FROM lesson_seconds WHERE second = 2 AND lesson_id = 1",
        "DELETE FROM readings",
        "UPDATE readings SET participant_id = 999 WHERE participant_id = 2 AND second = 0",
        "UPDATE readings SET second = -1 WHERE participant_id = 2 AND second = 0",
        "UPDATE readings SET second = 90 WHERE participant_id = 2 AND second = 0",
        "UPDATE lesson_seconds SET second = 90 WHERE second = 0 AND lesson_id = 1",
    ],
)
def test_a_second_that_disappears_or_moves_is_named(path: Path, lost: str) -> None:
    lessons = LessonStore(Database(f"sqlite:///{path}"))
    assert len(lessons.load(1).readings) == 4 * len(PUPILS)
    by_hand(path, lost)
    with pytest.raises(StoreError, match="is damaged"):
        lessons.load(1)
    if "readings SET second" not in lost:  # `fewshot key check`, and so doctor, opens the readings
        with pytest.raises(StoreError, match="is damaged"):
            lessons.database.check()


def test_seconds_that_are_written_again_and_students_who_are_removed_are_no_damage(path: Path) -> None:
    database = Database(f"sqlite:///{path}")
    lessons = LessonStore(database)
    recorder = LessonRecorder(lessons, lessons.create(CLASS, students=PUPILS), PUPILS, threaded=False)
    for index in range(3 * RATE):
        recorder.write(frame(index))
        if index % 10 == 0:
            recorder._since -= 1.0  # the second is old enough to be written before it is over
            recorder.flush()
    assert len(lessons.load(recorder.lesson).readings) == 3 * len(PUPILS)
    ClassStore(database).remove_student(CLASS, PUPILS[0])
    recorder.close()
    assert len(lessons.load(recorder.lesson).readings) == 3 * (len(PUPILS) - 1)
    with database.read() as session:
        written = session.get_one(LessonRow, recorder.lesson).written
    assert written is not None and len(written) == len(PUPILS)  # nothing is left of the one who was removed
    database.check()


def test_a_correction_outlives_its_lesson(path: Path) -> None:
    database = Database(f"sqlite:///{path}")
    LessonStore(database).delete(1)  # the database itself sets its number to NULL
    with database.read() as session:
        assert session.scalars(select(CorrectionRow)).one().lesson_id is None
    database.check()
    by_hand(path, "UPDATE corrections SET second = second + 1")
    with pytest.raises(StoreError, match="corrections"):
        database.check()


def test_an_older_store_gets_checksums_and_rows_without_one_are_read(path: Path) -> None:
    right = read_store(path)
    go_back(path, "0010")
    assert read_store(path) == right
    database = Database(f"sqlite:///{path}")
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM students WHERE row_check IS NULL").fetchone() == (0,)
        assert connection.execute("SELECT count(*) FROM lessons WHERE written IS NULL").fetchone() == (0,)
    database.check()
    by_hand(path, "UPDATE students SET row_check = NULL", "UPDATE lessons SET row_check = NULL, written = NULL")
    assert read_store(path) == right


def test_a_backup_of_a_damaged_row_is_refused_and_doctor_names_it(path: Path, tmp_path: Path) -> None:
    by_hand(path, "UPDATE portraits SET made = '2031-01-01 00:00:00.000000'")
    with pytest.raises(StoreError, match=r"portraits is not as it was written\), so no backup was written"):
        make_backup(tmp_path / "x.backup", "five words that differ much")
    assert not (tmp_path / "x.backup").exists()
    (found,) = [finding for finding in doctor.findings() if finding.what == "Database"]
    assert found.state == "problem" and "portraits is not as it was written" in found.advice


def test_an_index_that_lost_a_row_is_named_when_the_file_is_opened(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = path.with_name("other.db")
    for whole in (structure.WHOLE, 0):  # as in a small file, and as in a large one
        monkeypatch.setattr(structure, "WHOLE", whole)
        other.write_bytes(path.read_bytes())
        Database(f"sqlite:///{other}").close()
        with closing(sqlite3.connect(other)) as connection:
            (root,) = connection.execute(
                "SELECT rootpage FROM sqlite_master WHERE name = 'ix_consents_student_id'"
            ).fetchone()
            size = connection.execute("PRAGMA page_size").fetchone()[0]
        content = bytearray(other.read_bytes())
        content[(root - 1) * size + 4] -= 1  # the page has one row less
        other.write_bytes(content)
        with pytest.raises(StoreError, match="is damaged"):
            Database(f"sqlite:///{other}")
        assert other.read_bytes() == content


def test_a_changed_description_of_a_table_is_named(path: Path) -> None:
    content = path.read_bytes()
    assert content.count(b"ON DELETE SET NULL") == 1
    path.write_bytes(content.replace(b"ON DELETE SET NULL", b"ON DELETE RESTRICT"))
    with pytest.raises(StoreError, match="description of its tables"):
        Database(f"sqlite:///{path}")


def test_the_checksum_is_the_same_however_a_value_is_given() -> None:
    noon = datetime(2026, 5, 4, 12, tzinfo=UTC)
    there = noon.astimezone(timezone(timedelta(hours=9)))
    keys = {"id": "x", "name": "a", "folded": "a", "role": "teacher"}
    owner = _kinds()[[kind.__name__ for kind in _kinds()].index("OwnerRow")]
    assert with_check(owner, keys | {"created": noon}) == with_check(owner, keys | {"created": there})
    size = [
        with_check(PhotoRow, {"id": 1, "rid": "x", "enrolled": date(2026, 1, 1), "size": one})["row_check"]
        for one in (2, 2.0)
    ]
    assert size[0] == size[1]
    assert (
        with_check(SettingRow, {"key": "k", "value": {"a": 1, "b": [2]}})["row_check"]
        == with_check(SettingRow, {"key": "k", "value": {"b": (2,), "a": 1}})["row_check"]
    )


def test_rows_that_are_copied_to_a_server_keep_their_checksums(path: Path, postgres: Any) -> None:
    there = Database(postgres.fresh())
    tables = [table for table in ClassRow.metadata.sorted_tables if table.name != "alembic_version"]
    with Database(f"sqlite:///{path}").read() as here, there.write() as session:
        for table in reversed(tables):
            session.execute(table.delete())
        for table in tables:
            rows = [dict(row._mapping) for row in here.execute(select(table))]
            if rows:
                session.execute(insert(table), rows)
    there.check()
    with there.write() as session:
        session.execute(update(StudentRow).where(StudentRow.id == 1).values(created=datetime(2020, 1, 1, tzinfo=UTC)))
    with pytest.raises(StoreError, match="row 1 of the table students"):
        there.check()


def test_two_who_change_columns_of_one_row_at_once_on_a_server(postgres: Any) -> None:
    database = Database(postgres.fresh())
    ClassStore(database).create(CLASS)
    lessons = LessonStore(database)
    number = lessons.create(CLASS, title="waves")
    read, written = threading.Event(), threading.Event()

    def rename() -> None:
        with database.write(alone=False) as session:
            row = session.get_one(LessonRow, number)
            read.set()
            written.wait(10)
            row.title = "optics"

    other = threading.Thread(target=rename)
    other.start()
    assert read.wait(10)
    with database.write(alone=False) as session:
        row = session.scalars(select(LessonRow).where(LessonRow.id == number).with_for_update()).one()
        row.seconds = 7.0
    written.set()
    other.join(20)
    found = lessons.info(number)
    assert (found.title, found.seconds) == ("optics", 7.0)
    database.check()


def test_a_row_without_the_orm_is_compared_too(path: Path) -> None:
    by_hand(path, "UPDATE consents SET day = '2020-02-02' WHERE id = 1")
    with closing(sqlite3.connect(path)), pytest.raises(RowChanged, match="row 1 of the table consents"):
        engine_ = Database(f"sqlite:///{path}")._engine
        with Session(engine_) as session:
            list(checked_rows(session, ConsentRow))
