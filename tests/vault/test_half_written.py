"""What a killed program was writing does not stay beside the file: it may hold keys and names that are erased later."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from sealed_class import NAMES, fill, in_place

from fewshot.classroom import exports
from fewshot.classroom.store import ClassStore
from fewshot.vault import FileKeys
from fewshot.vault.durable import write_through

PASSPHRASE = "correct horse battery"


@pytest.fixture
def dead() -> int:
    """The number of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    return process.pid


def half(path: Path, pid: int) -> Path:
    """What a program with this number leaves if it is killed while it writes a file."""
    made = path.with_name(f"{path.name}.{pid}.new")
    made.write_bytes(b"Zebulon")
    return made


def test_an_erasure_leaves_no_half_file_of_a_killed_program(fewshot_home: Path, tmp_path: Path, dead: int) -> None:
    database, keys = in_place(fewshot_home), fewshot_home.with_name(f"{fewshot_home.name}-keys")
    fill(database).close()
    recovery = tmp_path / "stick" / "recovery [1].json"
    recovery.parent.mkdir()
    FileKeys(fewshot_home).export(recovery, PASSPHRASE)
    epoch = next(keys.iterdir())
    never_used = epoch.with_name(f"{epoch.name.partition('-')[0]}-0123456789abcdef.key")
    paths = [fewshot_home / name for name in ("keys.json", "erased.json", "texts.json")]
    halves = [half(path, dead) for path in (*paths, recovery, epoch, never_used)]
    ClassStore(database).remove_student("physics", NAMES[0])
    assert [path.name for path in halves if path.exists()] == []
    assert len(list(keys.iterdir())) == 1


def test_a_start_deletes_a_half_written_epoch_key(fewshot_home: Path, dead: int) -> None:
    fill(in_place(fewshot_home)).close()
    (epoch,) = fewshot_home.with_name(f"{fewshot_home.name}-keys").iterdir()
    left = half(epoch.with_name(f"{epoch.name.partition('-')[0]}-0123456789abcdef.key"), dead)
    in_place(fewshot_home)
    assert not left.exists() and epoch.exists()


def test_the_journal_of_exported_lessons_is_cleaned_when_it_is_read(tmp_path: Path, dead: int) -> None:
    left = half(tmp_path / exports.JOURNAL, dead)
    with exports.journal_of(tmp_path):
        assert not left.exists()


def test_only_files_of_killed_programs_are_deleted(tmp_path: Path, dead: int) -> None:
    path = tmp_path / "keys.json"
    stay = [half(path, os.getppid()), tmp_path / "keys.json.new", tmp_path / "keys.json.old.new", tmp_path / "b.new"]
    for file in stay[1:]:
        file.write_bytes(b"of somebody else")
    left = half(path, dead)
    write_through(path, b"{}")
    assert not left.exists() and all(file.exists() for file in stay)
