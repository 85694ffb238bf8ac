"""A managed backup is written anew at every erasure, before the keys drop, and opens with the recovery file."""

from __future__ import annotations

import json
import logging
import shutil
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from managed_school import VECTOR, WORD, as_new_program, cheap_passphrase, enrolled, managed, rescued

from fewshot.access.forget import check_receipt, forget
from fewshot.access.safety import Safety
from fewshot.accounts.accounts import Accounts
from fewshot.app import daily
from fewshot.classroom.consent import make_consent
from fewshot.classroom.store import ClassStore
from fewshot.cli import app
from fewshot.commands.terminal import in_words
from fewshot.database import managed as at_work
from fewshot.database import open_database
from fewshot.database.columns import now
from fewshot.database.managed_list import list_of, read_list
from fewshot.errors import StoreError, UsageError
from fewshot.session.lessons import LessonStore, apply_retention_of_all
from fewshot.session.settings import Settings
from fewshot.vault import FileKeys


@pytest.fixture(autouse=True)
def quick() -> Iterator[None]:
    with cheap_passphrase():
        yield


def fewshot(*words: object) -> int:
    return in_words(lambda: app([str(word) for word in words], standalone_mode=False))


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Every backup that is brought to its place from now on."""
    found: list[Path] = []
    real = at_work.deliver

    def noted(sealed: Path, place: at_work.Place, header: at_work.Header) -> None:
        real(sealed, place, header)
        found.append(place.file)

    monkeypatch.setattr(at_work, "deliver", noted)
    return found


def test_it_brings_everything_back_on_another_computer(tmp_path: Path) -> None:
    _, key_file, backup = managed(tmp_path)
    assert backup.stat().st_mode & 0o777 == 0o600
    assert not any(mark in backup.read_bytes() for mark in (b"Zebulon", b"physics", VECTOR.tobytes()))
    names, titles = rescued(tmp_path / "new", key_file, backup)
    assert sorted(names) == ["Quirina", "Zebulon"] and titles == ["Zebulon speaks"]


def test_it_needs_a_recovery_file_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    enrolled()
    assert fewshot("backup", "--manage", tmp_path) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "needs a recovery file" in said and "fewshot key export" in said
    assert list(tmp_path.glob("*.backup")) == [] and not list_of(open_database().path).exists()


def test_who_is_erased_opens_in_no_managed_backup_any_more(tmp_path: Path, fewshot_home: Path) -> None:
    store, key_file, backup = managed(tmp_path)
    older, older_key = tmp_path / "older.backup", tmp_path / "older.json"
    shutil.copy(backup, older)
    shutil.copy(key_file, older_key)
    forget(store, "physics", "Zebulon")
    assert backup.read_bytes() != older.read_bytes()
    names, titles = rescued(tmp_path / "new", key_file, backup)
    assert names == ["Quirina"] and titles == ["[removed] speaks"], "everybody else, with all texts"
    names, titles = rescued(tmp_path / "old", key_file, older)
    assert names in ([], ["Quirina"]) and not any("Zebulon" in title for title in titles)
    names, titles = rescued(tmp_path / "both old", older_key, older)
    assert "Zebulon" in names and titles == ["Zebulon speaks"], "the positive control"


def test_the_new_backup_is_in_its_place_before_a_key_is_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, _, backup = managed(tmp_path)
    before, seen = backup.read_bytes(), []
    real = FileKeys.drop

    def drop(keys: FileKeys, names: set[str]) -> int:
        seen.append(backup.read_bytes() != before)
        return real(keys, names)

    monkeypatch.setattr(FileKeys, "drop", drop)
    store.remove_student("physics", "Zebulon")
    assert seen and all(seen)


def test_whatever_drops_keys_or_withdraws_writes_once(tmp_path: Path, written: list[Path]) -> None:
    store, _, backup = managed(tmp_path)
    lessons = LessonStore()
    store.create("art")
    for act in (
        lambda: store.withdraw_consent("physics", "Quirina"),
        lambda: lessons.delete(1),
        lambda: store.rename("art", "arts"),
        lambda: store.delete("arts"),
        lambda: store.remove_student("physics", "Zebulon"),
    ):
        written.clear()
        act()
        assert written == [backup]
    written.clear()
    store.record_consent("physics", "Later", make_consent("a parent"))
    as_new_program()
    open_database()
    assert written == [], "nothing was erased since"


def test_retention_of_all_teachers_writes_once(tmp_path: Path, written: list[Path]) -> None:
    store, _, backup = managed(tmp_path)
    teachers = [Accounts().add(name, password=WORD) for name in ("Anna", "Bert")]
    for teacher in teachers:
        lessons = LessonStore(store.database, teacher)
        for days in (50, 60):
            lessons.end(lessons.create(title="old", started=now() - timedelta(days=days)))
    for teacher in teachers:
        settings = Settings(store.database, teacher)
        settings.retention_days = 30
        settings.set("retention_used", True)
    before = set(store.database.vault.names())
    written.clear()
    apply_retention_of_all(store.database)
    assert written == [backup] and [lesson.title for lesson in LessonStore().lessons()] == ["Zebulon speaks"]
    assert len(before - set(store.database.vault.names())) >= 4, "the keys are dropped too"


def test_once_a_day_and_not_by_every_program(tmp_path: Path, written: list[Path]) -> None:
    store, _, backup = managed(tmp_path)
    store.record_consent("physics", "Later", make_consent("a parent"))
    written.clear()
    daily.once()
    assert written == [], "it is some seconds old"
    file = list_of(store.database.path)
    record = json.loads(file.read_bytes())
    record["places"][0]["written"] = (now() - timedelta(hours=25)).isoformat()
    file.write_text(json.dumps(record), encoding="utf-8")
    daily.once()
    daily.once()
    assert written == [backup]


def test_the_receipt_names_what_is_still_of_before(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, fewshot_home: Path
) -> None:
    store, _, backup = managed(tmp_path, "usb of Zebulon")
    away = backup.parent.rename(tmp_path / "drawer")
    done = forget(store, "physics", "Zebulon")
    (entry,) = done.receipt["managed_older"]
    assert entry["file"].endswith("usb of [removed]/fewshot-managed.backup") and "Connect its disk" in entry["why"]
    assert "Zebulon" not in json.dumps(done.receipt) and done.receipt["managed_renewed"] == 0
    assert any("named here" in said for said in done.receipt["out_of_reach"])
    assert list(store.roster("physics").students) == ["Quirina"], "the erasure itself is complete"
    (tmp_path / "receipt").write_text(json.dumps(done.receipt), encoding="utf-8")
    assert check_receipt(tmp_path / "receipt")
    for _ in range(2):
        caplog.clear()
        as_new_program()
        open_database()
        assert "is not up to date" in caplog.text, "every start says it"
    away.rename(backup.parent)
    before = backup.read_bytes()
    caplog.clear()
    as_new_program()
    open_database()
    assert backup.read_bytes() != before and "is not up to date" not in caplog.text
    assert [shown.current for shown in Safety.here().managed()] == [True]


def test_a_new_passphrase_seals_it_anew(tmp_path: Path) -> None:
    _, key_file, backup = managed(tmp_path)
    Safety.here().export(key_file, "another five words for it", replace=True)
    with pytest.raises(UsageError, match="passphrase does not open"):
        rescued(tmp_path / "new", key_file, backup)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("managed_school.WORD", "another five words for it")
        assert rescued(tmp_path / "newer", key_file, backup, "another five words for it")[0]


def test_a_wrong_passphrase_missing_keys_and_damage_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _, _, backup = managed(tmp_path)
    word = tmp_path / "word"
    right = backup.read_bytes()
    place = right.index(b'"line": ') + 8
    changed = right[:place] + bytes([right[place] ^ 1]) + right[place + 1 :]
    for content, secret, said in (
        (right, "another passphrase", "passphrase does not open"),
        (right[:-1], WORD, "is damaged"),
        (right[:-900], WORD, "is damaged"),
        (changed, WORD, "is damaged"),
    ):
        (tmp_path / "copy").write_bytes(content)
        word.write_text(secret, encoding="utf-8")
        assert fewshot("restore", tmp_path / "copy", "--passphrase-file", word, "--yes") != 0
        assert said in " ".join(capsys.readouterr().err.split())
    monkeypatch.setenv("FEWSHOT_HOME", str(tmp_path / "elsewhere"))
    as_new_program()
    word.write_text(WORD, encoding="utf-8")
    assert fewshot("restore", backup, "--passphrase-file", word, "--yes") == 1
    assert "fewshot key import" in " ".join(capsys.readouterr().err.split())


def test_it_is_restored_by_command_over_what_is_here(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], written: list[Path]
) -> None:
    store, _, backup = managed(tmp_path)
    word = tmp_path / "word"
    word.write_text(WORD, encoding="utf-8")
    store.record_consent("physics", "Later", make_consent("a parent"))
    written.clear()
    assert fewshot("restore", backup, "--passphrase-file", word, "--yes") == 0
    assert "managed backup" in capsys.readouterr().out
    as_new_program()
    assert sorted(ClassStore().roster("physics").students) == ["Quirina", "Zebulon"]
    assert [shown.current for shown in Safety.here().managed()] == [True]
    assert fewshot("restore", "--list") == 0
    assert f"{backup} (" in capsys.readouterr().out


def test_places_are_listed_and_left(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store, _, backup = managed(tmp_path)
    assert fewshot("backup", "--managed") == 0
    assert f"{backup} (written 20" in capsys.readouterr().out
    assert fewshot("backup", backup) == 2, "a passphrase would not fit"
    assert "managed backup" in " ".join(capsys.readouterr().err.split())
    assert fewshot("backup", "--unmanage", tmp_path / "elsewhere") == 2
    assert fewshot("backup", "--unmanage", backup.parent) == 0 and backup.exists()
    before = backup.read_bytes()
    done = forget(store, "physics", "Zebulon")
    assert backup.read_bytes() == before and done.backups == (backup,) and done.managed == ()
    assert fewshot("backup", "--managed") == 0
    assert "no managed backup" in capsys.readouterr().out
    assert fewshot("backup", "--managed", "--manage", tmp_path) == 2 and fewshot("backup") == 2


def test_a_copy_of_the_folder_leaves_the_backup_of_the_original_alone(
    tmp_path: Path, fewshot_home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    _, _, backup = managed(tmp_path)
    before = backup.read_bytes()
    shutil.copytree(fewshot_home, tmp_path / "copy")
    shutil.copytree(fewshot_home.with_name(f"{fewshot_home.name}-keys"), tmp_path / "copy-keys")
    monkeypatch.setenv("FEWSHOT_HOME", str(tmp_path / "copy"))
    as_new_program()
    ClassStore().remove_student("physics", "Zebulon")
    assert backup.read_bytes() == before and "moved or copied" in caplog.text
    (tmp_path / "of the copy").mkdir()
    Safety.here().export(tmp_path / "of the copy.json", WORD)
    other = Safety.here().manage(tmp_path / "of the copy").file
    ClassStore().remove_student("physics", "Quirina")
    assert [(shown.place.file, shown.current) for shown in Safety.here().managed()] == [(backup, False), (other, True)]
    assert backup.read_bytes() == before


def test_a_damaged_list_stops_no_erasure(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store, _, backup = managed(tmp_path)
    file, before = list_of(store.database.path), backup.read_bytes()
    right = json.loads(file.read_bytes())
    for content in (b"{", b"[]", b'{"places": 3}', json.dumps(right | {"key": 3}).encode(), b"\xff" * 99):
        file.write_bytes(content)
        with pytest.raises(StoreError, match="list of managed backups"):
            read_list(store.database.path)
    with caplog.at_level(logging.WARNING):
        done = forget(store, "physics", "Zebulon")
    assert "list of managed backups" in caplog.text and backup.read_bytes() == before
    assert "list of managed backups" in done.receipt["managed_older"][0]["why"]


def test_data_that_is_not_encrypted_is_in_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store, _, backup = managed(tmp_path)
    before = backup.read_bytes()
    monkeypatch.setattr("fewshot.database.managed.plain_in", lambda session: 1)
    store.remove_student("physics", "Zebulon")
    assert backup.read_bytes() == before and not Safety.here().managed()[0].current
    monkeypatch.setattr("fewshot.backup.manage.plain_in", lambda session: 1)
    assert fewshot("backup", "--manage", tmp_path) == 2
    assert "not encrypted" in capsys.readouterr().err


def test_deletions_together_wait_only_for_their_own_thread(tmp_path: Path, written: list[Path]) -> None:
    store, _, backup = managed(tmp_path)
    written.clear()
    names = set(store.database.vault.names())
    with store.database.together():
        other = threading.Thread(target=store.remove_student, args=("physics", "Zebulon"))
        other.start()
        other.join(60)
        dropped = names - set(store.database.vault.names())
        assert dropped and written == [backup]
        LessonStore().delete(1)
        assert written == [backup]
    assert written == [backup, backup] and names - set(store.database.vault.names()) > dropped
