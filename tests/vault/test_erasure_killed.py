# ruff: noqa: F811
"""An erasure that is killed at any step is finished by the next start, and loses nobody else."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sealed_class import NAMES, homes, in_place, marks_of, told  # noqa: F401

from fewshot.classroom.store import ClassStore
from fewshot.research.bench.survival.openable import openable_by_student, readable, student_keys
from fewshot.vault import FileKeys

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(__file__).with_name("other_eraser.py")


def environment() -> dict[str, str]:
    """That of this process, and this checkout."""
    return {**os.environ, "PYTHONPATH": str(ROOT)}


pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs os._exit as POSIX has it")

ALL = "FEWSHOT_TEST_ALL_KILLS"
"""Set this variable to kill at every step; without it a seeded sample is tried."""
WHO = NAMES[1]


def erase(home: Path, last: int) -> int | None:
    """Remove a student in a program that ends before step ``last``. Returns the number of steps; None if it ended."""
    words = [sys.executable, str(PROGRAM), "erase", str(home), WHO, str(last)]
    done = subprocess.run(words, capture_output=True, text=True, cwd=ROOT, timeout=120, check=False, env=environment())
    assert done.returncode in (0, 9), done.stderr
    return int(done.stdout) if done.returncode == 0 else None


def put_back(folders: tuple[Path, Path], kept: Path) -> None:
    for home in folders:
        shutil.rmtree(home)
        shutil.copytree(kept / home.name, home)


def test_a_kill_at_any_step_is_made_good_by_the_next_start(
    homes: tuple[Path, Path],
    tmp_path: Path,
) -> None:
    home, keys = homes
    for folder in homes:
        shutil.copytree(folder, tmp_path / "kept" / folder.name)
    database = in_place(home)
    students = student_keys(database, "physics")
    right = {name: told(database, name) for name in NAMES}
    database.close()
    assert min(openable_by_student(homes, students, FileKeys(home)).values()) > 0

    steps = erase(home, 10_000) or 0
    assert steps > 10
    chosen = range(steps + 1)
    if not os.environ.get(ALL):
        drawn = random.Random(18).sample(range(1, steps - 14), 3)
        chosen = sorted({0, *drawn, *range(steps - 12, steps + 1)})  # the keys are dropped last
    seen = set()
    for last in chosen:
        put_back(homes, tmp_path / "kept")
        done = erase(home, last)
        assert (done is not None) == (last >= steps), f"step {last} of {steps}"
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
    assert seen == {True, False}
