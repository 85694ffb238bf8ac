"""Files of a teacher outside the database, when the classes go to another teacher or the account is removed."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("argon2", reason="needs the extra app")
pytest.importorskip("pyarrow", reason="needs the extra app")

import pyarrow.parquet

from fewshot.accounts.accounts import Accounts
from fewshot.classroom import exports
from fewshot.classroom.consent import make_consent
from fewshot.classroom.exports import Exported, ExportFault, journal_of, known_folders, note_folder
from fewshot.classroom.owners import Owner
from fewshot.classroom.store import ClassStore
from fewshot.classroom.traces import last_timeline

NAMES = ("asha", "bela")


@pytest.fixture
def accounts() -> Accounts:
    return Accounts()


@pytest.fixture
def anna(accounts: Accounts) -> Owner:
    return accounts.owners.add("Anna")


@pytest.fixture
def table(anna: Owner, tmp_path: Path) -> Path:
    """A lesson of Anna's class that was exported, and the picture of her last run."""
    store = ClassStore(owner=anna)
    store.create("physics")
    for name in NAMES:
        store.record_consent("physics", name, make_consent("the parents"))
    number, students = exports.students_now(store.database, anna, "physics")
    note_folder(tmp_path / "lessons", anna)
    path = tmp_path / "lessons" / "monday.parquet"
    rows = {"source": ["monday.mp4"] * 2, "track": [1, 2], "student": list(NAMES)}
    pyarrow.parquet.write_table(pyarrow.table(rows), path)
    with journal_of(path.parent) as journal:
        journal["monday.mp4"] = Exported(path.name, 1, 1, {}, anna.id, number, students, done=True)
    last_timeline(anna.id).write_bytes(b"picture")
    return path


def test_a_student_who_is_erased_by_the_receiver_is_erased_in_what_the_giver_exported(
    accounts: Accounts, anna: Owner, table: Path
) -> None:
    bert = accounts.owners.add("Bert")
    accounts.give(anna, bert)
    accounts.give(anna, bert)
    assert known_folders(bert.id) == [table.parent] and not last_timeline(anna.id).exists()
    ClassStore(owner=bert).remove_student("physics", "asha")
    assert pyarrow.parquet.read_table(table)["student"].to_pylist() == ["bela"]
    ClassStore(owner=bert).delete("physics")
    assert not table.exists()


def test_an_account_that_is_removed_with_its_classes_leaves_no_exported_lesson_and_no_picture(
    accounts: Accounts, anna: Owner, table: Path
) -> None:
    accounts.remove("Anna", delete_all=True)
    assert not table.exists() and not last_timeline(anna.id).exists()


def test_nothing_is_given_if_the_folders_cannot_be_noted(
    accounts: Accounts, anna: Owner, table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(exports, "write_through", full)
    with pytest.raises(ExportFault, match="Nothing was given"):
        accounts.give(anna, accounts.owners.add("Bert"))
    assert ClassStore(owner=anna).names() == ["physics"] and table.exists()
