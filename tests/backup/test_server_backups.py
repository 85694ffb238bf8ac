"""A database on a PostgreSQL server is backed up into the same kind of file as any other, and restored from it."""

from __future__ import annotations

import sqlite3
import stat
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import create_engine, make_url, select, text

from fewshot.accounts.tokens import Tokens
from fewshot.audit.log import latest
from fewshot.audit.verify import verify
from fewshot.backup import make, on_server
from fewshot.backup.manage import manage, managed_places
from fewshot.classroom.consent import make_consent
from fewshot.classroom.store import ClassStore
from fewshot.cli import app
from fewshot.commands import doctor
from fewshot.commands.terminal import in_words
from fewshot.database import Database, engine, open_database, server, server_copy, upgrade
from fewshot.database.columns import now
from fewshot.database.numbers_given import highest_numbers
from fewshot.database.owner import LOCAL_TEACHER
from fewshot.database.place import SERVER
from fewshot.database.tables import Base, SettingRow, StudentRow
from fewshot.database.upgrade import HEAD, MIGRATIONS
from fewshot.errors import StoreError, UsageError
from fewshot.research.bench.survival.openable import readable
from fewshot.research.bench.survival.postgres import Server
from fewshot.session.lessons import LessonStore
from fewshot.session.recorder import LessonRecorder
from fewshot.session.settings import Settings
from fewshot.vault import FileKeys, container
from tests.vault.sealed_class import NAMES, fill, marks_of, write

PASSPHRASE = "correct horse battery"
SEALED_ANEW = ("students.name", "students.row_check")
ALWAYS_OTHER = {"logins", "tokens", "audit", "audit_head"}
"""Tables that a restore changes."""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key is derived with less work; `test_backup_container.py` tests it as it is."""

    real = container._cipher

    def cipher(header: container.Header, passphrase: str | bytes) -> Any:
        if isinstance(passphrase, bytes):
            return real(header, passphrase)
        key = container.Scrypt(bytes.fromhex(header.salt), 32, 2**4, 8, 1).derive(passphrase.encode())
        return AESGCM(key)

    monkeypatch.setattr(container, "_cipher", cipher)
    monkeypatch.setattr(on_server, "LEAVING", 0.3)


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "passphrase"
    path.write_text(PASSPHRASE + "\n", encoding="utf-8")
    return path


@pytest.fixture
def url(postgres: Server, monkeypatch: pytest.MonkeyPatch, fewshot_home: Path) -> str:
    """The default database is a new one on a server."""
    return use(postgres.fresh(), monkeypatch)


@pytest.fixture
def school(url: str) -> ClassStore:
    """A class whose students left something in every place."""
    recorder = fill(open_database())
    recorder.close()
    return ClassStore()


def use(url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    engine._opened.clear()
    monkeypatch.setenv("FEWSHOT_DATABASE", url)
    return url


def fewshot(*words: object) -> int:
    return in_words(lambda: app([str(word) for word in words], standalone_mode=False))


def backup(file: Path, secret: Path) -> Path:
    assert fewshot("backup", file, "--passphrase-file", secret) == 0
    return file


def restore(file: Path, secret: Path) -> int:
    code = fewshot("restore", file, "--passphrase-file", secret, "--yes")
    for database in engine._opened.values():
        database.close()
    engine._opened.clear()  # as a new program
    return code


def everything(database: Database) -> dict[str, list[Any]]:
    """All rows as they are stored, but the names of students, which a restore seals anew: these as they are read."""
    with database.read() as session:
        found = {
            name: sorted(map(repr, session.execute(select(*(c for c in table.c if str(c) not in SEALED_ANEW))).all()))
            for name, table in Base.metadata.tables.items()
            if name not in ALWAYS_OTHER
        }
        return found | {"names": sorted(row.name for row in session.scalars(select(StudentRow)))}


def students() -> set[str]:
    return set(ClassStore().roster("physics").students)


def test_everything_comes_back_as_it_was(
    school: ClassStore, tmp_path: Path, secret: Path, fewshot_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Settings().retention_days = None
    before = everything(open_database())
    file = backup(tmp_path / "b", secret)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not [mark for name in NAMES for mark in marks_of(name) if mark in file.read_bytes()]
    school.record_consent("physics", "Later", make_consent("a parent"))
    assert restore(file, secret) == 0
    assert everything(open_database()) == before
    said = capsys.readouterr().out
    assert "postgresql+psycopg://" in said and "The backup was restored" in said
    (aside,) = fewshot_home.glob(f"before-restore-*-{SERVER}.db")
    assert stat.S_IMODE(aside.stat().st_mode) == 0o600
    assert restore(aside, secret) == 0, "and what was there before can be put back"
    assert students() == {*NAMES, "Later"}
    assert not list(fewshot_home.glob("backup-at-work-*"))


def test_a_lost_database_comes_back_without_what_was_erased(
    school: ClassStore,
    tmp_path: Path,
    secret: Path,
    postgres: Server,
    monkeypatch: pytest.MonkeyPatch,
    fewshot_home: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The list of erasures lies beside the keys, so it outlives the server."""
    file = backup(tmp_path / "b", secret)
    school.remove_student("physics", NAMES[0])
    school.withdraw_consent("physics", NAMES[1], date.today())
    use(postgres.fresh(), monkeypatch)
    assert restore(file, secret) == 0
    said = capsys.readouterr().out
    assert "they stay removed: 1 student" in said and "another installation" not in said
    assert students() == set(NAMES[1:])
    assert ClassStore().consents("physics", NAMES[1])[-1].withdrawn == date.today()
    found = readable([fewshot_home, file], FileKeys(fewshot_home))
    assert not [mark for mark in marks_of(NAMES[0]) if mark in found]
    ClassStore().record_consent("physics", "Newcomer", make_consent("a parent"))
    with open_database().read() as session:
        number = next(row.id for row in session.scalars(select(StudentRow)) if row.name == "Newcomer")
    assert number == len(NAMES) + 1, "no number is used twice"


