"""A place that cannot be written to is found before the work begins: no model is opened and no photo is looked at."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest
import requests
from drawn_faces import draw_photo, see_drawings
from typer.testing import CliRunner

from fewshot import Classroom
from fewshot.cli import app
from fewshot.database import open_database
from fewshot.errors import ModelUnavailable, StoreError
from fewshot.models.download import fetch
from fewshot.models.registry import Remote
from fewshot.private_files import why_not_writable

SYSTEM = Path("/sys")
"""A folder in which nobody can create a file, the administrator neither."""


def run(*words: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert "Traceback" not in result.output
    return result.exit_code, result.output


def refuse(*_: object, **__: object) -> NoReturn:
    raise AssertionError("the work has begun")


@pytest.fixture
def picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    see_drawings(monkeypatch)
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.chdir(tmp_path)
    return draw_photo(tmp_path / "photos/asha/happy/1.png", {1: 100}, emotion=3, seed=1)


@pytest.fixture
def no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("class_models", "commands.runs"):
        monkeypatch.setattr(f"fewshot.{module}.open_perception", refuse)


@pytest.fixture
def read_only(picture: Path, fewshot_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The database of a class, which SQLite opens for reading only."""
    Classroom.open("physics").enroll_folder(picture.parents[2], consent_by="her mother")
    monkeypatch.setenv("FEWSHOT_DATABASE", f"sqlite:///file:{fewshot_home / 'fewshot.db'}?mode=ro&uri=true")
    return picture


COMMANDS = {
    "a new class": ("enroll", "maths", "photos", "--consent-by", "her mother"),
    "a known class": ("enroll", "physics", "photos", "--consent-by", "her mother"),
    "analyze": ("analyze", "photos/asha/happy", "--record"),
    "analyze with a title": ("analyze", "photos/asha/happy", "--class", "physics", "--title", "Monday"),
    "live": ("live", "--source", "photos/asha/happy", "--no-show", "--record"),
    "live with a class": ("live", "--source", "photos/asha/happy", "--no-show", "--class", "physics", "--record"),
}


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_a_database_that_may_only_be_read(read_only: Path, no_work: None, words: tuple[str, ...]) -> None:
    code, said = run(*words)
    said = " ".join(said.split())
    assert code == 1 and "cannot be written to" in said and "FEWSHOT_HOME" in said
    assert Classroom.open("physics").students == ["asha"]


def test_the_class_says_so_in_python(read_only: Path, no_work: None) -> None:
    for enroll in (
        lambda: Classroom.open("physics").enroll("asha", read_only),
        lambda: Classroom.open("physics").enroll("bela", read_only, consent_by="himself"),
        lambda: Classroom.open("maths").enroll_folder(read_only.parents[2], consent_by="her mother"),
    ):
        with pytest.raises(StoreError, match="cannot be written to"):
            enroll()


def test_the_app_does_not_start(read_only: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("streamlit", reason="needs the extra app")
    from fewshot.app import launch as launching

    monkeypatch.setattr(launching, "_load_first_page", refuse)
    with pytest.raises(StoreError, match=r"cannot be written to.*FEWSHOT_HOME"):
        launching.launch(browser=False, serve=refuse)


def test_the_check_changes_nothing(picture: Path) -> None:
    database = open_database()
    assert database.path is not None
    before = database.path.read_bytes()
    database.require_writable()
    assert database.path.read_bytes() == before


@pytest.mark.parametrize("place", ["folder", "file"])
def test_a_home_that_cannot_be_made(picture: Path, no_work: None, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    Path("file").touch()
    monkeypatch.setenv("FEWSHOT_HOME", str(Path("file/home").absolute() if place == "file" else SYSTEM / "home"))
    for words in (COMMANDS["a new class"], COMMANDS["analyze"], COMMANDS["live"]):
        code, said = run(*words)
        assert code == 1 and "FEWSHOT_HOME" in said


def test_a_run_that_keeps_nothing_goes_on_without_its_timeline(picture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("file").touch()
    monkeypatch.setenv("FEWSHOT_HOME", str(Path("file/home").absolute()))
    code, said = run("analyze", "photos/asha/happy")
    said = " ".join(said.split())
    assert code == 0 and "Error" not in said and "1 frame in" in said
    assert "timeline of this run will not be kept" in said and "Timeline:" not in said
    code, said = run("analyze", "photos/asha/happy", "--summary-picture", "mine.png")
    assert code == 0 and "not be kept" not in said and Path("mine.png").is_file()


@pytest.mark.skipif(sys.platform != "linux", reason="needs a folder of the kernel")
@pytest.mark.parametrize("option", ["--jsonl", "--csv", "--save", "--summary-picture", "--profile", "--crops"])
def test_an_output_that_cannot_be_written(picture: Path, no_work: None, option: str) -> None:
    code, said = run("analyze", "photos/asha/happy", option, SYSTEM / "result.mp4")
    assert code == 1 and "/sys/result.mp4 cannot be written" in " ".join(said.split())


@pytest.mark.skipif(sys.platform != "linux", reason="needs a folder of the kernel")
def test_nothing_is_downloaded_that_cannot_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "get", refuse)
    remote = Remote("http://127.0.0.1:9/model.onnx", "model.onnx", "0" * 64, 1000)
    with pytest.raises(ModelUnavailable, match=r"/sys cannot be written to .*FEWSHOT_HOME"):
        fetch(remote, SYSTEM, 1.0)


@pytest.mark.parametrize("make", [lambda path: path, lambda path: path / "a/b"])
def test_a_folder_that_can_be_written(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    assert why_not_writable(make(tmp_path)) == "" and not list(tmp_path.iterdir())
