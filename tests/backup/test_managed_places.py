"""Places of managed backups that are away, full, slow, faulty, or taken by something else."""

from __future__ import annotations

import errno
import json
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from managed_school import WORD, as_new_program, cheap_passphrase, enrolled, managed, rescued

from fewshot.access.forget import forget
from fewshot.access.safety import Safety
from fewshot.backup.make import make_backup
from fewshot.backup.manage import manage
from fewshot.classroom.store import ClassStore
from fewshot.database import Database, delivery, open_database
from fewshot.database.contents import working_folder
from fewshot.errors import StoreError, UsageError
from fewshot.session.lessons import LessonStore
from fewshot.session.recorder import LessonRecorder
from fewshot.types import EMOTIONS, FrameResult, Reading


@pytest.fixture(autouse=True)
def quick() -> Iterator[None]:
    with cheap_passphrase():
        yield


def erase_one(store: ClassStore) -> tuple[str, bool]:
    """Remove a student. Returns why the managed backup was not written, and whether it is up to date."""
    store.remove_student("physics", "Zebulon")
    assert "Zebulon" not in store.roster("physics").students
    (shown,) = Safety.here().managed()
    return shown.place.why, shown.current


@pytest.mark.parametrize(
    "name", ["two words ü", "cl\u05d0ss \u202eabc", "a'b\"c;$d", "\U0001f393" * 60, "x" * 240, "[a-z]*?"]
)
def test_names_of_any_kind(tmp_path: Path, name: str) -> None:
    store = enrolled()
    Safety.here().export(tmp_path / "recovery", WORD)
    (tmp_path / "usb").mkdir()
    place = tmp_path / "usb" / name
    assert Safety.here().manage(place).file == place
    before = place.read_bytes()
    assert erase_one(store) == ("", True) and place.read_bytes() != before
    assert [file.name for file in place.parent.iterdir()] == [name]
    assert rescued(tmp_path / "new", tmp_path / "recovery", place)[0] == ["Quirina"]


