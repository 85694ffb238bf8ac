"""A store that is damaged is never used as a good one or a new one: it is named, left alone, and the way back said."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fewshot.classroom.consent import make_consent
from fewshot.classroom.store import ClassStore
from fewshot.cli import app
from fewshot.database import Database, engine, open_database
from fewshot.database import file as database_file
from fewshot.errors import StoreError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def path(fewshot_home: Path) -> Path:
    store = ClassStore()
    store.create("physics")
    store.record_consent("physics", "asha", make_consent("her mother"))
    return fewshot_home / "fewshot.db"


def changed(path: Path, *words: str) -> None:
    connection = sqlite3.connect(path)
    with connection:
        for word in words:
            connection.execute(word)
    connection.close()


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def made_by_sqlite(path: Path) -> None:
    path.unlink()
    changed(path, "CREATE TABLE x (a)", "DROP TABLE x")


def foreign(path: Path) -> None:
    path.unlink()
    changed(path, "CREATE TABLE bookmarks (url)")


def version(*values: str) -> Callable[[Path], None]:
    def act(path: Path) -> None:
        changed(path, "DELETE FROM alembic_version", *(f"INSERT INTO alembic_version VALUES ({v})" for v in values))

    return act


DAMAGE: dict[str, tuple[Callable[[Path], None], str]] = {
    "empty": (emptied, "is empty"),
    "no tables": (made_by_sqlite, "no tables"),
    "another program's": (foreign, "bookmarks"),
    "version ''": (version("''"), "version of its tables is ''"),
    "version 0000": (version("'0000'"), "'0000'"),
    "version 2": (version("'2'"), "'2'"),
    "version words": (version("'abc'"), "'abc'"),
    "version bytes": (version("x'00ff'"), "damaged"),
    "version null": (lambda path: changed(path, "DELETE FROM alembic_version"), "nothing"),
    "two versions": (version("'0001'", "'0002'"), "'0001' and '0002'"),
    "version digits of another script": (version("'०००२'"), "damaged"),
    "no version table": (lambda path: changed(path, "DROP TABLE alembic_version"), "alembic_version"),
    "a table lost": (lambda path: changed(path, "DROP TABLE consents"), "consents"),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_it_is_refused_in_words_and_not_changed(path: Path, what: str) -> None:
    damage, words = DAMAGE[what]
    damage(path)
    before = path.read_bytes()
    with pytest.raises(StoreError, match="not changed") as caught:
        Database(f"sqlite:///{path}")
    assert str(path) in str(caught.value) and words in str(caught.value) and "backup" in str(caught.value)
    assert path.read_bytes() == before
    for command in (["roster"], ["lessons"], ["roster", "physics", "--remove", "asha"]):
        engine._opened.clear()  # every command is a new program
        result = CliRunner().invoke(app, command)
        assert result.exit_code == 1 and str(path) in result.output and "Traceback" not in result.output
    assert path.read_bytes() == before


def test_an_empty_file_says_how_to_begin_again_and_so_it_is(path: Path) -> None:
    emptied(path)
    engine._opened.clear()
    with pytest.raises(StoreError, match="delete the file and start again"):
        open_database()
    path.unlink()
    assert ClassStore().names() == []


def test_a_journal_without_its_database_is_no_new_store(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("SELECT 1 FROM classes").fetchall()
    changed(path, "UPDATE classes SET sample = 1")  # stays in the journal while the other connection is open
    journal = path.with_name("fewshot.db-wal").read_bytes()
    connection.close()
    path.unlink()
    path.with_name("fewshot.db-wal").write_bytes(journal)
    with pytest.raises(StoreError, match=r"missing, but its journal fewshot\.db-wal"):
        Database(f"sqlite:///{path}")
    assert not path.exists()


def test_a_database_appears_only_when_it_is_complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "x.db"

    def killed(*_: object) -> None:
        assert not place.exists()
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(database_file, "_give_name", killed)
        with pytest.raises(KeyboardInterrupt):
            Database(f"sqlite:///{place}")
    assert list(tmp_path.iterdir()) == []
    Database(f"sqlite:///{place}")
    assert [file.name for file in tmp_path.iterdir()] == ["x.db"]


def test_a_disk_without_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    Database(f"sqlite:///{tmp_path / 'x.db'}")
    assert [file.name for file in tmp_path.iterdir()] == ["x.db"]


def test_threads_that_create_one_database_at_once(tmp_path: Path) -> None:
    faults: list[BaseException] = []

    def create() -> None:
        try:
            ClassStore(Database(f"sqlite:///{tmp_path / 'x.db'}")).names()
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=create) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == [] and [file.name for file in tmp_path.iterdir()] == ["x.db"]


FULL = """
import resource, signal, sys
from fewshot.commands.terminal import in_words
from fewshot.cli import app
import fewshot.commands.roster, alembic.command
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
app(sys.argv[1:])
"""


def on_full_disk(*words: str) -> subprocess.CompletedProcess[str]:
    """A command while no file can grow."""
    command = [sys.executable, "-c", FULL, *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, timeout=120)


@pytest.mark.skipif(os.name != "posix", reason="needs a limit on the size of files")
@pytest.mark.parametrize("journal", [False, True])
def test_reading_works_on_a_full_disk_and_a_removal_says_what_is_needed(path: Path, journal: bool) -> None:
    if journal:  # as after a kill: the newest rows are only in the journal
        holder = sqlite3.connect(path)
        holder.execute("SELECT 1 FROM classes").fetchall()
        ClassStore().record_consent("physics", "ben", make_consent("her father"))
        parts = {name: path.with_name(name).read_bytes() for name in ("fewshot.db", "fewshot.db-wal")}
        holder.close()
        for name, content in parts.items():
            path.with_name(name).write_bytes(content)
    names = ["asha", "ben"] if journal else ["asha"]
    shown = on_full_disk("roster", "physics")
    assert shown.returncode == 0 and all(name in shown.stdout for name in names), shown.stderr
    assert on_full_disk("lessons").returncode == 0
    assert on_full_disk("roster").returncode == 0
    removed = on_full_disk("roster", "physics", "--remove", "asha")
    assert removed.returncode == 1 and "free space" in removed.stderr and "was removed" not in removed.stdout
    assert "Traceback" not in removed.stderr
    assert sorted(ClassStore().roster("physics").students) == names


def test_a_full_disk_is_named_with_the_space_that_is_needed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from fewshot.database.words import unusable

    said = str(unusable("sqlite:///x.db", "database or disk is full", path))
    assert "Nothing was changed or removed" in said and "MB of free space" in said and "can still be read" in said
    monkeypatch.setattr("shutil.disk_usage", lambda _: (10, 10, 0))
    monkeypatch.setattr("fewshot.database.words.shutil.disk_usage", lambda _: type("Usage", (), {"free": 0}))
    assert "disk of the database" in str(unusable("sqlite:///x.db", "disk I/O error", path))
