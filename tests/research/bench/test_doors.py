"""Bytes that nobody meant, at every door: a sample of experiments/fuzz.py, and what was found with it before."""

from __future__ import annotations

import io
import os
import signal
import sqlite3
import time
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fewshot.app.recording import Recording
from fewshot.app.uploads import Upload, save_class, save_student
from fewshot.classroom.consent import read_consent_list
from fewshot.errors import FewshotError, StoreError, UsageError
from fewshot.prototypes.population import Population

pytest.importorskip("resource", reason="needs limits of processes that Windows does not have")

from fewshot.research.bench.survival.damage import read_store
from fewshot.research.bench.survival.doors import DOORS, give, put_store
from fewshot.research.bench.survival.fuzz import fuzz, made
from fewshot.session.lessons import LessonStore

QUICK = [name for name in DOORS if name not in ("store", "video")]
CALM = settings(deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("door", DOORS)
def test_right_bytes_are_taken(door: str) -> None:
    for content in DOORS[door].right():
        if door not in {"zip", "names of uploads"}:  # their photos are none, or not in folders
            give(door, content)


@pytest.mark.own_process
@pytest.mark.parametrize("door", DOORS)
def test_changed_bytes_are_taken_or_refused_in_words(door: str) -> None:
    found = fuzz(door, 150 if door in QUICK else 30, seed=11)
    assert found.faults == [] and found.inputs == (150 if door in QUICK else 30)
    assert found.most < 1 << 30


@pytest.mark.parametrize("door", QUICK)
@CALM
@given(content=st.binary(max_size=600))
def test_any_bytes(door: str, content: bytes) -> None:
    with suppress(FewshotError):
        give(door, content)


@CALM
@given(text=st.text(st.characters(codec="utf-8", exclude_characters=""), max_size=80), lines=st.integers(1, 4))
def test_any_names_and_any_table(text: str, lines: int) -> None:
    content = "\n".join([text] * lines).encode()
    for door in ("names of uploads", "consent.csv"):
        with suppress(FewshotError):
            give(door, content)
    with suppress(FewshotError):
        give("consent.csv", b"student;given_by;date\n" + content)


def test_the_same_seed_makes_the_same_bytes() -> None:
    assert made("picture", 3, 9) == made("picture", 3, 9) != made("picture", 3, 10)


@pytest.mark.own_process
def test_crashes_hangs_and_errors_are_seen_and_the_rest_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test of the measure: without it, "no faults" could mean that nobody looked."""
    monkeypatch.setattr("fewshot.research.bench.survival.fuzz.SECONDS", 0.2)
    wanted = [made("JSON", 5, number) for number in range(8)]

    def take(_door: str, content: bytes) -> None:
        number = wanted.index(content)
        if number == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        if number == 3:
            while time.monotonic():
                pass
        if number == 5:
            raise KeyError("nobody expected this")
        if number == 6:
            raise UsageError("in words")

    found = fuzz("JSON", 8, 5, give=take)
    assert found.inputs == 8 and found.refused == 1 and len(found.faults) == 3
    assert [words.split(":")[0] for words in found.faults] == ["input 1", "input 3", "input 5"]
    assert "SIGKILL" in found.faults[0] and "more than" in found.faults[1] and "KeyError" in found.faults[2]


# What reading the code and the first inputs found.

CLASH = [
    ["asha", "asha/1.jpg"],
    ["asha/1.jpg", "asha/1.jpg/2.jpg"],
    ["asha/1.jpg/2.jpg", "asha/1.jpg"],
]


@pytest.mark.parametrize("names", CLASH)
def test_a_name_of_a_file_and_of_a_folder(tmp_path: Path, names: list[str]) -> None:
    uploads = [Upload(name, b"x") for name in names]
    with suppress(UsageError):
        save_class(uploads, tmp_path / "class")
    with suppress(UsageError):
        save_student(uploads, tmp_path / "student", "asha")


@pytest.mark.parametrize(
    "name", ["asha/a\0b.jpg", "asha/" + "\U0001d49c" * 90 + "." + "\U0001d49c" * 30, "a\0/b.jpg", "asha/\udcff.jpg"]
)
def test_names_that_no_disk_can_hold_are_changed(tmp_path: Path, name: str) -> None:
    save_class([Upload(name, b"x")] * 3, tmp_path)
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 3


def test_folders_in_folders_without_end(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="folders"):
        save_class([Upload("a/" * 3000 + "b.jpg", b"x")], tmp_path)


@pytest.mark.parametrize("content", [b"[" * 200_000, b'{"version": ' + b"9" * 6000 + b"}", b"null", b"[]", b"\xff\xfe"])
def test_json_that_breaks_its_reader(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "population.json"
    path.write_bytes(content)
    with pytest.raises(FewshotError):
        Population.load(path)


def test_files_that_are_no_recordings(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("head.npy", b"\x93NUMPY\x01\x00")
    for content in (b"PK\x03\x04 and nothing else", b"\x93NUMPY\x01\x00v\x00{}", b"", b"text", whole.getvalue()):
        path.write_bytes(content)
        with pytest.raises(StoreError, match="cannot be read"):
            Recording.load(path)


@pytest.mark.parametrize("sign", ['"', " ", "\t", "x", "é", "\\"])
def test_a_separator_that_cannot_be_one(tmp_path: Path, sign: str) -> None:
    path = tmp_path / "consent.csv"
    path.write_text(f"sep={sign}\nstudent;given_by;date\nasha;her mother;2026-01-31\n", encoding="utf-8")
    with suppress(UsageError):
        assert list(read_consent_list(path).consents) == ["asha"]


def test_thousands_of_files_with_one_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is looked for once, and not once for every file before it."""
    looked, exists = [], Path.exists
    monkeypatch.setattr(Path, "exists", lambda self: looked.append(self) or exists(self))
    save_class([Upload("asha/1.jpg", b"x")] * 300, tmp_path)
    assert len(list((tmp_path / "asha").iterdir())) == 300 and len(looked) < 1000


PLAIN = "UPDATE readings SET sealed = NULL, frames = 1, readable = 1, faces = 1, emotion = 1, confidence = 0.5"
"""A reading as an earlier version wrote it."""


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("UPDATE lesson_seconds SET second = 2000000000, row_check = NULL WHERE second = 1", "second 2000000000"),
        ("UPDATE lesson_seconds SET second = -5 WHERE second = 1", "damaged"),
        (f"{PLAIN}, probabilities = x'0000c07f{'00' * 24}'", "probability"),
        (f"{PLAIN}, probabilities = zeroblob(28), confidence = 7.5", "probability"),
        (f"{PLAIN}, probabilities = zeroblob(28), emotion = 77", "emotion"),
        (f"{PLAIN}, probabilities = x'{'00' * 33}'", "damaged"),
        ("UPDATE readings SET sealed = x'0100'", "damaged"),
        ("UPDATE lessons SET started = 'yesterday'", "damaged"),
        ("UPDATE lessons SET labels = '[\"happy\"'", "damaged"),
        ("UPDATE students SET name = CAST(x'ff' AS TEXT) WHERE id = 1", "damaged|decode"),
    ],
)
def test_values_that_nobody_wrote_are_named(tmp_path: Path, query: str, words: str) -> None:
    path = put_store(DOORS["store"].right()[0], tmp_path / "x.db")
    with sqlite3.connect(path) as connection:
        connection.execute(query)
    connection.close()
    with pytest.raises(StoreError, match=words) as caught:
        read_store(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("number", [75, 473])
def test_stores_that_broke_their_reader(number: int) -> None:
    """Inputs of seed 0 that ended in another error: a text in an error of SQLite, and a row without a number."""
    with suppress(FewshotError):
        give("store", made("store", 0, number))


def test_an_error_of_ours_is_not_blamed_on_the_store(tmp_path: Path) -> None:
    path = put_store(DOORS["store"].right()[0], tmp_path / "x.db")
    lessons = LessonStore.at(f"sqlite:///{path}")
    with pytest.raises(AttributeError, match="mistake"), lessons.database.read():
        raise AttributeError("a mistake in the program")
