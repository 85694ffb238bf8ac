"""The shell scripts of ``deploy/``: what is left behind when something fails."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

DEPLOY = Path(__file__).parents[2] / "deploy"
SHELL = shutil.which("sh")
pytestmark = pytest.mark.skipif(SHELL is None or sys.platform == "win32", reason="a shell runs these scripts")


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """Stand-ins for PostgreSQL's programs: pg_dump writes its file, and fails if it is told to."""
    folder = tmp_path / "tools"
    folder.mkdir()
    (folder / "pg_dump").write_text('#!/bin/sh\nfor last; do :; done\necho "$PGPASSWORD" >"$last"\nexit "${DUMP:-0}"\n')
    (folder / "pg_restore").write_text('#!/bin/sh\nexit "${LIST:-0}"\n')
    for program in folder.iterdir():
        program.chmod(0o755)
    return folder


def backup(tools: Path, target: Path, **more: str) -> subprocess.CompletedProcess[str]:
    target.mkdir(exist_ok=True)
    secret = target.parent / "password"
    if "PASSWORD_FILE" not in more:
        secret.write_text("hush\n")
    env = {
        "PATH": f"{tools}:{os.environ['PATH']}", "PASSWORD_FILE": str(secret), "TARGET": str(target), **more,
    }  # fmt: skip
    return subprocess.run(
        [str(SHELL), str(DEPLOY / "backup.sh"), "once"],
        env=env, capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("failing", [{"DUMP": "1"}, {"LIST": "1"}])
def test_a_copy_that_failed_leaves_nothing_that_looks_whole(
    tools: Path, tmp_path: Path, failing: dict[str, str]
) -> None:
    old = tmp_path / "backups" / "fewshot-old.dump"
    old.parent.mkdir()
    old.write_text("old")
    os.utime(old, (time.time() - 40 * 86400,) * 2)
    done = backup(tools, tmp_path / "backups", **failing)
    assert done.returncode != 0 and "failed" in done.stderr
    assert [path.name for path in old.parent.iterdir()] == ["fewshot-old.dump"], "the last good copy must stay"


def test_without_a_password_no_copy_is_made(tools: Path, tmp_path: Path) -> None:
    done = backup(tools, tmp_path / "backups", PASSWORD_FILE=str(tmp_path / "none"))
    assert done.returncode != 0
    assert list((tmp_path / "backups").iterdir()) == []


def test_old_copies_go_and_the_new_one_is_closed_to_others(tools: Path, tmp_path: Path) -> None:
    target = tmp_path / "backups"
    target.mkdir()
    for name, days in (("fewshot-old.dump", 16), ("fewshot-young.dump", 3), ("else.txt", 40)):
        (target / name).write_text("")
        os.utime(target / name, (time.time() - days * 86400,) * 2)
    done = backup(tools, target, BACKUP_DAYS="14")
    assert done.returncode == 0, done.stderr
    names = {path.name for path in target.iterdir()}
    assert "fewshot-old.dump" not in names and {"fewshot-young.dump", "else.txt"} < names
    (made,) = target.glob("fewshot-2*.dump")
    assert made.read_text() == "hush\n" and stat.S_IMODE(made.stat().st_mode) == 0o600


def secrets_in(folder: Path) -> dict[str, str]:
    done = subprocess.run(
        [str(SHELL), str(folder / "make_secrets.sh")], capture_output=True, text=True, timeout=20, check=False
    )
    assert done.returncode == 0, done.stderr
    found = {path.name: path.read_text() for path in (folder / "secrets").iterdir()}
    assert not any(value in done.stdout for value in found.values())
    return found


def test_secrets_are_made_once_and_differ(tmp_path: Path) -> None:
    shutil.copy(DEPLOY / "make_secrets.sh", tmp_path)
    made = secrets_in(tmp_path)
    assert set(made) == {"database_password", "key", "turn_password", "turn.conf"}
    plain = {made[name] for name in ("database_password", "key", "turn_password")}
    assert len(plain) == 3 and all(len(value) == 48 for value in plain)
    assert made["turn.conf"] == f"user=fewshot:{made['turn_password']}\n"
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700
    assert secrets_in(tmp_path) == made, "a second run must not lock anybody out"
