# ruff: noqa: F811
"""The folder with the data is moved or copied: it goes on, and what is erased in one copy is erased in its key too."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sealed_class import NAMES, homes, in_place, told  # noqa: F401

from fewshot.classroom.consent import make_consent
from fewshot.classroom.store import ClassStore
from fewshot.errors import StoreError
from fewshot.research.bench.survival.openable import openable_by_student, student_keys
from fewshot.vault import FileKeys

Homes = tuple[Path, Path]
ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(__file__).with_name("other_eraser.py")


def environment() -> dict[str, str]:
    """That of this process, and this checkout."""
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def test_a_moved_folder_goes_on(homes: Homes, tmp_path: Path) -> None:
    home, keys = homes
    right = told(in_place(home), NAMES[0])
    new = tmp_path / "moved"
    home.rename(new)
    assert told(in_place(new), NAMES[0]) == right
    ClassStore(in_place(new)).record_consent("physics", "Later", make_consent("x"))
    ClassStore(in_place(new)).remove_student("physics", NAMES[1])
    assert told(in_place(new), NAMES[0]) == right
    assert len(list(keys.iterdir())) == 1, "the key of the old place is gone"


def test_a_copied_folder_becomes_one_of_its_own(homes: Homes, tmp_path: Path) -> None:
    home, keys = homes
    students = student_keys(in_place(home), "physics")
    copy = tmp_path / "copy"
    shutil.copytree(home, copy)
    right = told(in_place(home), NAMES[0])
    assert told(in_place(copy), NAMES[0]) == right
    ClassStore(in_place(copy)).remove_student("physics", NAMES[1])
    assert openable_by_student([copy], students, FileKeys(copy))[NAMES[1]] == 0
    assert told(in_place(home), NAMES[1]), "the other folder still has this student"
    ClassStore(in_place(home)).remove_student("physics", NAMES[0])
    assert told(in_place(copy), NAMES[0]) == right
    assert told(in_place(home), NAMES[2]) == told(in_place(copy), NAMES[2])
    assert len(list(keys.iterdir())) == 2


def test_a_copy_without_its_key_opens_nothing(
    homes: Homes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shutil.copytree(homes[0], tmp_path / "stolen")
    monkeypatch.setenv("FEWSHOT_HOME", str(tmp_path / "stolen"))
    shutil.move(homes[1], tmp_path / "out-of-reach")
    with pytest.raises(StoreError, match="is not on this computer"):
        told(in_place(tmp_path / "stolen"), NAMES[0])


def test_two_programs_that_enroll_and_remove_lose_nobody(homes: Homes) -> None:
    home, keys = homes
    right = {name: told(in_place(home), name) for name in NAMES}
    rounds = 8

    def begin(who: str) -> subprocess.Popen[str]:
        words = [sys.executable, str(PROGRAM), "work", str(home), who, str(rounds)]
        return subprocess.Popen(
            words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=environment()
        )

    pair = [begin(who) for who in ("Ada", "Bo")]
    answers = [program.communicate(timeout=240) for program in pair]
    assert [program.returncode for program in pair] == [0, 0], answers
    said = [out.split() for out, _ in answers]
    dropped = {key for part in said for key in part}
    assert len(dropped) == rounds, said
    database = in_place(home)
    kept = {f"{who} {number}" for who in ("Ada", "Bo") for number in range(0, rounds, 2)}
    assert set(ClassStore(database).roster("physics").students) == {*NAMES, *kept}
    assert {name: told(database, name) for name in NAMES} == right
    for name in kept:
        assert ClassStore(database).consents("physics", name)[0].given_by == f"the mother of {name}"
    store = FileKeys(home)
    assert dropped <= set(store.dropped()) and not dropped & set(store.names())
    assert len(list(keys.iterdir())) == 1


def test_a_recovery_file_is_made_for_a_copy_and_that_of_the_original_stays(homes: Homes, tmp_path: Path) -> None:
    word, first, second = "five words that differ much", tmp_path / "first.json", tmp_path / "second.json"
    FileKeys(homes[0]).export(first, word)
    before, copy = first.read_bytes(), tmp_path / "copy"
    shutil.copytree(homes[0], copy)
    assert FileKeys(copy).export(second, "another passphrase of a copy") == []
    assert second.is_file() and first.read_bytes() == before
    assert FileKeys(copy).record["recovery"]["places"] == [str(second)]
    assert FileKeys(homes[0]).record["recovery"]["places"] == [str(first)]
