"""The copy that is kept before an update of the tables, put back by command: also one that was never encrypted."""

from __future__ import annotations

import shlex
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fewshot.classroom.store import ClassStore
from fewshot.cli import app
from fewshot.database import open_database
from fewshot.database.owner import LOCAL_TEACHER
from fewshot.session.lessons import LessonStore
from tests.database.old_store import make_old_store

ROOT = Path(__file__).resolve().parents[2]
NAMES = ["Quirina", "Zebulon"]


@pytest.fixture
def old(fewshot_home: Path) -> Path:
    """A database of an earlier version in the usual place: two students, a lesson with 20,000 readings."""
    fewshot_home.mkdir(mode=0o700)
    path = fewshot_home / "fewshot.db"
    make_old_store(path, "0005")
    with sqlite3.connect(path) as connection:
        connection.execute(
            "INSERT INTO classes (id, owner_id, name, folded, sample, created, network, identity_network, dimension, "
            "identity_dimension) VALUES (1, 'local', 'Physik für alle', 'physik', 0, '2026-01-01', '', '', 0, 0)"
        )
        connection.executemany(
            "INSERT INTO students (id, class_id, name, created) VALUES (?, 1, ?, '2026-01-01')", enumerate(NAMES, 1)
        )
        connection.execute(
            "INSERT INTO consents (student_id, given_by, day, purpose, recorded) "
            "VALUES (1, 'the mother', '2026-01-01', 'lessons', '2026-01-01')"
        )
        connection.execute(
            "INSERT INTO lessons (id, owner_id, class_id, title, source, network, sample, aggregate, started, ended, "
            "seconds, heartbeat, owner, labels) VALUES (1, 'local', 1, 'First lesson', '', '', 0, 0, '2026-11-01', "
            "'2026-11-01', 10000, '2026-11-01', '', '[\"happy\"]')"
        )
        connection.executemany(
            "INSERT INTO participants (id, lesson_id, student_id) VALUES (?, 1, ?)", [(1, 1), (2, 2)]
        )
        connection.executemany(
            "INSERT INTO readings (participant_id, second, frames, readable, faces, emotion, confidence, "
            "probabilities) VALUES (?, ?, 5, 5, 5, 0, 0.9, x'0000803f')",
            [(person, second) for person in (1, 2) for second in range(10_000)],
        )
    connection.close()
    return path


def held() -> tuple[list[str], list[str], list[str], str, int]:
    store = ClassStore(open_database())
    names = store.names()
    lesson = LessonStore(store.database, LOCAL_TEACHER).load(1)
    students = [*store.roster(names[0]).students]
    consents = [one.given_by for one in store.consents(names[0], NAMES[0])]
    return names, students, consents, lesson.info.title, len(lesson.readings)


WHOLE = (["Physik für alle"], NAMES, ["the mother"], "First lesson", 20_000)


def copies(folder: Path) -> list[Path]:
    return sorted(folder.glob("before-0005-*.db"))


def test_the_copy_is_put_back_with_all_names_and_texts(old: Path) -> None:
    assert held() == WHOLE
    (copy,) = copies(old.parent)
    done = CliRunner().invoke(app, ["restore", str(copy), "--yes"])
    assert done.exit_code == 0, done.output
    assert held() == WHOLE


SLOW = """
import os, signal
from fewshot.database import upgrade
done = upgrade._check_references
def die(*words):
    {before}os.kill(os.getpid(), signal.SIGKILL)
    done(*words)
    os.kill(os.getpid(), signal.SIGKILL)
upgrade._check_references = die
from fewshot.database import open_database
open_database()
"""


@pytest.mark.parametrize("where", ["before the copy", "all tables changed", "in the copy"])
def test_a_migration_that_was_killed_is_done_by_the_next_start_and_can_be_put_back(old: Path, where: str) -> None:
    program = SLOW.format(before="")
    if where == "before the copy":
        program = program.replace("_check_references", "_keep_copy")
    if where == "in the copy":
        program = program.replace("upgrade._check_references", "copies.snapshot").replace(
            "import upgrade", "import copies"
        )
    killed = subprocess.run([sys.executable, "-c", program], check=False, cwd=ROOT, capture_output=True)
    assert killed.returncode == -9, killed.stderr
    assert held() == WHOLE
    newest = copies(old.parent)[-1]
    shutil.copy(newest, newest.with_name("kept"))
    done = CliRunner().invoke(app, ["restore", str(newest), "--yes"])
    assert done.exit_code == 0, done.output
    assert held() == WHOLE


def test_the_command_that_is_named_can_be_pasted_into_a_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ClassStore().create("physics")
    word = tmp_path / "word"
    word.write_text("five words that belong together")
    monkeypatch.chdir(tmp_path)
    for name in ("a b$(x)'c.backup", "-x.backup"):
        done = CliRunner().invoke(app, ["backup", "--passphrase-file", str(word), "--", name])
        assert done.exit_code == 0, done.output
        line = next(line for line in done.output.splitlines() if "fewshot restore" in line)
        *_, command, file = shlex.split(line.partition("type:")[2])
        assert command == "restore" and not file.startswith("-") and Path(file).resolve() == tmp_path / name
