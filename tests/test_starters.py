"""The starters in ``deploy/start``: double-clicked by people who know no terminal, with what can go wrong there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

STARTERS = Path(__file__).parents[1] / "deploy" / "start"
SHELL = shutil.which("sh")
pytestmark = pytest.mark.skipif(SHELL is None or sys.platform == "win32", reason="a shell runs these starters")

UV = """#!/bin/sh
echo "uv $*" >>"$SAID"
case "$1" in
    --version) exit 0 ;;
    venv)
        for last; do :; done
        mkdir -p "$last/bin"
        printf '#!/bin/sh\\nexit "${CV2:-0}"\\n' >"$last/bin/python" ;;
    pip)
        [ -z "${BROKEN:-}" ] || { echo "no such package" >&2; exit 1; }
        printf '#!/bin/sh\\necho "fewshot $*" >>"$SAID"\\nexit "${ENDED:-0}"\\n' >"${4%/python}/fewshot" ;;
esac
chmod +x "$FEWSHOT_HOME"/program/app/bin/* 2>/dev/null
exit 0
"""
"""Stands for uv: it writes down how it was called, and makes programs that do the same."""


@pytest.fixture
def download(tmp_path: Path) -> Path:
    """What a teacher unpacked, in a folder as people have them."""
    folder = tmp_path / "Übung (1) & more"
    (folder / "deploy").mkdir(parents=True)
    shutil.copytree(STARTERS, folder / "deploy" / "start")
    (folder / "pyproject.toml").write_text("first")
    (folder / "constraints.txt").write_text("")
    return folder


def start(download: Path, *words: str, uv: bool = True, starter: str = "start.sh", **more: str) -> tuple[int, str, str]:
    """Exit code, what a person reads, and what was called."""
    home, tools = download.parent / "home", download.parent / "tools"
    tools.mkdir(exist_ok=True)
    if uv:
        (tools / "uv").write_text(UV)
        (tools / "uv").chmod(0o755)
    for name in ("sh", "dirname", "cat", "cksum", "mkdir", "rm", "chmod", "env"):
        if not (tools / name).exists():
            (tools / name).symlink_to(str(shutil.which(name)))
    said = download.parent / "said"
    said.write_text("")
    env = {"PATH": str(tools), "FEWSHOT_HOME": str(home / "few shot"), "SAID": str(said), **more}
    done = subprocess.run(
        [str(SHELL), str(download / "deploy" / "start" / starter), *words],
        env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr, said.read_text()


def test_the_first_start_installs_and_the_next_ones_only_open(download: Path) -> None:
    code, read, called = start(download, "--no-browser")
    assert code == 0, read
    assert "Installing fewshot" in read and "Opening fewshot" in read
    assert f"{download}[app,heif]" in called
    assert called.splitlines()[-1] == "fewshot app --no-browser"
    code, read, called = start(download)
    assert (code, called) == (0, "fewshot app\n")
    assert "Installing" not in read


def test_a_newer_download_or_a_moved_folder_is_installed_again(download: Path) -> None:
    start(download)
    (download / "pyproject.toml").write_text("second")
    assert "uv pip install" in start(download)[2]
    moved = download.rename(download.with_name("moved"))
    assert "uv pip install" in start(moved)[2]
    assert "uv pip install" not in start(moved)[2]


def test_what_was_not_installed_completely_is_installed_again(download: Path) -> None:
    code, read, called = start(download, BROKEN="1")
    assert code == 1 and "fewshot app" not in called
    assert "no such package" in read and "could not be installed" in read and "start again" in read
    code, _, called = start(download)
    assert code == 0 and "uv pip install" in called


def test_without_uv_and_without_a_connection_it_says_so(download: Path) -> None:
    code, read, _ = start(download, uv=False)
    assert code == 1
    assert "uv could not be downloaded" in read and "online" in read


def test_a_starter_that_lies_alone_says_what_it_needs(download: Path) -> None:
    (download / "constraints.txt").unlink()
    code, read, called = start(download)
    assert code == 1 and called == ""
    assert "Unpack the whole download" in read


@pytest.mark.skipif(os.geteuid() == 0 if hasattr(os, "geteuid") else True, reason="root may write everywhere")
def test_a_home_that_cannot_be_written(download: Path) -> None:
    (download.parent / "home").mkdir(mode=0o500)
    code, read, _ = start(download)
    assert code == 1 and "cannot be written to" in read and "FEWSHOT_HOME" in read


def test_a_file_where_the_home_should_be(download: Path) -> None:
    (download.parent / "home").write_text("")
    code, read, _ = start(download)
    assert code == 1 and "cannot be written to" in read


def test_without_any_home(download: Path) -> None:
    code, read, _ = start(download, FEWSHOT_HOME="")
    assert code == 1 and "no home folder" in read


def test_missing_system_libraries_are_named(download: Path) -> None:
    code, read, called = start(download, CV2="1")
    assert code == 1 and "libgl1" in read
    assert "fewshot app" not in called


@pytest.mark.parametrize(("ended", "code"), [("0", 0), ("130", 0), ("143", 0), ("1", 1), ("139", 1)])
def test_the_window_says_when_the_app_failed(download: Path, ended: str, code: int) -> None:
    got, read, _ = start(download, ENDED=ended)
    assert got == code
    assert ("fewshot doctor" in read) == bool(code)


def test_on_macos_the_same_starter_runs(download: Path) -> None:
    code, _, called = start(download, starter="fewshot.command")
    assert code == 0 and called.endswith("fewshot app\n")


def test_on_linux_the_entry_of_the_desktop_runs_it(download: Path) -> None:
    """The line of the entry, unquoted as the standard of desktop entries says."""
    entry = (download / "deploy/start/fewshot.desktop").read_text()
    (line,) = [line.removeprefix("Exec=") for line in entry.splitlines() if line.startswith("Exec=")]
    assert line.startswith('sh -c "') and line.endswith('" sh %k')
    script = line[len('sh -c "') : -len('" sh %k')].replace("\\\\", "\\").replace('\\"', '"').replace("\\$", "$")
    (download / "deploy/start/run.sh").write_text(f"set -- '{download}/deploy/start/fewshot.desktop'\n{script}")
    code, _, called = start(download, starter="run.sh")
    assert code == 0 and called.endswith("fewshot app\n")


def test_windows_reads_the_same_steps() -> None:
    """Read only: nothing here runs it."""
    content = (STARTERS / "fewshot.bat").read_bytes()
    assert content.count(b"\r\n") == content.count(b"\n")
    words = content.decode("ascii")
    for step in ('--python ">=3.11,<3.14"', "[app,heif]", "constraints.txt", 'fewshot.exe" app %*', "pause"):
        assert step in words
    labels = {line[1:] for line in words.split("\r\n") if line.startswith(":")}
    jumps = {line.split("goto ", 1)[1].split()[0] for line in words.split("\r\n") if "goto " in line}
    assert jumps <= labels
