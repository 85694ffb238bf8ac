"""A backup brings back what was lost, and never what was removed."""

from __future__ import annotations

import sqlite3
import stat
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from fewshot.access.safety import import_keys
from fewshot.accounts.tokens import Tokens
from fewshot.audit.log import latest
from fewshot.audit.verify import verify
from fewshot.backup import make
from fewshot.classroom.consent import make_consent
from fewshot.classroom.store import ClassStore
from fewshot.cli import app
from fewshot.commands.terminal import in_words
from fewshot.database import engine, open_database, sealed_copy
from fewshot.database.columns import now
from fewshot.database.owner import LOCAL_TEACHER
from fewshot.database.tables import StudentRow, SupportRow
from fewshot.database.upgrade import HEAD
from fewshot.errors import StoreError
from fewshot.research.bench.survival.openable import readable
from fewshot.session.check_in_answers import answers_of, close_check_in
from fewshot.session.lessons import LessonStore
from fewshot.session.settings import Settings
from fewshot.vault import FileKeys, container

VECTOR = np.arange(8, dtype=np.float32) + 0.125
PASSPHRASE = "correct horse battery"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key is derived with less work; `test_backup_container.py` tests it as it is."""

    def cipher(header: container.Header, passphrase: str) -> container.AESGCM:
        key = container.Scrypt(bytes.fromhex(header.salt), 32, 2**4, 8, 1).derive(passphrase.encode())
        return container.AESGCM(key)

    monkeypatch.setattr(container, "_cipher", cipher)


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "passphrase"
    path.write_text(PASSPHRASE + "\n", encoding="utf-8")
    return path


@pytest.fixture
def store(fewshot_home: Path) -> ClassStore:
    store = ClassStore()
    store.create("physics")
    for name in ("Zebulon", "Quirina"):
        store.record_consent("physics", name, make_consent("a parent"))
    lessons = LessonStore()
    lessons.end(lessons.create("physics", title="Zebulon speaks", students=["Zebulon"]))
    close_check_in(lessons, [1], "Zebulon", "asked, fine", "tired")
    with store.database.write() as session:
        session.add(SupportRow(student_id=1, emotion="happy", network="n", vector=VECTOR))
    assert store.database.path == fewshot_home / "fewshot.db"
    return store


def fewshot(*words: object) -> int:
    return in_words(lambda: app([str(word) for word in words], standalone_mode=False))


def backup(file: Path, secret: Path) -> Path:
    assert fewshot("backup", file, "--passphrase-file", secret) == 0
    return file


def restore(file: Path, secret: Path, *more: str) -> int:
    code = fewshot("restore", file, "--passphrase-file", secret, "--yes", *more)
    engine._opened.clear()  # as a new program
    return code


def students() -> set[str]:
    return set(ClassStore().roster("physics").students)


def lose(home: Path) -> None:
    """The database is lost; only the list beside it is left."""
    engine._opened.clear()
    for file in home.glob("fewshot.db*"):
        file.unlink()


def content(home: Path) -> bytes:
    """What can be read in the files of the database by whoever has the keys that are there now."""
    return readable(home.glob("fewshot.db*"), FileKeys(home))


def test_a_lost_database_comes_back(store: ClassStore, tmp_path: Path, secret: Path, fewshot_home: Path) -> None:
    file = backup(tmp_path / "b", secret)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert b"Zebulon" not in file.read_bytes() and b"Zebulon" in content(fewshot_home)
    lose(fewshot_home)
    assert restore(file, secret) == 0
    assert students() == {"Zebulon", "Quirina"}
    assert [lesson.title for lesson in LessonStore().lessons()] == ["Zebulon speaks"]
    assert [(one.answer, one.note) for one in answers_of(LessonStore(), [1])] == [("asked, fine", "tired")]
    assert VECTOR.tobytes() in content(fewshot_home)
    assert stat.S_IMODE((fewshot_home / "fewshot.db").stat().st_mode) == 0o600
    assert not list(fewshot_home.glob("backup-at-work-*"))


@pytest.mark.parametrize("lost", [False, True])
def test_an_erased_student_stays_erased(
    store: ClassStore, tmp_path: Path, secret: Path, fewshot_home: Path, lost: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    file = backup(tmp_path / "b", secret)
    store.remove_student("physics", "Zebulon")
    store.record_consent("physics", "Later", make_consent("a parent"))
    if lost:
        lose(fewshot_home)
    assert restore(file, secret) == 0
    assert "they stay removed: 1 student" in capsys.readouterr().out
    assert students() == {"Quirina"}
    assert b"Zebulon" not in content(fewshot_home)
    assert VECTOR.tobytes() not in content(fewshot_home)
    assert restore(file, secret) == 0, "a second restore knows it too"
    assert students() == {"Quirina"}
    ClassStore().record_consent("physics", "Newcomer", make_consent("a parent"))
    with open_database().read() as session:
        number = next(row.id for row in session.scalars(select(StudentRow)) if row.name == "Newcomer")
    assert number > (2 if lost else 3), "no number is used twice"


@pytest.mark.parametrize("lost", [False, True])
def test_withdrawals_lessons_and_classes(
    store: ClassStore, tmp_path: Path, secret: Path, fewshot_home: Path, lost: bool
) -> None:
    store.create("chemistry")
    file = backup(tmp_path / "b", secret)
    store.withdraw_consent("physics", "Quirina", date.today())
    LessonStore().delete(1)
    store.delete("chemistry")
    if lost:
        lose(fewshot_home)
    assert restore(file, secret) == 0
    assert ClassStore().consents("physics", "Quirina")[-1].withdrawn == date.today()
    assert LessonStore().lessons() == []
    assert ClassStore().names() == ["physics"]


def test_lessons_that_are_too_old_by_now_are_left_out(store: ClassStore, tmp_path: Path, secret: Path) -> None:
    lessons = LessonStore()
    old = lessons.create("physics", title="old", started=now() - timedelta(days=40))
    lessons.end(old)
    file = backup(tmp_path / "b", secret)
    Settings().retention_days = 30  # chosen after the backup
    assert restore(file, secret) == 0
    assert [lesson.title for lesson in LessonStore().lessons()] == ["Zebulon speaks"]


def test_the_database_of_before_is_kept_and_can_be_put_back(
    store: ClassStore, tmp_path: Path, secret: Path, fewshot_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = backup(tmp_path / "b", secret)
    store.record_consent("physics", "Later", make_consent("a parent"))
    assert restore(file, secret) == 0
    assert students() == {"Zebulon", "Quirina"}
    (aside,) = fewshot_home.glob("before-restore-*.db")
    assert str(aside) in capsys.readouterr().out
    assert fewshot("restore", "--list") == 0
    listed = capsys.readouterr().out
    assert f"{aside} (" in listed
    assert f"{file} (" in listed
    assert restore(aside, secret) == 0
    assert students() == {"Zebulon", "Quirina", "Later"}
    ClassStore().remove_student("physics", "Zebulon")
    assert b"Zebulon" not in readable([fewshot_home], FileKeys(fewshot_home))


def test_a_backup_of_another_installation_keeps_its_own_data(
    store: ClassStore,
    tmp_path: Path,
    secret: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = backup(tmp_path / "b", secret)
    home = open_database().path.parent
    FileKeys(home).export(tmp_path / "recovery", PASSPHRASE)
    monkeypatch.setenv("FEWSHOT_HOME", str(tmp_path / "elsewhere"))
    other = ClassStore()
    other.create("art")
    other.record_consent("art", "Nobody", make_consent("a parent"))
    other.remove_student("art", "Nobody", keep_class=True)
    assert restore(file, secret) == 1
    assert "keys that encrypt this backup are not on this computer" in " ".join(capsys.readouterr().err.split())
    assert ClassStore().names() == ["art"]
    import_keys(tmp_path / "recovery", PASSPHRASE)
    assert restore(file, secret) == 0
    assert "comes from another installation" in capsys.readouterr().out
    assert students() == {"Zebulon", "Quirina"}


def test_a_new_computer_is_not_called_another_installation(
    store: ClassStore,
    tmp_path: Path,
    secret: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = backup(tmp_path / "b", secret)
    FileKeys(open_database().path.parent).export(tmp_path / "recovery", PASSPHRASE)
    monkeypatch.setenv("FEWSHOT_HOME", str(tmp_path / "new"))
    import_keys(tmp_path / "recovery", PASSPHRASE)  # makes an empty database
    assert restore(file, secret) == 0
    assert "another installation" not in capsys.readouterr().out
    assert students() == {"Zebulon", "Quirina"}


def test_it_is_refused_while_a_lesson_runs(
    store: ClassStore, tmp_path: Path, secret: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = backup(tmp_path / "b", secret)
    LessonStore().create("physics", title="now")
    backup(tmp_path / "during", secret)
    assert restore(file, secret) == 1
    assert "Lesson 2 runs now" in capsys.readouterr().err


def test_it_is_refused_while_another_program_writes(
    store: ClassStore,
    tmp_path: Path,
    secret: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("fewshot.backup.restore._WAIT", 0.1)
    file = backup(tmp_path / "b", secret)
    store.record_consent("physics", "Later", make_consent("a parent"))
    connection = sqlite3.connect(store.database.path, isolation_level=None)
    connection.execute("SELECT count(*) FROM students").fetchone()
    assert restore(file, secret) == 1
    assert "Close the app" in capsys.readouterr().err
    connection.close()
    assert "Later" in students()


def test_wrong_passphrases_and_files_are_named(
    store: ClassStore, tmp_path: Path, secret: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = backup(tmp_path / "b", secret)
    data = file.read_bytes()
    for code, content, passphrase, said in (
        (2, data, "another passphrase", "passphrase does not open"),
        (1, data[:-1], PASSPHRASE, "is damaged"),
        (1, data[:40], PASSPHRASE, "is damaged"),
        (2, b"photo", PASSPHRASE, "is not a backup"),
        (1, data.replace(f'"{HEAD}"'.encode(), b'"9007"'), PASSPHRASE, "is damaged"),
    ):
        file.write_bytes(content)
        secret.write_text(passphrase, encoding="utf-8")
        assert restore(file, secret) == code
        assert said in capsys.readouterr().err
    secret.write_text("too short", encoding="utf-8")
    assert fewshot("backup", tmp_path / "c", "--passphrase-file", secret) == 2
    assert "at least 12" in capsys.readouterr().err
    secret.write_text(PASSPHRASE, encoding="utf-8")
    (tmp_path / "photo.jpg").write_bytes(b"x")
    assert fewshot("backup", tmp_path / "photo.jpg", "--passphrase-file", secret) == 2
    assert (tmp_path / "photo.jpg").read_bytes() == b"x"
    assert students() == {"Zebulon", "Quirina"}


def test_a_backup_of_a_newer_program_is_refused(
    store: ClassStore, tmp_path: Path, secret: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sealed_copy, "migration_of", lambda path: "9000")
    file = backup(tmp_path / "b", secret)
    assert restore(file, secret) == 1
    assert "newer fewshot" in capsys.readouterr().err


def test_a_backup_that_does_not_pass_its_check_is_not_kept(
    store: ClassStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = make.unseal

    def loses_a_row(path: Path, passphrase: str, out: Path) -> object:
        header = real(path, passphrase, out)
        with sqlite3.connect(out) as connection:
            connection.execute("DELETE FROM supports")
        connection.close()
        return header

    monkeypatch.setattr(make, "unseal", loses_a_row)
    with pytest.raises(StoreError, match="did not pass its check"):
        make.make_backup(tmp_path / "b", PASSPHRASE)
    assert not list(tmp_path.glob("*b*.new"))
    assert not (tmp_path / "b").exists()


def test_a_damaged_database_is_replaced_and_kept(
    store: ClassStore, tmp_path: Path, secret: Path, fewshot_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = backup(tmp_path / "b", secret)
    lose(fewshot_home)
    (fewshot_home / "fewshot.db").write_bytes(b"no database" * 99)
    assert restore(file, secret) == 0
    assert "cannot be opened" in capsys.readouterr().out
    assert students() == {"Zebulon", "Quirina"}
    (aside,) = fewshot_home.glob("before-restore-*.db")
    assert aside.read_bytes() == b"no database" * 99


def test_nothing_is_replaced_without_an_answer(
    store: ClassStore, tmp_path: Path, secret: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = backup(tmp_path / "b", secret)
    store.record_consent("physics", "Later", make_consent("a parent"))
    assert fewshot("restore", file, "--passphrase-file", secret) == 2
    assert "--yes" in capsys.readouterr().err
    assert "Later" in students()


@pytest.mark.parametrize("lost", [False, True])
def test_the_audit_log_goes_on_after_a_restore(
    store: ClassStore, tmp_path: Path, secret: Path, fewshot_home: Path, lost: bool
) -> None:
    """Who removes a student and restores a backup from before must not have removed the line about it."""
    file = backup(tmp_path / "b", secret)
    store.remove_student("physics", "Zebulon")
    store.record_consent("physics", "Quirina", make_consent("another parent"))
    before = latest(store.database, 100, LOCAL_TEACHER)
    if lost:
        lose(fewshot_home)
    assert restore(file, secret) == 0
    after = latest(open_database(), 100, LOCAL_TEACHER)
    assert not verify(open_database()).findings
    events = [line.event for line in after]
    assert "restored" in events
    assert ("erased" in events[: events.index("restored")]) == (not lost)
    if not lost:
        assert after[: len(before)] == before
        ClassStore().record_consent("physics", "Quirina", make_consent("a third parent"))
        third = latest(open_database(), 1, LOCAL_TEACHER)[0]
        assert third.subject == before[-1].subject, "a student keeps the random id"
    assert restore(file, secret) == 0, "and once more"
    assert not verify(open_database()).findings


def test_a_token_that_was_removed_after_the_backup_opens_nothing(
    store: ClassStore, tmp_path: Path, secret: Path
) -> None:
    text, token = Tokens().add(LOCAL_TEACHER, "laptop", ["read"])
    file = backup(tmp_path / "all.backup", secret)
    Tokens().remove(token.id)
    assert restore(file, secret) == 0
    assert Tokens().find(text) is None and Tokens().all() == []
