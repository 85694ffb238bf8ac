"""``fewshot key``: what it shows, the recovery file, and what happens when a key is missing, wrong or damaged."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import sqlite3
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from sealed_class import fill, in_place, write
from typer.testing import CliRunner

from fewshot.classroom.class_rows import Networks
from fewshot.classroom.consent import Consent
from fewshot.classroom.enrollment import Accepted
from fewshot.classroom.store import ClassStore
from fewshot.cli import app
from fewshot.database import Database, open_database
from fewshot.session.recorder import LessonRecorder
from fewshot.vault import FileKeys, KeysUnusable

NAMES = ["Zebulon", "आशा कुमारी"]
WORD = "five words that differ much"


@pytest.fixture(autouse=True)
def passphrase(tmp_path: Path) -> Path:
    file = tmp_path / "passphrase"
    file.write_text(WORD + "\n", encoding="utf-8")
    return file


@pytest.fixture
def store() -> ClassStore:
    store = ClassStore()
    day = date(2026, 11, 20)
    photos = [
        Accepted(name, "happy", f"{name} {number}", "0f", vector(name), vector(name), 90.0, 0.9, day)
        for name in NAMES
        for number in range(2)
    ]
    store.keep("physics", photos, {name: Consent("the mother", day) for name in NAMES}, Networks("n", "i", 8, 8))
    return store


def vector(name: str) -> np.ndarray:
    return np.random.default_rng([*name.encode()]).normal(size=8).astype(np.float32)


def run(*words: object) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output


def fails(match: str, *words: object) -> None:
    result = CliRunner().invoke(app, [str(word) for word in words])
    said = " ".join(f"{result.output} {result.stderr if result.stderr_bytes else ''}".split())
    assert result.exit_code != 0 and re.search(match, said), said
    assert "fault of fewshot" not in said


def export(file: Path, passphrase: Path) -> str:
    return run("key", "export", file, "--passphrase-file", passphrase)


def test_a_new_store_has_no_keys_and_says_so(fewshot_home: Path, tmp_path: Path, passphrase: Path) -> None:
    assert "no keys yet" in run("key", "show")
    assert not (fewshot_home / "keys.json").exists()
    fails("Enroll a class first", "key", "export", tmp_path / "recovery", "--passphrase-file", passphrase)
    assert "0 rows can be opened" in run("key", "check")


def test_the_key_lies_outside_of_the_folder_with_the_data(store: ClassStore, fewshot_home: Path) -> None:
    epoch = FileKeys(fewshot_home).epoch_file()
    assert epoch is not None and fewshot_home not in epoch.parents
    assert {path.stat().st_mode & 0o777 for path in (epoch, fewshot_home / "keys.json")} == {0o600}
    said = " ".join(run("key", "show").split())
    assert "no recovery file" in said and "fewshot key export" in said
    assert "can be opened" in run("key", "check")


def test_a_changed_reading_or_count_is_found(fewshot_home: Path) -> None:
    database = in_place(fewshot_home)
    names = [f"student {number}" for number in range(6)]  # counts of fewer people are not kept
    fill(database, names).close()
    counts = LessonRecorder.start("physics", names, database=database, aggregate=True)
    write(counts, names, 0, 3)
    counts.close()
    database.close()
    assert "cannot be opened" not in run("key", "check")
    with contextlib.closing(sqlite3.connect(fewshot_home / "fewshot.db")) as connection:
        for table, column in (("readings", "sealed"), ("lesson_seconds", "counts")):
            (row, stored) = connection.execute(
                f"SELECT rowid, {column} FROM {table} WHERE {column} IS NOT NULL LIMIT 1"
            ).fetchone()
            changed = stored[:-1] + bytes([stored[-1] ^ 1])
            connection.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (changed, row))
        connection.commit()
    fails("2 rows cannot be opened", "key", "check")


def test_a_recovery_file_opens_the_store_of_a_lost_key(
    store: ClassStore, fewshot_home: Path, tmp_path: Path, passphrase: Path
) -> None:
    file = tmp_path / "recovery"
    assert "also on another computer" in " ".join(export(file, passphrase).split())
    assert file.stat().st_mode & 0o777 == 0o600
    for name in NAMES:
        assert name.encode() not in file.read_bytes()
    shutil.rmtree(fewshot_home.with_name(f"{fewshot_home.name}-keys"))
    with pytest.raises(KeysUnusable, match="not on this computer"):
        ClassStore(Database(f"sqlite:///{fewshot_home / 'fewshot.db'}")).roster("physics")  # as another process does
    assert "are here now" in run("key", "import", file, "--passphrase-file", passphrase)
    assert list(ClassStore().roster("physics").students) == NAMES
    assert "cannot be opened" not in run("key", "check")


def test_a_student_who_joins_later_is_in_the_recovery_file_too(
    store: ClassStore, fewshot_home: Path, tmp_path: Path, passphrase: Path
) -> None:
    file = tmp_path / "recovery"
    export(file, passphrase)
    store.record_consent("physics", "Later", Consent("herself", date(2026, 11, 21)))
    (fewshot_home / "keys.json").unlink()
    run("key", "import", file, "--passphrase-file", passphrase)
    assert list(ClassStore().roster("physics").students) == [*NAMES, "Later"]


def test_an_old_recovery_file_does_not_bring_back_who_was_erased(
    store: ClassStore, fewshot_home: Path, tmp_path: Path, passphrase: Path
) -> None:
    file, old = tmp_path / "recovery", tmp_path / "old"
    export(file, passphrase)
    shutil.copy(file, old)
    before = set(store.database.vault.names())
    store.remove_student("physics", NAMES[0])
    dropped = before - set(store.database.vault.names())
    assert dropped
    run("key", "import", old, "--passphrase-file", passphrase)
    assert not dropped & set(FileKeys(fewshot_home).names())
    # also when keys.json itself is damaged, and only the database knows what was dropped
    (fewshot_home / "keys.json").write_text("{", encoding="utf-8")
    run("key", "import", old, "--passphrase-file", passphrase)
    assert not dropped & set(FileKeys(fewshot_home).names())


def test_a_wrong_passphrase_and_other_files_change_nothing(
    store: ClassStore, fewshot_home: Path, tmp_path: Path, passphrase: Path
) -> None:
    file, other = tmp_path / "recovery", tmp_path / "other word"
    export(file, passphrase)
    other.write_text("not the passphrase at all", encoding="utf-8")
    before = (fewshot_home / "keys.json").read_bytes()
    fails("passphrase does not open", "key", "import", file, "--passphrase-file", other)
    for wrong in (passphrase, tmp_path / "nothing", tmp_path):
        fails("", "key", "import", wrong, "--passphrase-file", passphrase)
    damaged = json.loads(file.read_text(encoding="utf-8"))
    damaged["dropped"] = ["0" * 16]
    (tmp_path / "damaged").write_text(json.dumps(damaged), encoding="utf-8")
    fails("damaged", "key", "import", tmp_path / "damaged", "--passphrase-file", passphrase)
    fails("not its passphrase", "key", "export", tmp_path / "second", "--passphrase-file", other)
    assert (fewshot_home / "keys.json").read_bytes() == before


@pytest.mark.parametrize("place", ["no/such/folder/file", "."])
def test_a_recovery_file_that_cannot_be_written_is_not_promised(
    store: ClassStore, fewshot_home: Path, tmp_path: Path, passphrase: Path, place: str
) -> None:
    fails("cannot be written", "key", "export", tmp_path / place, "--passphrase-file", passphrase)
    assert "recovery" not in FileKeys(fewshot_home).record


def test_a_disk_that_is_away_is_named_and_brought_up_to_date_later(
    store: ClassStore, fewshot_home: Path, tmp_path: Path, passphrase: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    export(stick / "recovery", passphrase)
    stick.rename(tmp_path / "away")
    store.record_consent("physics", "Later", Consent("herself", date(2026, 11, 21)))
    assert "could not be brought up to date" in caplog.text
    (tmp_path / "away").rename(stick)
    keys = FileKeys(fewshot_home)
    keys.key(next(iter(keys.names())))  # the next start opens a key
    assert json.loads((stick / "recovery").read_text(encoding="utf-8"))["generation"] == keys.record["generation"]


def test_a_new_key_makes_old_copies_useless(store: ClassStore, fewshot_home: Path) -> None:
    old = (fewshot_home / "keys.json").read_bytes()
    assert "cannot be opened any more" in " ".join(run("key", "rotate").split())
    assert list(store.roster("physics").students) == NAMES
    (fewshot_home / "keys.json").write_bytes(old)
    with pytest.raises(KeysUnusable, match="not on this computer"):
        FileKeys(fewshot_home).key("0" * 16)


def test_a_secret_is_needed_from_the_moment_it_is_chosen(
    store: ClassStore, fewshot_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FEWSHOT_KEY_NEW", "chosen")
    run("key", "rotate")
    name = next(iter(FileKeys(fewshot_home).names()))
    for given, words in ((None, "this variable is not set"), ("other", "does not open"), ("", "not set")):
        if given is None:
            monkeypatch.delenv("FEWSHOT_KEY", raising=False)
        else:
            monkeypatch.setenv("FEWSHOT_KEY", given)
        with pytest.raises(KeysUnusable, match=words):
            FileKeys(fewshot_home).key(name)
        with pytest.raises(KeysUnusable):
            FileKeys(fewshot_home).make(1)
    monkeypatch.setenv("FEWSHOT_KEY", "chosen")
    assert list(ClassStore().roster("physics").students) == NAMES


def test_no_new_keys_are_made_where_those_of_the_database_are_missing(store: ClassStore, fewshot_home: Path) -> None:
    (fewshot_home / "keys.json").unlink()
    store.database.close()
    other = ClassStore(open_database(f"sqlite:////{fewshot_home / 'fewshot.db'}"))
    with pytest.raises(KeysUnusable):
        other.create("chemistry")
    assert not (fewshot_home / "keys.json").exists()


def test_keys_of_another_installation_are_not_exported_as_those_of_this_one(
    store: ClassStore, fewshot_home: Path, tmp_path: Path, passphrase: Path
) -> None:
    fill(in_place(tmp_path / "other")).close()
    (fewshot_home / "keys.json").write_bytes((tmp_path / "other" / "keys.json").read_bytes())
    recovery, before = tmp_path / "recovery", (fewshot_home / "keys.json").read_bytes()
    for words in (("export", recovery, "--passphrase-file", passphrase), ("rotate",), ("show",)):
        fails("keys that encrypt this database are not beside it", "key", *words)
    assert not recovery.exists() and (fewshot_home / "keys.json").read_bytes() == before


def test_another_path_to_the_same_folder_is_no_copy(store: ClassStore, fewshot_home: Path, tmp_path: Path) -> None:
    link = tmp_path / "by another way"
    link.symlink_to(fewshot_home)
    before = FileKeys(fewshot_home).record["copy"]
    for folder in (link, fewshot_home, link):
        FileKeys(folder).make(1)
        assert FileKeys(folder).record["copy"] == before
    epochs = list(fewshot_home.with_name(f"{fewshot_home.name}-keys").iterdir())
    assert len(epochs) == 1
    FileKeys(link).rotate()
    assert len(list(fewshot_home.with_name(f"{fewshot_home.name}-keys").iterdir())) == 1


def test_keys_that_cannot_be_dropped_now_are_dropped_later(
    store: ClassStore, fewshot_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fewshot.database import ErasurePending
    from fewshot.vault import key_file

    before = set(FileKeys(fewshot_home).names())

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with store.database.read() as session:
        from sqlalchemy import text

        key = session.scalar(text("SELECT key FROM students ORDER BY id LIMIT 1"))
    real = key_file.write_through

    def once_full(path: Path, data: bytes) -> None:
        if path.suffix == ".key":  # the new epoch key; the new keys of the class are written before
            full()
        real(path, data)

    monkeypatch.setattr(key_file, "write_through", once_full)
    with pytest.raises(ErasurePending, match="could not be dropped yet"):
        store.remove_student("physics", NAMES[0])
    assert list(ClassStore().roster("physics").students) == NAMES[1:]
    monkeypatch.setattr(key_file, "write_through", real)
    assert key in before & set(FileKeys(fewshot_home).names())
    Database(f"sqlite:///{fewshot_home / 'fewshot.db'}")
    assert key not in FileKeys(fewshot_home).names()
    assert list(ClassStore().roster("physics").students) == NAMES[1:]


def test_no_new_secret_while_a_lesson_runs(store: ClassStore, monkeypatch: pytest.MonkeyPatch) -> None:
    from fewshot.session.lessons import LessonStore

    number = LessonStore().create("physics")
    monkeypatch.setenv("FEWSHOT_KEY_NEW", "chosen")
    fails("A lesson runs now", "key", "rotate")
    LessonStore().end(number)
    assert "was replaced" in run("key", "rotate")


def test_a_connection_outlives_an_erasure_and_a_restore_of_before(
    store: ClassStore, tmp_path: Path, passphrase: Path
) -> None:
    from fewshot.session.settings import Settings

    Settings().set("ice", {"servers": "turn:turn.example.org", "username": "u"})
    assert b"turn.example.org" not in Path(store.database.path or "").read_bytes()
    run("backup", tmp_path / "b", "--passphrase-file", passphrase)
    store.remove_student("physics", NAMES[0])
    assert Settings().get("ice")["servers"] == "turn:turn.example.org"
    run("restore", tmp_path / "b", "--passphrase-file", passphrase, "--yes")
    assert Settings().get("ice")["servers"] == "turn:turn.example.org"
