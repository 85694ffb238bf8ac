"""An erasure with a managed backup that is killed at any step, and two programs that erase at once."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from managed_school import as_new_program, cheap_passphrase, managed, rescued

from fewshot.access.safety import Safety
from fewshot.classroom.store import ClassStore
from fewshot.database import open_database

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "tests/vault/other_eraser.py"
KILLS = 6
ALL = "FEWSHOT_TEST_ALL_KILLS"
"""Set this variable to kill before every step; without it a seeded sample is tried."""

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs os._exit as POSIX has it")


@pytest.fixture(autouse=True)
def quick() -> Iterator[None]:
    with cheap_passphrase():
        yield


def command(*words: object) -> list[str]:
    return [sys.executable, str(PROGRAM), *map(str, words)]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def erase(home: Path, last: int) -> int | None:
    """Remove a student in a program that ends before step ``last``. Returns the number of steps; None if it ended."""
    words = command("erase", home, "Zebulon", last)
    done = subprocess.run(words, capture_output=True, text=True, cwd=ROOT, timeout=120, check=False, env=environment())
    assert done.returncode in (0, 9), done.stderr
    return int(done.stdout) if done.returncode == 0 else None


def test_the_next_start_finishes_what_a_kill_left(tmp_path: Path, fewshot_home: Path) -> None:
    store, key_file, backup = managed(tmp_path)
    store.database.close()
    folders = (fewshot_home, fewshot_home.with_name(f"{fewshot_home.name}-keys"), backup.parent, key_file.parent)

    def put_back() -> None:
        for folder in folders:
            shutil.rmtree(folder)
            shutil.copytree(tmp_path / "kept" / folder.name, folder)
        as_new_program()

    for folder in folders:
        shutil.copytree(folder, tmp_path / "kept" / folder.name)
    old = backup.read_bytes()
    put_back()  # a copied folder that has its old path
    steps = erase(fewshot_home, 10_000) or 0
    assert steps > 20
    seen = set()
    chosen = range(steps) if os.environ.get(ALL) else sorted(random.Random(18).sample(range(1, steps), KILLS))
    for number, last in enumerate(chosen):
        put_back()
        assert erase(fewshot_home, last) is None, f"step {last} of {steps}"
        there = "Zebulon" in ClassStore().roster("physics").students  # the next start
        seen.add(there)
        assert [shown.current for shown in Safety.here().managed()] == [True], f"killed before step {last}"
        assert (backup.read_bytes() == old) == there
        assert [file.name for file in backup.parent.iterdir()] == [backup.name], f"killed before step {last}"
        names, titles = rescued(tmp_path / f"new {number}", key_file, backup)
        assert sorted(names) == (["Quirina", "Zebulon"] if there else ["Quirina"])
        assert titles == ["Zebulon speaks" if there else "[removed] speaks"], "no text is lost"
    assert False in seen


def test_two_programs_that_erase_at_once_leave_one_good_backup(tmp_path: Path, fewshot_home: Path) -> None:
    store, key_file, backup = managed(tmp_path)
    store.database.close()
    programs = [
        subprocess.Popen(command("work", fewshot_home, who, 4), cwd=ROOT, env=environment(), stdout=subprocess.PIPE)
        for who in ("A", "B")
    ]
    gone = []
    for program in programs:
        out, _ = program.communicate(timeout=120)
        assert program.returncode == 0
        gone += out.decode().split()
    as_new_program()
    left = sorted(ClassStore(open_database()).roster("physics").students)
    assert left == ["A 0", "A 2", "B 0", "B 2", "Quirina", "Zebulon"] and len(gone) == 4
    assert [shown.current for shown in Safety.here().managed()] == [True]
    assert not set(gone) & set(open_database().vault.names())
    assert [file.name for file in backup.parent.iterdir()] == [backup.name]
    assert sorted(rescued(tmp_path / "new", key_file, backup)[0]) == left
