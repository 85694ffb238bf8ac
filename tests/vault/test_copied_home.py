# ruff: noqa: F811
"""The folder with the data is moved or copied: it goes on, and what is erased in one copy is erased in its key too."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from sealed_class import NAMES, homes, in_place, told  # noqa: F401

from fewshot.classroom.consent import make_consent
from fewshot.classroom.store import ClassStore
from fewshot.errors import StoreError
from fewshot.research.bench.survival.children import begin_child, wait_for
from fewshot.research.bench.survival.openable import openable_by_student, student_keys
from fewshot.vault import FileKeys

Homes = tuple[Path, Path]


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


@pytest.mark.skipif(os.name != "posix", reason="needs programs that can be forked")
def test_two_programs_that_enroll_and_remove_lose_nobody(homes: Homes) -> None:
    home, keys = homes
    right = {name: told(in_place(home), name) for name in NAMES}
    rounds = 20

    def work(who: str) -> str:
        store, removed = ClassStore(in_place(home)), []
        for number in range(rounds):
            name = f"{who} {number}"
            store.record_consent("physics", name, make_consent(f"the mother of {name}"))
            if number % 2:
                removed.append(student_keys(store.database, "physics")[name])
                store.remove_student("physics", name)
        return ",".join(removed)

    pair = [begin_child(lambda who=who: work(who)) for who in ("Ada", "Bo")]
    said = [wait_for(child).split(",") for child in pair]
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
