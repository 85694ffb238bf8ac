"""In a folder that others may write to, a link with the name of a temporary file leads no byte to another file."""

from __future__ import annotations

import hashlib
import os
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from fewshot.backup.make import make_backup
from fewshot.classroom.consent import Consent
from fewshot.classroom.store import ClassStore
from fewshot.commands.health import Health
from fewshot.private_files import open_fresh
from fewshot.vault import container
from fewshot.vault.durable import write_through

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs symbolic links")
WORD = "five words that belong together"


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    file = tmp_path / "victim"
    file.write_bytes(b"as it was")
    return file


def plant(folder: Path, victim: Path, *names: str) -> None:
    for name in names:
        (folder / name).symlink_to(victim)


def test_a_backup(tmp_path: Path, victim: Path) -> None:
    ClassStore().create("physics")
    ClassStore().record_consent("physics", "Asha", Consent("she", date(2026, 11, 20)))
    shared = tmp_path / "shared"
    shared.mkdir()
    plant(shared, victim, f".a.backup.{os.getpid()}.new", f"a.backup.{os.getpid()}.new", ".a.backup.new")
    made = make_backup(shared / "a.backup", WORD)
    assert made.contents.students == 1 and victim.read_bytes() == b"as it was"
    assert not (shared / "a.backup").is_symlink() and len(list(shared.iterdir())) == 4, "no temporary file is left"


def test_a_backup_with_the_longest_possible_name(tmp_path: Path) -> None:
    ClassStore().create("physics")
    file = tmp_path / ("学" * 85)
    assert make_backup(file, WORD).path == file and file.stat().st_size


def test_a_container_a_key_file_and_a_profile(tmp_path: Path, victim: Path) -> None:
    shared, pid = tmp_path / "shared", os.getpid()
    shared.mkdir()
    plant(shared, victim, "out", f"recovery.json.{pid}.new", f"profile.json.{pid}.part", "new")
    content = victim.read_bytes()
    header = container.Header(
        made="2026-11-20T10:00:00+00:00", program="1", migration="0010", kind="sqlite", installation="a" * 32,
        size=len(content), sha256=hashlib.sha256(content).hexdigest(), **container.new_secrets(),
    )  # fmt: skip
    container.seal(victim, shared / "out", header, WORD)
    write_through(shared / "recovery.json", b"keys")
    health = Health(shared / "profile.json")
    health.write()
    with open_fresh(shared / "new") as file:
        file.write(np.zeros(4).tobytes())
    assert victim.read_bytes() == b"as it was"
    assert (shared / "recovery.json").read_bytes() == b"keys" and not (shared / "new").is_symlink()
    assert b"runs" in (shared / "profile.json").read_bytes()


def test_a_link_that_comes_back_is_refused(tmp_path: Path, victim: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "new").symlink_to(victim)
    monkeypatch.setattr(Path, "unlink", lambda *_, **__: None)
    with pytest.raises(FileExistsError):
        open_fresh(tmp_path / "new")
    assert victim.read_bytes() == b"as it was"
