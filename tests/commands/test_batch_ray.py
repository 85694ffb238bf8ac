"""``fewshot analyze --engine ray``: the tables of one machine, and lessons that go on when a process is killed."""

from __future__ import annotations

import importlib.util
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from drawn_faces import draw_video
from typer.testing import CliRunner

pytest.importorskip("pyarrow", reason="needs the extra app")

from fewshot.cli import app
from fewshot.commands.batch_process import Result, Work
from fewshot.commands.batch_ray import analyze_there
from fewshot.session.temporary import clean_up

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
# Ray must not be imported before RAY_AUTH_MODE is set.
needs_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="needs the extra cluster")
WORDS = ["--offline", "--detector", "cascade"]


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("RAY_ADDRESS", "RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH", "FEWSHOT_API"):
        monkeypatch.delenv(name, raising=False)


def video(path: Path, frames: int = 3) -> Path:
    return draw_video(path, {1: 100, 2: 100}, frames)


def fewshot(*words: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, [*words])
    assert result.exit_code == code, result.output
    return result.output


def test_without_ray_nothing_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    video(Path("a.avi"))
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "ray" else real(name))
    assert "not installed (ray)" in fewshot("analyze", "a.avi", "--engine", "ray", "--out", "out", code=2)
    assert not Path("out").exists()


def test_a_machine_that_does_not_see_the_tables_says_so(tmp_path: Path) -> None:
    work = Work("a.avi", "gone/a.part", None, ("local", "", "teacher"), "cascade", None, False, None)
    (said,) = analyze_there(work, str(tmp_path), {})
    assert isinstance(said, Result) and f"does not see the folder {tmp_path / 'gone'}" in said.fault and not said.again


@needs_ray
def test_tables_have_the_bytes_of_one_machine_and_are_known_to_both() -> None:
    for name in ("a.avi", "b.avi"):
        video(Path("lessons") / name)
    Path("lessons/broken.avi").write_bytes(b"no video" * 99)
    said = fewshot("analyze", "lessons", "--engine", "ray", "--jobs", "2", "--out", "ray", *WORDS, code=1)
    assert "2 of 3 lessons finished" in said and "Error: lessons/broken.avi: " in said
    Path("lessons/broken.avi").unlink()
    fewshot("analyze", "lessons", "--jobs", "2", "--out", "one", *WORDS)
    for name in ("a.avi.parquet", "b.avi.parquet"):
        assert Path("ray", name).read_bytes() == Path("one", name).read_bytes()
        assert Path("ray", name).stat().st_mode & 0o777 == 0o600
    assert not list(Path("ray").glob(".*.part"))
    assert "2 lessons finished before" in fewshot("analyze", "lessons", "--jobs", "1", "--out", "ray", *WORDS)


def of_lesson(batch: psutil.Process, within: float = 120.0) -> psutil.Process:
    """The process that analyzes a lesson now."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        for process in batch.children(recursive=True):
            try:
                if "fewshot.commands.batch_work" in process.cmdline():
                    return process
            except psutil.Error:
                continue
        assert batch.is_running()
        time.sleep(0.05)
    pytest.fail("no lesson was begun")


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for temporary files that no other program cleans up. Ray's sockets need a short path."""
    with tempfile.TemporaryDirectory(prefix="f", dir="/tmp", ignore_cleanup_errors=True) as folder:
        monkeypatch.setenv("TMPDIR", folder)
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


@needs_ray
def test_a_killed_process_of_ray_is_replaced_and_a_killed_batch_goes_on(tmp_path: Path, short: Path) -> None:
    video(Path("lessons/a.avi"))
    video(Path("lessons/quimby.avi"), frames=600)
    words = [sys.executable, "-m", "fewshot", "analyze", "lessons", "--engine", "ray", "--jobs", "1", *WORDS]
    log = tmp_path / "log"
    with log.open("wb") as opened:
        batch = psutil.Popen(words, stdout=opened, stderr=opened)
    until = time.monotonic() + 240
    try:
        while "lessons/a.avi: 3 frames" not in log.read_text():
            assert time.monotonic() < until and batch.poll() is None, log.read_text()
            time.sleep(0.1)
        first = of_lesson(batch)
        first.parent().kill()  # Ray's process, which started it
        psutil.wait_procs([first], timeout=20)
        assert not first.is_running(), "it must not be left behind"
        second = of_lesson(batch)
        assert second.pid != first.pid
        # Ray's agents know nothing of a lesson, and take a minute or more to notice.
        left = [each for each in batch.children(recursive=True) if "Agent" not in each.name()]
        batch.kill()
        batch.wait()
        _, alive = psutil.wait_procs(left, timeout=60)
        assert alive == [], "Ray must not outlive the batch"
        owner = f"|{batch.pid}|"
        (folder,) = short.glob("fewshot-ray-*")
        assert owner in (folder / "owner").read_text()
        files = [each for each in folder.rglob("*") if each.is_file()]
        assert files and [each for each in files if b"quimby" in each.read_bytes()] == []
        assert folder.stat().st_mode & 0o777 == 0o700
        clean_up()  # what the next start does
        assert not folder.exists()
    finally:
        for process in [*batch.children(recursive=True), batch] if batch.poll() is None else []:
            process.kill()
    before = Path("fewshot-lessons/a.avi.parquet").stat().st_mtime_ns
    video(Path("lessons/quimby.avi"), frames=3)
    said = fewshot("analyze", "lessons", "--jobs", "1", *WORDS)
    assert "1 lesson finished before" in said and "2 of 2 lessons finished" in said
    assert Path("fewshot-lessons/a.avi.parquet").stat().st_mtime_ns == before
    assert not list(Path("fewshot-lessons").glob(".*.part"))
