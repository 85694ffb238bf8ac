"""``fewshot forget``: a student is erased, also in backups made before, and a signed receipt says so without a name."""

from __future__ import annotations

import errno
import json
import sqlite3
from pathlib import Path

import pytest
from test_key_command import NAMES, fails, run, store  # noqa: F401
from typer.testing import CliRunner

from fewshot.access.forget import check_receipt
from fewshot.classroom.store import ClassStore
from fewshot.cli import app
from fewshot.database import erasure
from fewshot.errors import UsageError
from fewshot.session.lessons import LessonStore

WORD = "five words that differ much"


@pytest.fixture
def passphrase(tmp_path: Path) -> Path:
    file = tmp_path / "word"
    file.write_text(WORD, encoding="utf-8")
    return file


def forget(student: str, receipt: Path) -> str:
    return " ".join(run("forget", "physics", student, "--yes", "--receipt", receipt).split())


def test_the_receipt_names_nobody_and_shows_every_change(store: ClassStore, tmp_path: Path) -> None:  # noqa: F811
    file = tmp_path / "receipt.json"
    said = forget(NAMES[0], file)
    assert "2 photos" in said and "Not in reach" in said
    assert list(store.roster("physics").students) == NAMES[1:]
    text = file.read_text(encoding="utf-8")
    assert NAMES[0] not in text and file.stat().st_mode & 0o777 == 0o600
    assert json.loads(text)["removed"]["photos"] == 2 and json.loads(text)["keys_dropped"] >= 1
    assert check_receipt(file)
    for change in ({"at": "2026-01-01T00:00:00+00:00"}, {"left": 1}, {"more": True}):
        file.write_text(json.dumps(json.loads(text) | change), encoding="utf-8")
        assert not check_receipt(file)
        assert "changed" in run("audit", "receipt", file)
    file.write_text("[]", encoding="utf-8")
    with pytest.raises(UsageError, match="not a receipt"):
        check_receipt(file)


def test_a_class_with_the_name_in_its_own_is_said(store: ClassStore, tmp_path: Path) -> None:  # noqa: F811
    store.rename("physics", f"{NAMES[0]}s class")
    said = " ".join(run("forget", f"{NAMES[0]}S CLASS", NAMES[0], "--yes", "--receipt", tmp_path / "r").split())
    assert "still called" in said and f'fewshot roster "{NAMES[0]}s class" --rename NEW_NAME' in said
    receipt = (tmp_path / "r").read_text(encoding="utf-8")
    assert "still called" in receipt and "[removed]s class" in receipt and NAMES[0] not in receipt


def test_nobody_is_erased_without_an_answer_or_by_a_wrong_name(store: ClassStore, tmp_path: Path) -> None:  # noqa: F811
    for words, match in (
        (["physics", NAMES[0]], "final"),
        (["physics", "Nobody", "--yes"], "no student"),
        (["chemistry", NAMES[0], "--yes"], "no class"),
    ):
        fails(match, "forget", *words, "--receipt", tmp_path / "r")
    assert list(store.roster("physics").students) == NAMES and not (tmp_path / "r").exists()


def test_nobody_is_erased_while_there_is_no_place_for_the_receipt(store: ClassStore, tmp_path: Path) -> None:  # noqa: F811
    for place in (tmp_path / "no" / "folder" / "r", tmp_path):
        fails("receipt cannot be written", "forget", "physics", NAMES[0], "--yes", "--receipt", place)
    assert list(store.roster("physics").students) == NAMES


def test_nobody_is_erased_while_nothing_can_sign_the_receipt(
    store: ClassStore,  # noqa: F811
    fewshot_home: Path,
    tmp_path: Path,
) -> None:
    (fewshot_home / "audit-key").write_bytes(b"\xff" * 64)
    fails("audit-key cannot be used", "forget", "physics", NAMES[0], "--yes", "--receipt", tmp_path / "r")
    assert list(store.roster("physics").students) == NAMES


def test_a_receipt_is_written_while_another_program_reads(
    store: ClassStore,  # noqa: F811
    fewshot_home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    empty, file = erasure._empty_journal, tmp_path / "r.json"
    monkeypatch.setattr(erasure, "_empty_journal", lambda engine, path, _: empty(engine, path, 0.1))
    lessons = LessonStore(store.database)
    lessons.end(lessons.create("physics", title=f"{NAMES[0]} speaks", students=NAMES))
    other = sqlite3.connect(fewshot_home / "fewshot.db", isolation_level=None)
    other.execute("BEGIN")
    other.execute("SELECT * FROM students").fetchall()
    words = ["forget", "physics", NAMES[0], "--yes", "--receipt", str(file)]
    result = CliRunner().invoke(app, words)
    other.close()
    said = " ".join(result.output.split())
    assert result.exit_code == 1 and "not completely" in said and "keys dropped" in said
    assert check_receipt(file)
    receipt = json.loads(file.read_text(encoding="utf-8"))
    assert receipt["removed"]["photos"] == 2 and "journal" in receipt["out_of_reach"][-1]
    assert "title" in receipt["texts"], "what was replaced is said too"


def test_a_receipt_that_could_not_be_written_is_printed(
    store: ClassStore,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(path: Path, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("fewshot.commands.access.write_private", full)
    result = CliRunner().invoke(app, ["forget", "physics", NAMES[0], "--yes", "--receipt", str(tmp_path / "r")])
    assert result.exit_code == 1 and "could not be written" in " ".join(result.output.split())
    file = tmp_path / "kept.json"
    file.write_text(result.output[result.output.index("{\n") : result.output.index("\n}") + 2], encoding="utf-8")
    assert check_receipt(file) and list(store.roster("physics").students) == NAMES[1:]


def test_a_backup_of_before_holds_nothing_that_opens(
    store: ClassStore,  # noqa: F811
    fewshot_home: Path,
    tmp_path: Path,
    passphrase: Path,
) -> None:
    backup = tmp_path / "before.backup"
    run("backup", backup, "--passphrase-file", passphrase)
    with sqlite3.connect(fewshot_home / "fewshot.db") as connection:
        (key,) = connection.execute("SELECT key FROM students ORDER BY id").fetchone()
    connection.close()
    assert "Make a new one" in forget(NAMES[0], tmp_path / "r")
    assert key not in store.database.vault.names()
    said = " ".join(run("restore", backup, "--passphrase-file", passphrase, "--yes").split())
    assert "Removed after the backup" in said and "1 student" in said
    assert list(ClassStore().roster("physics").students) == NAMES[1:]
    assert ClassStore().roster("physics").students[NAMES[1]].photos
