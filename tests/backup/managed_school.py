"""A school with a recovery file and a managed backup, for tests; and what a lost disk leaves of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from fewshot.access.safety import Safety, import_keys
from fewshot.backup.restore import prepared, put_in_place
from fewshot.classroom.consent import make_consent
from fewshot.classroom.store import ClassStore
from fewshot.database import engine, open_database
from fewshot.database.tables import SupportRow
from fewshot.session.lessons import LessonStore
from fewshot.vault import recovery

WORD = "five words that differ much"
VECTOR = np.arange(8, dtype=np.float32) + 0.125


@contextmanager
def cheap_passphrase() -> Iterator[None]:
    """A passphrase is stretched less."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(recovery._SCRYPT, "n", 16)
        yield


def enrolled() -> ClassStore:
    """Two students, a lesson whose title names one of them, and a vector of that one."""
    store = ClassStore()
    store.create("physics")
    for name in ("Zebulon", "Quirina"):
        store.record_consent("physics", name, make_consent(f"the mother of {name}"))
    lessons = LessonStore()
    lessons.end(lessons.create("physics", title="Zebulon speaks", students=["Zebulon"]))
    with store.database.write() as session:
        session.add(SupportRow(student_id=1, emotion="happy", network="n", vector=VECTOR))
    return store


def managed(folder: Path, place: str = "usb") -> tuple[ClassStore, Path, Path]:
    """Such a school with a managed backup. Returns its store, the recovery file and the managed backup."""
    store = enrolled()
    (folder / place).mkdir()
    (folder / "safe").mkdir()
    safety = Safety.here()
    safety.export(folder / "safe" / "recovery.json", WORD)
    return store, folder / "safe" / "recovery.json", safety.manage(folder / place).file


def as_new_program() -> None:
    engine._opened.clear()


def rescued(home: Path, key_file: Path, backup: Path, word: str = WORD) -> tuple[list[str], list[str]]:
    """Names of students and titles of lessons after the backup was restored in a new, empty home."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FEWSHOT_HOME", str(home))
        as_new_program()
        import_keys(key_file, WORD)
        with prepared(backup, word) as ready:
            put_in_place(ready)
        as_new_program()
        open_database()
        names = list(ClassStore().roster("physics").students) if ClassStore().names() == ["physics"] else []
        titles = [lesson.title for lesson in LessonStore().lessons()]
    as_new_program()
    return names, titles
