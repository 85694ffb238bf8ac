# ruff: noqa: F811
"""An erasure that is killed at any step is finished by the next start, and loses nobody else."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sealed_class import NAMES, homes, in_place, marks_of, told  # noqa: F401
from sqlalchemy.orm import Session

from fewshot.classroom.store import ClassStore
from fewshot.research.bench.survival.children import in_child
from fewshot.research.bench.survival.openable import openable_by_student, readable, student_keys
from fewshot.vault import FileKeys

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs programs that can be forked")

STEPS: list[tuple[Any, str]] = [
    (os, "fsync"), (Path, "replace"), (Path, "rename"), (Path, "unlink"), (Path, "open"), (Session, "commit"),
]  # fmt: skip
MOST = 80
WHO = NAMES[1]


def counting(patch: pytest.MonkeyPatch, last: int) -> None:
    """From now on the program ends before its step number ``last``: a write, a rename, a deletion or a commit."""
    left = [last]

    def before(act: Callable[..., Any]) -> Callable[..., Any]:
        def step(*words: Any, **options: Any) -> Any:
            left[0] -= 1
            if left[0] < 0:
                os._exit(9)
            return act(*words, **options)

        return step

    for place, name in STEPS:
        patch.setattr(place, name, before(getattr(place, name)))


def put_back(folders: tuple[Path, Path], kept: Path) -> None:
    for home in folders:
        shutil.rmtree(home)
        shutil.copytree(kept / home.name, home)


def test_a_kill_at_any_step_is_made_good_by_the_next_start(
    homes: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    home, keys = homes
    for folder in homes:
        shutil.copytree(folder, tmp_path / "kept" / folder.name)
    database = in_place(home)
    students = student_keys(database, "physics")
    right = {name: told(database, name) for name in NAMES}
    database.close()
    assert min(openable_by_student(homes, students, FileKeys(home)).values()) > 0

    def erase(last: int) -> str:
        store = ClassStore(in_place(home))
        counting(monkeypatch, last)
        store.remove_student("physics", WHO)
        return "done"

    seen = set()
    for last in range(MOST):
        put_back(homes, tmp_path / "kept")
        said = in_child(lambda last=last: erase(last))
        assert said == "done" or said.endswith("it gave no answer"), said
        database = in_place(home)  # the next start
        there = WHO in ClassStore(database).roster("physics").students
        seen.add(there)
        assert {name: told(database, name) for name in right if name != WHO or there} == {
            name: value for name, value in right.items() if name != WHO or there
        }
        database.close()
        store = FileKeys(home)
        assert (students[WHO] in store.names()) == there, f"killed before step {last}"
        if not there:
            assert openable_by_student(homes, students, store)[WHO] == 0
            assert not [mark for mark in marks_of(WHO) if mark in readable(homes, store)]
        assert len(list(keys.iterdir())) == 1, f"killed before step {last}: an old epoch key is left"
        if said == "done":
            break
    else:
        pytest.fail("the erasure has more steps than were tried")
    assert seen == {True, False} and last > 10