def test_what_was_removed_since_stays_removed(
    school: ClassStore, tmp_path: Path, secret: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    school.create("chemistry")
    lessons = LessonStore()
    lessons.end(lessons.create("physics", title="old", started=now() - timedelta(days=40)))
    text_of_token, token = Tokens().add(LOCAL_TEACHER, "laptop", ["read"])
    file = backup(tmp_path / "b", secret)
    school.remove_student("physics", NAMES[0])
    school.withdraw_consent("physics", NAMES[1], date.today())
    school.delete("chemistry")
    Tokens().remove(token.id)
    Settings().retention_days = 30
    before = latest(open_database(), 100, LOCAL_TEACHER)
    for _ in range(2):
        assert restore(file, secret) == 0
        assert students() == set(NAMES[1:])
        assert ClassStore().names() == ["physics"]
        assert ClassStore().consents("physics", NAMES[1])[-1].withdrawn == date.today()
        assert "old" not in [lesson.title for lesson in LessonStore().lessons()]
        assert Tokens().find(text_of_token) is None
        assert not verify(open_database()).findings
    assert before[0] in latest(open_database(), 100, LOCAL_TEACHER), "the log goes on"


def test_a_backup_of_a_file_becomes_a_database_on_a_server_and_back(
    tmp_path: Path, secret: Path, postgres: Server, monkeypatch: pytest.MonkeyPatch, fewshot_home: Path
) -> None:
    """So a school moves from one to the other."""
    fill(open_database()).close()
    before = everything(open_database())
    file = backup(tmp_path / "b", secret)
    use(postgres.fresh(), monkeypatch)
    assert restore(file, secret) == 0
    assert everything(open_database()) == before
    recorder = LessonRecorder.start("physics", NAMES, title="on the server")
    write(recorder, NAMES, 0, 3)
    recorder.close()
    ClassStore().remove_student("physics", NAMES[2])
    before = everything(open_database())
    again = backup(tmp_path / "again", secret)
    engine._opened.clear()
    monkeypatch.delenv("FEWSHOT_DATABASE")
    assert restore(again, secret) == 0
    assert everything(open_database()) == before
    assert students() == set(NAMES[:2])
    with open_database().read() as session:
        assert highest_numbers(session)["students"] == 3


def test_numbers_go_on_where_they_were(school: ClassStore, tmp_path: Path, secret: Path) -> None:
    file = backup(tmp_path / "b", secret)
    for name in ("Anna", "Berta"):
        school.record_consent("physics", name, make_consent("a parent"))
        school.remove_student("physics", name)
    assert restore(file, secret) == 0
    ClassStore().record_consent("physics", "Clara", make_consent("a parent"))
    with open_database().read() as session:
        assert max(session.scalars(select(StudentRow.id))) == len(NAMES) + 3


def test_it_is_refused_while_a_lesson_runs_or_others_are_connected(
    school: ClassStore, url: str, tmp_path: Path, secret: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = backup(tmp_path / "b", secret)
    held = open_database()
    running = LessonRecorder.start("physics", NAMES, title="now")
    backup(tmp_path / "during", secret)
    before = everything(open_database())
    assert restore(file, secret) == 1
    assert "runs now" in capsys.readouterr().err
    running.close()
    held.close()
    other = create_engine(make_url(url).update_query_dict({"application_name": "another program"}))
    with other.connect() as connection:
        connection.execute(text("SELECT 1"))
        assert restore(file, secret) == 1
        assert "1 of another program" in " ".join(capsys.readouterr().err.split())
    other.dispose()
    assert everything(open_database()).keys() == before.keys()
    assert "now" in [lesson.title for lesson in LessonStore().lessons()]
    assert restore(file, secret) == 0


@pytest.mark.parametrize("table", ["students", "readings", "settings"])
def test_a_restore_that_fails_changes_nothing(
    school: ClassStore,
    tmp_path: Path,
    secret: Path,
    fewshot_home: Path,
    monkeypatch: pytest.MonkeyPatch,
    table: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = backup(tmp_path / "b", secret)
    school.record_consent("physics", "Later", make_consent("a parent"))
    before = everything(open_database())
    real = server_copy._copy_rows

    def full(source: Any, target: Any, read: Any, one: Any) -> int:
        if target.dialect.name == "postgresql" and one.name == table:
            raise sqlite3.OperationalError("disk I/O error")
        return real(source, target, read, one)

    monkeypatch.setattr(server_copy, "_copy_rows", full)
    assert restore(file, secret) == 1
    assert "not changed" in " ".join(capsys.readouterr().err.split())
    assert everything(open_database()) == before
    assert not list(fewshot_home.glob("before-restore-*"))
    monkeypatch.undo()


def test_something_removed_in_the_meantime_stops_it(school: ClassStore, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="in the meantime"):
        on_server.put_in_place(tmp_path / "never read", tmp_path / "aside", (5, 5))
    with pytest.raises(StoreError, match="in the meantime"):
        on_server.put_in_place(tmp_path / "never read", tmp_path / "aside", None)
    assert students() == set(NAMES)


def test_managed_backups_follow_every_erasure(school: ClassStore, tmp_path: Path, fewshot_home: Path) -> None:
    with pytest.raises(UsageError, match="recovery file"):
        manage(open_database(), tmp_path)
    FileKeys(fewshot_home).export(tmp_path / "recovery", PASSPHRASE)
    (tmp_path / "disk").mkdir()
    place = manage(open_database(), tmp_path / "disk")
    first = place.file.read_bytes()
    school.remove_student("physics", NAMES[0])
    (shown,) = managed_places(open_database())
    assert shown.current and not shown.place.why
    assert place.file.read_bytes() != first
    found = {finding.what: finding for finding in doctor.findings()}["Backups"]
    assert (found.state, found.text[:16]) == ("ok", "1 managed backup")


def test_a_managed_backup_is_restored_into_a_new_database(
    school: ClassStore,
    tmp_path: Path,
    secret: Path,
    postgres: Server,
    monkeypatch: pytest.MonkeyPatch,
    fewshot_home: Path,
) -> None:
    FileKeys(fewshot_home).export(tmp_path / "recovery", PASSPHRASE)
    (tmp_path / "disk").mkdir()
    file = manage(open_database(), tmp_path / "disk").file
    school.remove_student("physics", NAMES[0])
    use(postgres.fresh(), monkeypatch)
    assert restore(file, secret) == 0
    assert students() == set(NAMES[1:])


@pytest.mark.parametrize("version", ["0003", "0007", "0009"])
def test_a_copy_is_kept_before_its_tables_are_changed(
    url: str, version: str, fewshot_home: Path, secret: Path, postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tables of an earlier version, with rows, in a database on a server."""
    old = create_engine(url)
    with old.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, version)
        connection.execute(text("INSERT INTO settings (key, value) VALUES ('smoothing', '0.25'), ('empty', 'null')"))
        connection.execute(
            text("INSERT INTO owners (id, name, folded, role, created) VALUES ('a1', 'Anna', 'anna', 'teacher', now())")
        )
    old.dispose()
    failing = monkeypatch.context()
    with failing as patch:
        patch.setattr(upgrade, "_check_references", fails)
        with pytest.raises(StoreError, match="put back as it was before"):
            open_database()
    (copy,) = fewshot_home.glob(f"before-{version}-to-{HEAD}-*-{SERVER}.db")
    copy.unlink()
    assert open_database().server is not None
    (copy,) = fewshot_home.glob(f"before-{version}-to-{HEAD}-*-{SERVER}.db")
    with sqlite3.connect(copy) as file:
        assert file.execute("SELECT version_num FROM alembic_version").fetchall() == [(version,)]
        assert dict(file.execute("SELECT key, value FROM settings")) == {"smoothing": 0.25, "empty": "null"}
        assert ("Anna",) in file.execute("SELECT name FROM owners").fetchall()
    file.close()
    use(postgres.fresh(), monkeypatch)
    assert restore(copy, secret) == 0
    with open_database().read() as session:
        assert session.execute(text("SELECT name FROM owners WHERE id = 'a1'")).scalar() == "Anna"
        assert session.get_one(SettingRow, "smoothing").value == 0.25
        assert session.get_one(SettingRow, "empty").value is None


def fails(*_: object) -> None:
    raise RuntimeError("a migration that fails")


def test_backups_are_listed_and_damage_of_the_server_is_named(
    school: ClassStore, tmp_path: Path, secret: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = backup(tmp_path / "b", secret)
    capsys.readouterr()
    assert fewshot("restore", "--list") == 0
    assert f"{file} (" in capsys.readouterr().out
    with open_database().write() as session:
        session.execute(text("ALTER TABLE photos DROP COLUMN size"))
    with pytest.raises(StoreError, match="photos lacks size"):
        make.make_backup(tmp_path / "c", PASSPHRASE)
    assert not (tmp_path / "c").exists()
    assert server.PATIENCE
