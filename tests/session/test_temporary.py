"""Photos in the temporary directory do not outlive a killed program; nothing else is touched."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from fewshot.session.liveness import this_process
from fewshot.session.temporary import KINDS, TemporaryFolder, clean_up

MADE = """
import sys, time
from pathlib import Path
from fewshot.session.temporary import TemporaryFolder
folder = TemporaryFolder("upload")
Path(folder.name, "face.jpg").write_bytes(b"a face")
print(folder.name, flush=True)
time.sleep(60)
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary directory of this test's own."""
    place = tmp_path / "tmp"
    place.mkdir()
    monkeypatch.setenv("TMPDIR", str(place))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return place


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is a signal of POSIX systems")
def test_what_a_killed_program_leaves_goes_at_the_next_start(temporary: Path) -> None:
    program = subprocess.Popen([sys.executable, "-c", MADE], stdout=subprocess.PIPE, text=True)
    try:
        place = Path(program.stdout.readline().strip())
        assert clean_up() == 0 and (place / "face.jpg").exists()  # it still runs
    finally:
        program.send_signal(signal.SIGKILL)
        program.wait(20)
        program.stdout.close()
    assert (place / "face.jpg").exists()
    assert clean_up() == 1 and list(temporary.iterdir()) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_is_empty_ours_only_and_gone_after_its_use(temporary: Path, kind: str) -> None:
    with TemporaryFolder(kind) as name:
        assert list(Path(name).iterdir()) == [] and clean_up() == 0
        if os.name == "posix":
            assert Path(name).parent.stat().st_mode & 0o077 == 0
    assert list(temporary.iterdir()) == []


def left(temporary: Path, name: str, owner: str | None) -> Path:
    folder = temporary / name
    folder.mkdir()
    if owner is not None:
        (folder / "owner").write_text(owner)
    return folder


def of_dead_process() -> str:
    machine, _, start = this_process().split("|")
    return f"{machine}|{2**22 - 3}|{start}"


def test_only_what_is_certainly_ours_and_dead_is_deleted(temporary: Path) -> None:
    machine, pid, _ = this_process().split("|")
    kept = [
        left(temporary, "fewshot-upload-nobody1", None),
        left(temporary, "fewshot-upload-alive12", this_process()),
        left(temporary, "fewshot-upload-elsewhe", f"another machine|{2**22 - 3}|1"),
        left(temporary, "fewshot-upload-nonsens", "no owner at all"),
        left(temporary, "fewshot-other-abcdefgh", of_dead_process()),
        left(temporary, "somebodys-fewshot-upload-x", of_dead_process()),
    ]
    target = left(temporary, "precious", of_dead_process())
    (temporary / "fewshot-upload-link1234").symlink_to(target, target_is_directory=True)
    dead = [left(temporary, "fewshot-upload-dead1234", of_dead_process())]
    if sys.platform.startswith("linux"):
        # The number of the process is in use again, by another one.
        dead.append(left(temporary, "fewshot-photos-reused12", f"{machine}|{pid}|1"))
    assert clean_up() == len(dead)
    assert all(folder.exists() for folder in (*kept, target)) and not any(folder.exists() for folder in dead)


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="owners of files are a matter of POSIX systems")
def test_what_belongs_to_somebody_else_is_not_touched(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = left(temporary, "fewshot-upload-dead1234", of_dead_process())
    monkeypatch.setattr(os, "getuid", lambda: folder.stat().st_uid + 1)
    assert clean_up() == 0 and folder.exists()


def test_the_start_of_the_app_cleans_up(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("streamlit", reason="needs the extra app")
    from fewshot.app import launch as launching

    folder = left(temporary, "fewshot-upload-dead1234", of_dead_process())
    monkeypatch.setattr(launching, "_load_first_page", lambda: None)
    launching.launch(serve=lambda options: None, browser=False, host="127.0.0.1")
    assert not folder.exists()