@pytest.mark.parametrize(
    ("kind", "why"),
    [("foreign", "foreign"), ("folder", "foreign"), ("pipe", "foreign"), ("link", "link"), ("passphrase", "foreign"),
     ("other", "other"), ("newer", "newer")],
)  # fmt: skip
def test_nothing_else_is_ever_replaced(tmp_path: Path, kind: str, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store, _, backup = managed(tmp_path)
    right = backup.read_bytes()
    backup.unlink()
    if kind == "foreign":
        backup.write_bytes(b"the teacher's own notes")
    elif kind == "folder":
        backup.mkdir()
    elif kind == "pipe":
        os.mkfifo(backup)
    elif kind == "link":
        (tmp_path / "elsewhere").write_bytes(right)
        backup.symlink_to(tmp_path / "elsewhere")
    elif kind == "passphrase":
        make_backup(tmp_path / "other", WORD)
        (tmp_path / "other").rename(backup)
    elif kind == "other":
        monkeypatch.setenv("FEWSHOT_HOME", str(tmp_path / "other-home"))
        as_new_program()
        (tmp_path / "second").mkdir()
        managed(tmp_path / "second")[2].rename(backup)
        monkeypatch.setenv("FEWSHOT_HOME", str(tmp_path / "fewshot-home"))
        as_new_program()
    else:
        backup.write_bytes(right)
        monkeypatch.setattr("fewshot.database.managed.last_line", lambda _file: 1)
    before = backup.read_bytes() if kind not in ("folder", "pipe") else b""
    assert erase_one(store) == (why, False)
    assert kind in ("folder", "pipe") or backup.read_bytes() == before
    assert not list(backup.parent.glob(".fewshot-*"))
    with pytest.raises(UsageError):
        Safety.here().manage(backup if kind != "folder" else backup.parent)
    assert kind in ("folder", "pipe") or backup.read_bytes() == before


def test_an_empty_folder_where_the_disk_was_gets_nothing(tmp_path: Path) -> None:
    """The stick was pulled out, and the folder where it is mounted is still there: on another disk."""
    store, _, backup = managed(tmp_path)
    away = backup.rename(tmp_path / "on the stick")
    assert erase_one(store) == ("gone", False) and not list(backup.parent.iterdir())
    away.rename(backup)
    as_new_program()
    open_database()
    assert Safety.here().managed()[0].current
    backup.unlink()
    assert Safety.here().manage(backup.parent).file == backup and backup.exists(), "somebody chose it again"


def test_a_damaged_backup_of_ours_is_written_again(tmp_path: Path) -> None:
    store, key_file, backup = managed(tmp_path)
    backup.write_bytes(backup.read_bytes()[:30] + b"\0" * 99)
    assert erase_one(store) == ("", True)
    assert rescued(tmp_path / "new", key_file, backup)[0] == ["Quirina"]


def fails_with(code: int) -> Any:
    def act(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    return act


@pytest.mark.parametrize(
    ("what", "act", "why"),
    [("shutil.disk_usage", lambda _: type("Usage", (), {"free": 10})(), "space"),
     ("_copy", fails_with(errno.ENOSPC), "failed"), ("_copy", fails_with(errno.EROFS), "failed"),
     ("open_fresh", fails_with(errno.EACCES), "failed"), ("_digest", lambda _file, _tick: "another", "check"),
     ("sync", fails_with(errno.EIO), "failed")],
)  # fmt: skip
def test_a_full_faulty_or_closed_disk_keeps_the_older_backup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, act: Any, why: str
) -> None:
    store, key_file, backup = managed(tmp_path)
    before = backup.read_bytes()
    with monkeypatch.context() as broken:
        broken.setattr(f"fewshot.database.delivery.{what}", act)
        assert erase_one(store) == (why, False)
        assert what == "sync" or backup.read_bytes() == before
        assert Safety.here().managed()[0].place.reason()
    assert [file.name for file in backup.parent.iterdir()] == [backup.name]
    as_new_program()
    open_database()
    assert Safety.here().managed()[0].current
    assert rescued(tmp_path / "new", key_file, backup)[0] == ["Quirina"]


def test_a_full_disk_of_our_own_stops_no_erasure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, _, backup = managed(tmp_path)
    before = backup.read_bytes()
    monkeypatch.setattr("fewshot.database.managed.plain_copy", fails_with(errno.ENOSPC))
    assert erase_one(store) == ("source", False) and backup.read_bytes() == before


def test_a_disk_that_does_not_answer_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And when it answers at last, what was begun then replaces nothing."""
    store, _, backup = managed(tmp_path)
    before, answers, ended = backup.read_bytes(), threading.Event(), threading.Event()
    real = delivery.refuse_foreign

    def hangs(*words: Any) -> None:
        answers.wait(60)
        try:
            real(*words)
        finally:
            ended.set()

    monkeypatch.setattr(delivery, "refuse_foreign", hangs)
    monkeypatch.setattr(delivery, "PATIENCE", 0.0)
    assert erase_one(store) == ("silent", False)
    answers.set()
    assert ended.wait(60)
    for thread in [one for one in threading.enumerate() if one.name == "fewshot managed backup"]:
        thread.join(60)
    assert backup.read_bytes() == before and [file.name for file in backup.parent.iterdir()] == [backup.name]


def test_what_a_killed_program_left_at_the_place_is_removed(tmp_path: Path) -> None:
    store, _, backup = managed(tmp_path)
    with pytest.MonkeyPatch.context() as killed:
        killed.setattr(Path, "replace", fails_with(errno.EIO))
        killed.setattr(Path, "unlink", lambda *_, **__: None)
        with pytest.raises(delivery.NotWritten):
            delivery.deliver(backup, Safety.here().managed()[0].place, delivery.read_header(backup))
    assert len(list(backup.parent.iterdir())) == 2
    assert erase_one(store) == ("", True)
    assert [file.name for file in backup.parent.iterdir()] == [backup.name]


def test_places_that_would_be_lost_or_found_together_are_refused(tmp_path: Path, fewshot_home: Path) -> None:
    _, key_file, _ = managed(tmp_path)
    (fewshot_home / "backups").mkdir()
    (tmp_path / "shortcut").symlink_to(fewshot_home)
    (tmp_path / "notes").write_bytes(b"notes")
    safety = Safety.here()
    for place, said in (
        (fewshot_home, "belongs to fewshot itself"),
        (fewshot_home / "backups" / "b", "belongs to fewshot itself"),
        (tmp_path / "shortcut", "belongs to fewshot itself"),
        (fewshot_home.with_name(f"{fewshot_home.name}-keys"), "belongs to fewshot itself"),
        (key_file, "is the recovery file"),
        (tmp_path / "no" / "folder", "There is no folder"),
        (tmp_path / "notes" / "b", "There is no folder"),
        (tmp_path / "notes", "was not replaced"),
        (tmp_path / ("x" * 300), "was not written"),
        (Path("/dev/null"), "was not replaced"),
    ):
        with pytest.raises(UsageError, match=said):
            safety.manage(place)
    assert len(safety.managed()) == 1 and (tmp_path / "notes").read_bytes() == b"notes"


def test_one_place_that_fails_does_not_stop_the_others(tmp_path: Path) -> None:
    store, _, backup = managed(tmp_path)
    (tmp_path / "second").mkdir()
    other = Safety.here().manage(tmp_path / "second").file
    backup.unlink()
    backup.write_bytes(b"notes")
    store.remove_student("physics", "Zebulon")
    assert [(shown.place.file, shown.current) for shown in Safety.here().managed()] == [(backup, False), (other, True)]


def test_only_a_database_in_a_file_has_them(tmp_path: Path) -> None:
    database = Database("sqlite://")
    database.renew_managed()
    with pytest.raises(StoreError, match="A backup is made of a database in a file"):
        manage(database, tmp_path)


def test_two_programs_that_copy_at_once_leave_each_other_alone(tmp_path: Path) -> None:
    store = tmp_path / "home" / "fewshot.db"
    with working_folder(store) as one, working_folder(store) as other:
        assert one != other and one.is_dir() and other.is_dir()
    (store.parent / "backup-at-work-of-a-killed-one").mkdir()
    with working_folder(store) as third:
        assert [path.name for path in store.parent.glob("backup-at-work-*")] == [third.name]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_a_name_that_is_not_utf_8(tmp_path: Path) -> None:
    """As old sticks have them. The receipt is a JSON file all the same."""
    store = enrolled()
    Safety.here().export(tmp_path / "recovery", WORD)
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/st\xefck"))
    folder.mkdir()
    backup = Safety.here().manage(folder).file
    backup.unlink()
    receipt = forget(store, "physics", "Zebulon").receipt
    assert json.dumps(receipt, ensure_ascii=False).encode("utf-8")
    assert receipt["managed_older"][0]["why"] and Safety.here().managed()[0].place.file == backup


def test_nothing_that_goes_wrong_stops_an_erasure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store, _, backup = managed(tmp_path)
    before, keys = backup.read_bytes(), set(store.database.vault.names())

    def breaks(*_: object) -> None:
        raise RuntimeError("nobody thought of this")

    monkeypatch.setattr("fewshot.database.managed.seal", breaks)
    store.remove_student("physics", "Zebulon")
    assert "nobody thought of this" in caplog.text and backup.read_bytes() == before
    assert keys - set(store.database.vault.names()) and not Safety.here().managed()[0].current


def test_a_lesson_that_runs_goes_on(tmp_path: Path) -> None:
    store, key_file, backup = managed(tmp_path)
    with LessonRecorder.start("physics", ["Zebulon", "Quirina"]) as recorder:
        for second in range(3):
            shown = [
                Reading(place, (0, 0, 1, 1), 0.9, name, 0.5, "happy", 0.4, dict.fromkeys(EMOTIONS, 1 / 7))
                for place, name in enumerate(("Zebulon", "Quirina"))
            ]
            recorder.write(FrameResult("cam", second, float(second), 64, 48, tuple(shown)))
            recorder.flush()
            if second == 1:
                store.remove_student("physics", "Zebulon")
    assert Safety.here().managed()[0].current
    lesson = LessonStore().load(recorder.lesson)
    assert lesson.students == ["Quirina"] and len(lesson.readings) == 3
    assert rescued(tmp_path / "new", key_file, backup)[0] == ["Quirina"]
