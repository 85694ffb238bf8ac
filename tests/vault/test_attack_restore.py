"""A restore that is tried, refused or undone loses nothing of what the computer has now."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from fewshot.backup.make import make_backup
from fewshot.backup.restore import prepared, put_in_place
from fewshot.classroom.consent import make_consent
from fewshot.classroom.store import ClassStore
from fewshot.database import engine, open_database
from fewshot.database.columns import now
from fewshot.database.lesson_tables import LessonRow
from fewshot.session.lessons import LessonStore
from fewshot.session.settings import Settings
from fewshot.vault import FileKeys, container

WORD = "correct horse battery"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key of a backup is derived with less work."""

    def cipher(header: container.Header, passphrase: str) -> container.AESGCM:
        key = container.Scrypt(bytes.fromhex(header.salt), 32, 2**4, 8, 1).derive(passphrase.encode())
        return container.AESGCM(key)

    monkeypatch.setattr(container, "_cipher", cipher)


@pytest.fixture
def backup(fewshot_home: Path, tmp_path: Path) -> Path:
    """A backup of a class with an old lesson. The teacher kept lessons for 30 days then, and keeps them all now."""
    store, lessons = ClassStore(), LessonStore()
    store.create("physics")
    store.record_consent("physics", "Zebulon", make_consent("a parent"))
    old = lessons.create("physics", title="An old one", students=["Zebulon"], started=now() - timedelta(days=60))
    lessons.end(old)
    Settings().retention_days = 30
    make_backup(tmp_path / "school.backup", WORD)
    Settings().retention_days = None
    return tmp_path / "school.backup"


def as_new_program() -> None:
    engine._opened.clear()


def all_texts() -> tuple[list[str], list[str], list[str]]:
    """Names of classes, of students, and titles of lessons, as a program that just started shows them."""
    as_new_program()
    store = ClassStore()
    names = store.names()
    return names, list(store.roster("physics").students), [lesson.title for lesson in LessonStore().lessons()]


def test_a_restore_that_is_not_confirmed_leaves_everything_readable(backup: Path) -> None:
    before = all_texts()
    with prepared(backup, WORD) as ready:
        assert ready.replayed.old == 1
    assert all_texts() == before


def test_after_a_restore_the_database_of_before_can_be_restored_too(backup: Path) -> None:
    before = all_texts()
    with prepared(backup, WORD) as ready:
        aside = put_in_place(ready)
    assert aside is not None and all_texts() == (["physics"], ["Zebulon"], [])
    as_new_program()
    with prepared(aside, None) as ready:
        put_in_place(ready)
    # The lesson was deleted with the first restore, because the teacher of the backup did not want to keep it.
    assert all_texts() == (before[0], before[1], [])


def test_what_a_restore_leaves_out_loses_its_keys_when_it_is_in_place(backup: Path, fewshot_home: Path) -> None:
    with open_database().read() as session:
        key = session.scalars(select(LessonRow.key)).one()
    with prepared(backup, WORD) as ready:
        put_in_place(ready)
    assert key not in FileKeys(fewshot_home).names()
