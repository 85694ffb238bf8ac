"""What fewshot keeps of students can be opened by its owner only, also files that an earlier version left open."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fewshot.app.uploads import Upload, save_student
from fewshot.classroom.consent import make_consent
from fewshot.classroom.store import ClassStore
from fewshot.classroom.traces import LAST_TIMELINE
from fewshot.commands.health import Health
from fewshot.commands.outputs import Outputs
from fewshot.commands.runs import _show
from fewshot.database import Database, in_folder, open_database
from fewshot.errors import UsageError
from fewshot.inference import blob_cache
from fewshot.inference.engines import _cache_folder
from fewshot.live.play import Outcome
from fewshot.live.sinks.crops import FaceCrops
from fewshot.live.sinks.jsonl import JsonLines
from fewshot.live.sinks.table import CsvTable, ParquetTable
from fewshot.live.sinks.video import AnnotatedVideo
from fewshot.models import offline
from fewshot.models.lock import one_process
from fewshot.private_files import claim_private, tighten, write_private
from fewshot.session import turn_password
from fewshot.session.lessons import LessonStore
from fewshot.session.recorder import LessonRecorder
from fewshot.session.report import write_report
from fewshot.session.summary import Summary
from fewshot.session.timeline import save_timeline
from fewshot.types import FrameResult, Reading

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs POSIX permissions")


@pytest.fixture(autouse=True)
def usual_umask() -> object:
    before = os.umask(0o022)
    yield before
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_database_its_journals_and_its_folder(fewshot_home: Path) -> None:
    store = ClassStore()
    store.create("physics")
    with store.database.write() as session:
        session.connection().exec_driver_sql("UPDATE classes SET sample = 0")
        names = {path.name for path in fewshot_home.iterdir()}
        assert {"fewshot.db", "fewshot.db-wal", "fewshot.db-shm"} <= names
        assert {mode(path) for path in fewshot_home.iterdir()} == {0o600}
    assert mode(fewshot_home) == 0o700


@pytest.mark.parametrize("name", ["fewshot.db", "fewshot.db-wal", "fewshot.db-shm", "fewshot.db.bak", "fewshot.db~"])
def test_files_that_an_earlier_version_left_open_are_closed_at_the_start(fewshot_home: Path, name: str) -> None:
    open_database()
    path = fewshot_home / name
    if not path.exists():
        path.write_bytes(b"")
    path.chmod(0o664)
    Database(f"sqlite:///{fewshot_home / 'fewshot.db'}")
    assert not path.exists() or mode(path) == 0o600


def test_every_output_of_a_run_is_for_its_owner_only(fewshot_home: Path, tmp_path: Path) -> None:
    os.umask(0)
    out = tmp_path / "out"
    out.mkdir()
    (out / "old.csv").write_text("before", encoding="utf-8")
    (out / "old.csv").chmod(0o644)
    frame = np.zeros((48, 64, 3), np.uint8)
    reading = Reading(1, (8, 8, 40, 40), 0.9, "asha", 0.9, "happy", 0.8, {"happy": 0.8})
    sinks: list[Any] = [
        JsonLines(out / "a.jsonl"), CsvTable(out / "old.csv"), ParquetTable(out / "a.parquet"),
        FaceCrops(out / "crops"), AnnotatedVideo(out / "a.mp4", fps=5, codec="mpeg4"),
        AnnotatedVideo(out / "b.avi", fps=5),
    ]  # fmt: skip
    for sink in sinks:
        sink.write(FrameResult("cam", 0, 0.0, 64, 48, (reading,)), frame)
        sink.close()
    save_timeline(Summary(), out / "a.png")
    ClassStore().create("physics")
    ClassStore().record_consent("physics", "asha", make_consent("mum"))
    recorded = LessonRecorder.start("physics", ["asha"])
    recorded.write(FrameResult("cam", 0, 0.0, 64, 48, (reading,)))
    recorded.close()
    for ending in (".csv", ".parquet", ".html"):
        write_report(LessonStore().load(recorded.lesson), out / f"report{ending}")
    found = [path for path in out.rglob("*") if path.is_file()]
    assert len(found) >= 10
    assert {path.name: oct(mode(path)) for path in found if mode(path) != 0o600} == {}
    assert mode(out / "crops") == 0o700


def test_a_profile_which_names_its_source_is_for_its_owner_only(tmp_path: Path) -> None:
    os.umask(0)
    file = tmp_path / "profile.json"
    file.write_text("before", encoding="utf-8")
    file.chmod(0o644)
    with Health(file):
        assert mode(file) == 0o600
    assert mode(file) == 0o600 and list(tmp_path.iterdir()) == [file]


def test_what_else_is_kept_in_the_folder_of_the_program(fewshot_home: Path) -> None:
    os.umask(0)
    cache = _cache_folder()
    assert cache is not None and {mode(place) for place in (cache, cache.parent, fewshot_home)} == {0o700}
    (cache / "1.blob").write_bytes(b"compiled")  # OpenVINO writes it
    blob_cache.remember(cache)
    offline.remember(fewshot_home / "offline.json", "github.com")
    turn_password.write("secret")
    assert {mode(path) for path in fewshot_home.rglob("*") if path.is_file()} == {0o600}


def test_half_a_report_does_not_stay(fewshot_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lesson, file = LessonStore().create(), tmp_path / "r.csv"

    def full(path: Path, data: bytes) -> None:
        path.write_bytes(data[:3])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("fewshot.session.report.write_private", full)
    with pytest.raises(UsageError, match=r"r\.csv cannot be written \(No space left"):
        write_report(LessonStore().load(lesson), file)
    assert not file.exists()


def test_a_device_keeps_its_permissions(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    changed: list[int] = []
    monkeypatch.setattr(os, "fchmod", lambda descriptor, _: changed.append(descriptor))
    write_private(Path(os.devnull), b"x")
    claim_private(Path(os.devnull))
    assert changed == []


def test_a_home_that_was_open_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "open"
    home.mkdir(mode=0o755)
    monkeypatch.setenv("FEWSHOT_HOME", str(home))
    (home / LAST_TIMELINE).write_bytes(b"x")
    open_database()
    assert mode(home) == 0o700


def test_a_class_in_a_folder_of_its_own(tmp_path: Path) -> None:
    assert in_folder(tmp_path / "new").path == tmp_path / "new" / "fewshot.db"
    assert mode(tmp_path / "new") == 0o700 and mode(tmp_path / "new" / "fewshot.db") == 0o600
    (tmp_path / "mine").mkdir(mode=0o755)
    in_folder(tmp_path / "mine")
    assert mode(tmp_path / "mine") == 0o755, "somebody's own folder is not changed"
    assert mode(tmp_path / "mine" / "fewshot.db") == 0o600


def test_what_belongs_to_others_is_named_and_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "fewshot.db"
    path.write_bytes(b"x")
    path.chmod(0o644)
    monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)
    (said,) = tighten([path, tmp_path / "missing"])
    assert str(path) in said and "another user" in said and "chmod go-rwx" in said
    assert mode(path) == 0o644


def test_folders_that_are_not_only_for_fewshot_are_not_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared, home = tmp_path / "tmp", tmp_path / "me"
    for folder in (shared, home):
        folder.mkdir()
    shared.chmod(0o1777)
    home.chmod(0o755)
    monkeypatch.setenv("HOME", str(home))
    said = tighten([shared, home])
    assert len(said) == 2 and all("FEWSHOT_HOME" in text for text in said)
    assert mode(shared) == 0o1777 and mode(home) == 0o755


def test_permissions_that_cannot_be_set_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    path = tmp_path / "x"
    path.write_bytes(b"x")
    path.chmod(0o644)
    monkeypatch.setattr(Path, "chmod", refuse)
    (said,) = tighten([path])
    assert "Operation not permitted" in said


def test_the_timeline_of_the_last_run(fewshot_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fewshot_home.mkdir()
    (fewshot_home / LAST_TIMELINE).write_bytes(b"from an earlier version")
    (fewshot_home / LAST_TIMELINE).chmod(0o644)
    summary = Summary(["asha"])
    summary.write(FrameResult("x", 0, 0.0, 64, 48, ()))
    _show(Outcome(1, 1.0), summary, Outputs())
    assert mode(fewshot_home / LAST_TIMELINE) == 0o600
    assert (fewshot_home / LAST_TIMELINE).read_bytes().startswith(b"\x89PNG")


def test_uploads_and_locks(tmp_path: Path) -> None:
    save_student([Upload("1.jpg", b"x")], tmp_path, "asha")
    assert [mode(path) for path in tmp_path.rglob("*.jpg")] == [0o600]
    with one_process(tmp_path / "fewshot" / "models"):
        assert mode(tmp_path / "fewshot") == 0o700 and mode(tmp_path / "fewshot" / "models.lock") == 0o600
    write_private(tmp_path / "y", b"y")
    assert mode(tmp_path / "y") == 0o600


def test_where_there_are_no_permissions_nothing_breaks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fewshot.private_files.HAS_MODES", False)
    path = tmp_path / "x"
    path.write_bytes(b"x")
    path.chmod(0o644)
    assert tighten([path]) == [] and mode(path) == 0o644
    store = ClassStore(in_folder(tmp_path / "class"))
    store.create("physics")
    store.record_consent("physics", "asha", make_consent("her mother"))
    assert store.roster("physics").students.keys() == {"asha"}
