"""A copy is kept before the tables change, and nothing that is erased later is left in it."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import pytest
from old_store import make_old_store
from sqlalchemy import Connection

from fewshot.classroom.store import ClassStore
from fewshot.database import Database, upgrade
from fewshot.database.copies import copies_of
from fewshot.database.upgrade import HEAD
from fewshot.errors import StoreError
from fewshot.research.bench.survival.openable import readable
from fewshot.session.lessons import LessonStore
from fewshot.vault import FileKeys

TITLE = "Zebulon speaks"


def old_store(path: Path) -> Path:
    make_old_store(path, "0005")
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(
            "INSERT INTO classes (id, owner_id, name, folded, sample, created, network, identity_network, dimension, "
            "identity_dimension) VALUES (1, 'local', 'physics', 'physics', 0, '2026-01-01', '', '', 0, 0)"
        )
        connection.executemany(
            "INSERT INTO students (id, class_id, name, created) VALUES (?, 1, ?, '2026-01-01')",
            [(1, "Zebulon"), (2, "Quirina")],
        )
        connection.execute(
            "INSERT INTO photos (id, student_id, sha256, fingerprint, emotion, enrolled) "
            "VALUES (1, 2, 'PHOTOSUM', '', 'happy', '2026-01-01')"
        )
        connection.execute(
            "INSERT INTO lessons (id, owner_id, class_id, title, source, network, sample, aggregate, started, ended, "
            f"seconds, heartbeat, owner, labels) VALUES (1, 'local', 1, '{TITLE}', '', '', 0, 0, '2026-01-01', "
            "'2026-01-01', 0, '2026-01-01', '', '[]')"
        )
    connection.close()
    return path


def copies(folder: Path) -> list[Path]:
    return sorted(folder.glob("before-*"))


def test_what_a_killed_program_did_not_complete_is_no_copy_and_is_deleted(tmp_path: Path) -> None:
    left = tmp_path / "before-0004-to-0005-20261120-101112-000001.db.part"
    other = tmp_path / "before-0004-to-0005-20261120-101112-000001-other.db.db.part"
    for file in (left, other):
        file.write_bytes(b"half")
    path = old_store(tmp_path / "fewshot.db")
    database = Database(f"sqlite:///{path}")
    assert not left.exists()
    assert other.exists(), "it belongs to another database, which may be writing it now"
    assert len(copies_of(path)) == 1
    left.write_bytes(b"half")
    ClassStore(database).remove_student("physics", "Zebulon")
    assert not left.exists()


@pytest.mark.parametrize("name", ["fewshot.db", "other.db"])
def test_a_copy_is_kept_before_a_migration(tmp_path: Path, name: str) -> None:
    path = old_store(tmp_path / name)
    Database(f"sqlite:///{path}")
    (copy,) = copies(tmp_path)
    assert copy.name.startswith(f"before-0005-to-{HEAD}-")
    assert copy.suffix == ".db"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    connection = sqlite3.connect(copy)
    assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("0005",)]
    assert connection.execute("SELECT name FROM students ORDER BY id").fetchall() == [("Zebulon",), ("Quirina",)]
    connection.close()
    Database(f"sqlite:///{path}")
    assert copies(tmp_path) == [copy]


def test_a_new_database_has_no_copy(tmp_path: Path) -> None:
    Database(f"sqlite:///{tmp_path / 'x.db'}")
    assert copies(tmp_path) == []


def test_the_latest_two_are_kept(tmp_path: Path) -> None:
    for _ in range(4):
        (tmp_path / "fewshot.db").unlink(missing_ok=True)
        Database(f"sqlite:///{old_store(tmp_path / 'fewshot.db')}")
    assert len(copies(tmp_path)) == 2


@pytest.mark.parametrize("halfway", [False, True])
def test_a_failed_migration_leaves_the_old_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, halfway: bool
) -> None:
    path = old_store(tmp_path / "fewshot.db")

    def fail(connection: Connection) -> None:
        connection.exec_driver_sql("DELETE FROM students")
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0006'")
        if halfway:
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        raise RuntimeError("the power went out")

    monkeypatch.setattr(upgrade, "_upgrade", fail)
    with pytest.raises(StoreError, match=r"the power went out.*put back.*before-0005-to-"):
        Database(f"sqlite:///{path}")
    monkeypatch.undo()
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("0005",)]
    assert connection.execute("SELECT count(*) FROM students").fetchall() == [(2,)]
    connection.close()
    assert ClassStore(Database(f"sqlite:///{path}")).roster("physics").students.keys() == {"Zebulon", "Quirina"}


def bytes_in(folder: Path) -> bytes:
    """What can be read in all files by whoever has the keys that are there now."""
    return readable([folder], FileKeys(folder))


@pytest.mark.parametrize("name", ["fewshot.db", "other.db"])
def test_nothing_of_a_removed_student_is_left_in_any_file(tmp_path: Path, name: str) -> None:
    store = ClassStore(Database(f"sqlite:///{old_store(tmp_path / name)}"))
    assert b"Zebulon" in copies(tmp_path)[0].read_bytes()
    store.remove_student("physics", "Zebulon")
    assert b"Zebulon" not in bytes_in(tmp_path)


def test_a_lesson_and_a_photo_are_erased_from_the_copy(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{old_store(tmp_path / 'fewshot.db')}")
    LessonStore(database).delete(1)
    ClassStore(database).remove_photo("physics", "Quirina", "PHOTOSUM")
    (copy,) = copies(tmp_path)
    content = copy.read_bytes()
    assert TITLE.encode() not in content
    assert b"PHOTOSUM" not in content
    assert b"Quirina" in content


def test_a_copy_of_another_database_in_the_folder_stays(tmp_path: Path) -> None:
    Database(f"sqlite:///{old_store(tmp_path / 'other.db')}")
    store = ClassStore(Database(f"sqlite:///{old_store(tmp_path / 'fewshot.db')}"))
    store.remove_student("physics", "Zebulon")
    assert len(copies(tmp_path)) == 1
