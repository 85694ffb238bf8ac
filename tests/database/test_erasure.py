"""Bytes of what was deleted: gone at once, or the deletion says that they are left and a later start erases them."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from other_program import bytes_found, found, reading
from typer.testing import CliRunner

from fewshot.app.next_click import in_the_app
from fewshot.classroom.class_rows import Networks
from fewshot.classroom.consent import Consent
from fewshot.classroom.corrections import learn, unlearn
from fewshot.classroom.enrollment import Accepted
from fewshot.classroom.store import ClassStore
from fewshot.cli import app
from fewshot.database import Database, ErasurePending, erasure, open_database
from fewshot.errors import StoreError
from fewshot.research.bench.survival.openable import student_keys
from fewshot.session.check_in_answers import close_check_in, open_check_in
from fewshot.session.lessons import LessonStore
from fewshot.session.recorder import LessonRecorder
from fewshot.session.settings import Settings
from fewshot.types import EMOTIONS, FrameResult, Reading

NAMES = ["Zebulon", "आशा कुमारी", "Ναταλία"]
PORTRAIT = b"\xff\xd8 portrait" * 50


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasure, "PATIENCE", 0.3)


def vector_of(name: str, number: int) -> np.ndarray:
    return np.random.default_rng([number, *name.encode()]).normal(size=64).astype(np.float32)


def marks_of(name: str) -> list[bytes]:
    return [name.encode(), f"note about {name}".encode(), *(vector_of(name, number).tobytes() for number in range(8))]


@pytest.fixture
def store() -> ClassStore:
    """Three students with eight photos, a portrait and a correction each, and one lesson long ago."""
    store = ClassStore()
    day = date(2026, 11, 20)
    photos = [
        Accepted(name, "happy", f"{name} {number}", "0f", vector_of(name, number), vector_of(name, 100 + number), 90.0,
                 0.9, day)
        for name in NAMES for number in range(7)
    ]  # fmt: skip
    store.keep("physics", photos, {name: Consent("the mother", day) for name in NAMES}, Networks("n", "i", 64, 64))
    started = datetime.now(UTC) - timedelta(days=400)
    with LessonRecorder.start("physics", NAMES, started=started, title="Zebulon fell") as recorder:
        for second in range(5):
            readings = [
                Reading(n, (0, 0, 1, 1), 0.9, name, 0.5, "happy", 0.3, dict.fromkeys(EMOTIONS, 1 / 7))
                for n, name in enumerate(NAMES)
            ]
            recorder.write(FrameResult("cam", second, float(second), 64, 48, tuple(readings)))
    for name in NAMES:
        store.set_portrait("physics", name, PORTRAIT + name.encode())
        learn(store.database, "physics", recorder.lesson, name, 1.0, "sad", vector_of(name, 7), "happy")
        close_check_in(LessonStore(), [recorder.lesson], name, "asked, fine", f"note about {name}")
    return store


def path_of(store: ClassStore) -> Path:
    path = store.database.path
    assert path is not None
    return path


@pytest.mark.parametrize("name", NAMES)
def test_a_removal_beside_a_reader_says_what_is_left_and_the_next_start_erases_it(
    store: ClassStore, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    path, marks = path_of(store), marks_of(name)
    key = student_keys(store.database, "physics")[name]
    assert found(marks, path) == len(marks)
    with reading(path):
        with pytest.raises(ErasurePending) as caught:
            store.remove_student("physics", name)
        assert bytes_found(key, path) > 0, "the error is true: a reader keeps the old pages"
        assert found(marks, path) == 0, "but no key opens them any more"
        assert name not in store.roster("physics").students
        with caplog.at_level(logging.WARNING):
            Database(f"sqlite:///{path}")  # a start while the other program still reads
        assert "bytes are still in the files" in caplog.text
    text = str(caught.value)
    assert name in text and str(path) in text and "Close the other program" in text and "fewshot roster" in text
    assert "fewshot " not in in_the_app(caught.value).replace("command of fewshot", "")
    with caplog.at_level(logging.WARNING):
        again = Database(f"sqlite:///{path}")
    assert bytes_found(key, path) == found(marks, path) == 0 and not again.erasure_pending
    assert "now complete" in caplog.text
    others = [mark for other in NAMES if other != name for mark in marks_of(other)[1:]]
    assert found(others, path) == len(others), "the others are still there"


DELETIONS: dict[str, tuple[Callable[[ClassStore], object], Callable[[], list[bytes]]]] = {
    "class": (lambda store: store.delete("physics"), lambda: [m for name in NAMES for m in marks_of(name)]),
    "lesson": (lambda store: LessonStore().delete(1), lambda: [b"Zebulon fell", b"note about Zebulon"]),
    "retention": (lambda store: LessonStore().delete_older_than(30), lambda: [b"Zebulon fell", b"note about Zebulon"]),
    "check-in": (lambda store: open_check_in(LessonStore(), 1, "Zebulon"), lambda: [b"note about Zebulon"]),
    "correction": (
        lambda store: unlearn(store.database, "physics", 1),
        lambda: [vector_of("Zebulon", 7).tobytes()],
    ),
    "photo": (
        lambda store: store.remove_photo("physics", "Zebulon", "Zebulon 3"),
        lambda: [vector_of("Zebulon", 3).tobytes(), vector_of("Zebulon", 103).tobytes(), b"Zebulon 3"],
    ),
    "portrait": (
        lambda store: store.set_portrait("physics", "Zebulon", None),
        lambda: [PORTRAIT + b"Zebulon"],
    ),
}


@pytest.mark.parametrize("what", DELETIONS)
def test_no_deletion_says_done_with_bytes_left(store: ClassStore, what: str) -> None:
    act, marks_of_it = DELETIONS[what]
    path, marks = path_of(store), marks_of_it()
    assert found(marks, path) == len(marks)
    with reading(path), pytest.raises(ErasurePending, match="bytes are still in the files"):
        act(store)
    assert store.database.erasure_pending
    store.database._retry = 0.0  # a second later
    assert not open_database().erasure_pending, "the next page of a running program finishes it too"
    assert found(marks, path) == 0


@pytest.mark.parametrize("what", DELETIONS)
def test_without_a_reader_every_deletion_is_complete_at_once(store: ClassStore, what: str) -> None:
    act, marks_of_it = DELETIONS[what]
    marks = marks_of_it()
    assert found(marks, path_of(store)) == len(marks)
    act(store)
    assert found(marks, path_of(store)) == 0 and not store.database.erasure_pending


def test_a_kill_between_deletion_and_erasure_is_made_good(store: ClassStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    path, marks = path_of(store), marks_of("Zebulon")
    key = student_keys(store.database, "physics")["Zebulon"]
    holder = sqlite3.connect(path)  # its journal outlives the program that is killed
    holder.execute("SELECT count(*) FROM students").fetchall()
    holder.rollback()
    with monkeypatch.context() as patched:
        patched.setattr("fewshot.database.engine.erase", killed)
        with pytest.raises(KeyboardInterrupt):
            store.remove_student("physics", "Zebulon")
    assert bytes_found(key, path) > 0 == found(marks, path)
    Database(f"sqlite:///{path}")
    assert bytes_found(key, path) == 0
    holder.close()


def test_a_lesson_begins_although_an_erasure_has_to_wait(store: ClassStore, caplog: pytest.LogCaptureFixture) -> None:
    Settings().retention_days = 30
    with reading(path_of(store)), caplog.at_level(logging.WARNING):
        lesson = LessonStore().create("physics")
    assert [info.id for info in LessonStore().lessons()] == [lesson]
    assert "bytes are still in the files" in caplog.text


def test_a_failing_disk_is_not_called_done(store: ClassStore, monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing:
        def execute(self, words: str) -> object:
            if "checkpoint" in words:
                raise sqlite3.OperationalError("disk I/O error")
            return self

        def close(self) -> None:
            pass

    engine = type("Engine", (), {"connect": lambda self: self, "__enter__": lambda self: self})()
    type(engine).__exit__ = lambda *_: None
    engine.connection = type("Connection", (), {"driver_connection": Failing()})
    with pytest.raises(ErasurePending, match="disk I/O error"):
        erasure._empty_journal(engine, path_of(store), 0.1)


def test_a_removal_refused_by_a_writer_has_removed_nothing(store: ClassStore, monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database(f"sqlite:///{path_of(store)}")
    writer = sqlite3.connect(path_of(store), isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    monkeypatch.setattr("sqlite3.connect", lambda *words, **o: _connect(*words, **{**o, "timeout": 0.1}))
    with pytest.raises(StoreError, match="locked") as caught:
        ClassStore(database).remove_student("physics", "Zebulon")
    assert not isinstance(caught.value, ErasurePending)
    writer.close()
    assert "Zebulon" in ClassStore(database).roster("physics").students


_connect = sqlite3.connect


def test_the_command_line_fails_loudly_and_says_the_next_step(store: ClassStore) -> None:
    with reading(path_of(store)):
        result = CliRunner().invoke(app, ["roster", "physics", "--remove", "Zebulon"])
    assert result.exit_code == 1
    assert "Zebulon was removed from physics, but not completely" in result.output and "fewshot roster" in result.output
    assert "with all consents" not in result.output


def test_a_complete_deletion_is_not_completed_again_at_the_next_start(caplog: pytest.LogCaptureFixture) -> None:
    store = ClassStore()
    store.create("gone")
    store.delete("gone")
    assert not Database(f"sqlite:///{store.database.path}").erasure_pending
    assert "now complete" not in caplog.text
