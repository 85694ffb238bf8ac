"""``fewshot analyze --jobs``: what goes wrong with many lessons, and what stands afterwards."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from drawn_faces import draw_class, draw_video, see_drawings
from typer.testing import CliRunner

pytest.importorskip("pyarrow", reason="needs the extra app")

import pyarrow.parquet

from fewshot.accounts.accounts import Accounts
from fewshot.app.daily import once
from fewshot.classroom.exports import INDEX, JOURNAL, alone_in, journal_of
from fewshot.classroom.owners import Owners
from fewshot.classroom.store import ClassStore
from fewshot.classroom.traces import last_timeline
from fewshot.cli import app
from fewshot.commands.batch_lessons import lessons_of, table_name
from fewshot.commands.terminal import name_in_commands
from fewshot.database.tables import SettingRow
from fewshot.errors import UsageError
from tests.commands import labelled_work

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")

ASHA, BELA, HAPPY = 1, 2, 3
DRAWN = [sys.executable, str(Path(__file__).with_name("drawn_work.py"))]
LABELLED = [sys.executable, labelled_work.__file__]
WORK = [sys.executable, str(Path(__file__).with_name("light_work.py"))]
"""Stands for the process of a lesson, and starts ten times faster."""


@pytest.fixture(autouse=True)
def drawn(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    see_drawings(monkeypatch)
    monkeypatch.setattr("fewshot.commands.batch_process.COMMAND", WORK)
    monkeypatch.setenv("FEWSHOT_TEST_TROUBLE", str(tmp_path / "trouble"))
    monkeypatch.chdir(tmp_path)


def video(path: Path, frames: int = 3) -> Path:
    return draw_video(path, {ASHA: 100, BELA: 100}, frames)


def fewshot(*words: object, code: int = 0) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result.output


def students(path: Path) -> set[str | None]:
    return set(pyarrow.parquet.read_table(path)["student"].to_pylist())


def enrolled() -> None:
    draw_class(Path("photos"), {"asha": ASHA, "bela": BELA})
    fewshot("enroll", "physics", "photos", "--consent-by", "their parents")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["a.avi", "--jobs", "0"], "number of jobs cannot be 0"),
        (["none/*.avi", "--jobs", "1"], "No file matches none/*.avi"),
        (["empty", "--jobs", "1"], "no video and no picture in the folder empty"),
        (["rtsp://camera/1", "--jobs", "1"], "works on files"),
        (["a.avi", "--jobs", "1", "--csv", "a.csv"], "--csv cannot be used together with --jobs"),
        (["a.avi", "--jobs", "1", "--record"], "--record cannot be used together with --jobs"),
        (["a.avi", "--out", "notes.txt"], "notes.txt is a file"),
        (["a.avi", "--jobs", "1", "--class", "nobody"], "no class"),
    ],
)
def test_what_is_refused_before_anything_is_written(words: list[str], said: str) -> None:
    Path("empty").mkdir()
    Path("notes.txt").touch()
    assert said.lower() in fewshot("analyze", *words, code=2).lower()
    assert not Path("fewshot-lessons").exists()


def test_a_broken_and_a_missing_lesson_are_reported_and_the_others_are_analyzed() -> None:
    video(Path("lessons/good.avi"))
    Path("lessons/broken.mp4").write_bytes(b"no video" * 99)
    said = fewshot("analyze", "lessons/*", "lessons/gone.avi", "--jobs", 2, code=1)
    assert "1 of 3 lessons finished" in said
    assert "Error: lessons/broken.mp4: " in said and "Error: lessons/gone.avi: There is no file" in said
    assert sorted(each.name for each in Path("fewshot-lessons").glob("*.parquet")) == ["good.avi.parquet"]
    assert not list(Path("fewshot-lessons").glob(".*.part"))


def test_a_table_has_the_bytes_of_a_single_run_and_is_for_its_owner_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fewshot.commands.batch_process.COMMAND", DRAWN)
    enrolled()
    for name in ("a.avi", "b.avi"):
        video(Path("lessons") / name)
        fewshot("analyze", f"lessons/{name}", "--class", "physics", "--parquet", f"{name}.parquet")
    fewshot("analyze", "lessons", "--class", "physics", "--jobs", 2, "--out", "out")
    for name in ("a.avi.parquet", "b.avi.parquet"):
        table = Path("out", name)
        assert table.read_bytes() == Path(name).read_bytes() and students(table) == {"asha", "bela"}
        assert table.stat().st_mode & 0o777 == 0o600
    assert Path("out").stat().st_mode & 0o777 == 0o700


def test_names_from_the_labels_of_a_call_are_those_of_a_single_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fewshot.commands.batch_process.COMMAND", LABELLED)
    labelled_work.see(monkeypatch)
    enrolled()
    video(Path("lessons/a.avi"), frames=8)
    words = ("--class", "physics", "--names", "labels")
    fewshot("analyze", "lessons/a.avi", *words, "--parquet", "a.parquet")
    said = fewshot("analyze", "lessons", *words, "--jobs", 2, "--out", "out")
    table = Path("out/a.avi.parquet")
    assert table.read_bytes() == Path("a.parquet").read_bytes() and students(table) == {None, "bela"}
    assert set(pyarrow.parquet.read_table(table)["person"].to_pylist()) == {None}  # nobody was recognised
    assert b"Zzyzx" not in table.read_bytes() and "Zzyzx" not in said + Path("out", JOURNAL).read_text()
    # Another choice is another table; the same one is finished.
    assert "1 lesson finished before" in fewshot("analyze", "lessons", *words, "--jobs", 2, "--out", "out")
    fewshot("analyze", "lessons", *words[:3], "both", "--jobs", 2, "--out", "out")
    rows = pyarrow.parquet.read_table(table)["student"].to_pylist()
    assert set(rows[:2]) == {"asha", "bela"}  # before the labels were read twice
    assert set(rows[-2:]) == {None, "bela"}  # the left label says Bela, and the face is Asha's
    said = fewshot("analyze", "lessons", *words[:2], "--jobs", 2, "--out", "out")
    assert "finished before" not in said and students(table) == {"asha", "bela"}
    with journal_of(Path("out")) as journal:  # as earlier versions wrote it: their tables are not made again
        assert [sorted(entry.settings) for entry in journal.values()] == [["detector", "engine", "network", "program"]]


def test_what_names_from_labels_need_is_said_before_a_folder_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    video(Path("a.avi"))
    assert "Give one" in fewshot("analyze", "a.avi", "--names", "both", "--jobs", 1, code=2)
    monkeypatch.setattr("fewshot.call_labels.reader.find_spec", lambda _name: None)
    said = fewshot("analyze", "a.avi", "--names", "both", "--class", "physics", "--jobs", 1, code=2)
    assert "rapidocr, which is not installed" in said and not Path("fewshot-lessons").exists()


def test_two_lessons_of_one_name_and_odd_names_all_have_tables() -> None:
    odd = ["maths/lesson.avi", "art/lesson.avi", "-x.avi", "7", "a[1]*.avi", "ü \n\N{SMILING FACE WITH OPEN MOUTH}.avi"]
    for name in odd:
        made = video(Path("made.avi"))
        Path(name).parent.mkdir(exist_ok=True)
        made.rename(name)
    said = fewshot("analyze", "--jobs", 2, "--", *odd)
    assert "6 of 6 lessons finished" in said
    tables = [each.name for each in Path("fewshot-lessons").glob("*.parquet")]
    assert len(tables) == 6 and "lesson.avi.parquet" in tables and "7.parquet" in tables
    sources = {source for each in Path("fewshot-lessons").glob("*.parquet") for source in sources_of(each)}
    assert {"maths/lesson.avi", "art/lesson.avi"} <= sources


def sources_of(path: Path) -> set[str]:
    return set(pyarrow.parquet.read_table(path)["source"].to_pylist())


def test_a_process_that_is_killed_is_tried_again_but_not_for_ever(tmp_path: Path) -> None:
    for name in ("once.avi", "always.avi"):
        video(Path("lessons") / name)
    (tmp_path / "trouble").write_text("once.avi once\nalways.avi killed\n")
    said = fewshot("analyze", "lessons", "--jobs", 1, code=1)
    assert "Error: lessons/always.avi: Its process ended with signal 9" in said and "1 of 2 lessons" in said
    assert (tmp_path / "killed-always.avi").read_text() == "xxx"
    (tmp_path / "trouble").unlink()
    (tmp_path / "lessons/once.avi").touch()  # changed since: it is analyzed again
    assert "lessons/once.avi: 3 frames" in (said := fewshot("analyze", "lessons", "--jobs", 1))
    assert "2 of 2 lessons" in said
    assert "2 lessons finished before" in fewshot("analyze", "lessons", "--jobs", 1)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_batch_that_is_ended_in_the_middle_goes_on_where_it_was(tmp_path: Path, number: int) -> None:
    for name in ("a.avi", "b.avi"):
        video(Path("lessons") / name)
    (tmp_path / "trouble").write_text("b.avi slow\n")
    script = f"import fewshot.commands.batch_process as p, fewshot.cli as c; p.COMMAND = {WORK!r}; c.main()"
    words = [sys.executable, "-c", script, "analyze", "lessons", "--jobs", "1"]
    batch = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        until = time.monotonic() + 240
        while not (tmp_path / "begun").exists():
            assert time.monotonic() < until and batch.poll() is None
            time.sleep(0.05)
        assert "Another batch writes" in fewshot("analyze", "lessons", "--jobs", 1, code=2)
        batch.send_signal(number)
        said, _ = batch.communicate(timeout=60)
    finally:
        batch.kill()
    assert batch.returncode == (-9 if number == signal.SIGKILL else 130), said
    (tmp_path / "trouble").unlink()
    first = (tmp_path / "fewshot-lessons/a.avi.parquet").stat().st_mtime_ns
    assert not (tmp_path / "fewshot-lessons/b.avi.parquet").exists()
    said = fewshot("analyze", "lessons", "--jobs", 1)
    assert "1 lesson finished before" in said and "2 of 2 lessons finished" in said
    assert (tmp_path / "fewshot-lessons/a.avi.parquet").stat().st_mtime_ns == first
    assert not list(Path("fewshot-lessons").glob(".*.part"))


def test_a_file_that_no_batch_wrote_is_not_replaced() -> None:
    video(Path("a.avi"))
    Path("fewshot-lessons").mkdir()
    Path("fewshot-lessons/a.avi.parquet").write_text("mine")
    fewshot("analyze", "a.avi", "--jobs", 1)
    assert Path("fewshot-lessons/a.avi.parquet").read_text() == "mine"
    assert len(list(Path("fewshot-lessons").glob("a.avi-*.parquet"))) == 1


def test_a_folder_that_cannot_be_written_or_noted_stops_the_batch(fewshot_home: Path) -> None:
    video(Path("a.avi"))
    assert "cannot be used for lessons" in fewshot("analyze", "a.avi", "--out", "/proc/none", code=1)
    fewshot_home.mkdir(exist_ok=True)
    (fewshot_home / INDEX).write_text("{")
    assert "cannot be read" in fewshot("analyze", "a.avi", "--out", "out", code=1)
    assert not Path("out").exists()
    (fewshot_home / INDEX).unlink()
    fewshot("analyze", "a.avi", "--out", "out")
    Path("out", JOURNAL).write_text("[]")
    assert "journal" in fewshot("analyze", "a.avi", "--out", "out", code=1)


def test_a_full_disk_fails_the_lesson_and_leaves_no_half_table(tmp_path: Path) -> None:
    video(Path("a.avi"))
    (tmp_path / "trouble").write_text("a.avi full\n")
    said = fewshot("analyze", "a.avi", "--jobs", 1, code=1)
    assert "0 of 1 lesson" in said and "Free some space" in said
    assert [each.suffix for each in Path("fewshot-lessons").iterdir()].count(".parquet") == 0


def test_forgetting_a_student_reaches_the_tables_also_under_an_earlier_name(fewshot_home: Path) -> None:
    enrolled()
    video(Path("lessons/bela and asha.avi"))
    fewshot("analyze", "lessons", "--class", "physics", "--jobs", 1)
    ClassStore().rename_student("physics", "asha", "Zora")
    fewshot("roster", "physics", "--remove", "Zora")
    (table,) = Path("fewshot-lessons").glob("*.parquet")
    assert students(table) == {"bela", None}
    fewshot("roster", "physics", "--remove", "bela")
    left = b"".join(each.read_bytes() for each in Path("fewshot-lessons").iterdir() if each.is_file())
    (table,) = Path("fewshot-lessons").glob("*.parquet")
    assert students(table) == set()  # the unnamed row was of her track
    assert b"bela" not in left and "bela" not in table.name
    assert json.loads((fewshot_home / INDEX).read_bytes())[0]["owner"] == "local"


def test_a_student_who_is_erased_while_a_lesson_is_analyzed_is_not_in_its_table(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from fewshot.commands import batch

    enrolled()
    video(Path("a.avi"))
    real = batch._Running._process

    def process(self: batch._Running, path: Path, part: Path) -> batch.Result:
        result = real(self, path, part)
        ClassStore().remove_student("physics", "asha")
        return result

    monkeypatch.setattr(batch._Running, "_process", process)
    fewshot("analyze", "a.avi", "--class", "physics", "--jobs", 1)
    assert students(Path("fewshot-lessons/a.avi.parquet")) == {"bela", None}
    with journal_of(Path("fewshot-lessons")) as journal:
        assert all("asha" not in entry.students for entry in journal.values())


def test_what_erasure_cannot_reach_is_named_and_a_deleted_class_takes_its_tables_with_it() -> None:
    enrolled()
    video(Path("a.avi"))
    fewshot("analyze", "a.avi", "--class", "physics", "--jobs", 1)
    Path("fewshot-lessons").rename("elsewhere")
    assert "fewshot-lessons with exported lessons is not there" in fewshot("roster", "physics", "--remove", "asha")
    Path("elsewhere").rename("fewshot-lessons")
    table = Path("fewshot-lessons/a.avi.parquet")
    table.write_bytes(b"damaged")
    said = fewshot("roster", "physics", "--remove", "bela")
    assert "a.avi.parquet may still show the student" in said
    draw_class(Path("more"), {"cai": BELA})
    fewshot("enroll", "art", "more", "--consent-by", "their parents")
    fewshot("analyze", "a.avi", "--class", "art", "--jobs", 1)
    assert students(table) == {"cai", None}
    ClassStore().delete("art")
    assert not table.exists()


@pytest.mark.parametrize("what", ["student", "class"])
def test_an_erasure_that_is_killed_before_the_tables_is_finished_by_the_next_start(
    monkeypatch: pytest.MonkeyPatch, fewshot_home: Path, what: str
) -> None:
    enrolled()
    video(Path("asha speaks.avi"))
    video(Path("b.avi"))
    fewshot("analyze", "asha speaks.avi", "b.avi", "--class", "physics", "--jobs", 1)

    def killed(*_: object) -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        for name in ("erase_student", "erase_class"):
            patch.setattr(f"fewshot.classroom.store.{name}", killed)
        store = ClassStore()
        store.remove_student("physics", "asha") if what == "student" else store.delete("physics")
    folder = Path("fewshot-lessons")
    assert b"asha" in b"".join(each.read_bytes() for each in folder.iterdir())
    once()
    assert b"asha" not in b"".join(each.read_bytes() for each in folder.iterdir())
    assert not [each for each in folder.iterdir() if "asha" in each.name]
    tables = {each.name: students(each) for each in folder.glob("*.parquet")}
    assert all(found == {"bela", None} for found in tables.values())
    assert len(tables) == (2 if what == "student" else 0)
    with ClassStore().database.read() as session:
        assert session.query(SettingRow).filter(SettingRow.key.startswith("exports")).all() == []


@pytest.mark.parametrize("how", ["--give-to", "--delete-classes"])
def test_tables_of_a_class_that_changes_its_owner_are_still_reached(tmp_path: Path, how: str) -> None:
    for name in ("anna", "ben"):
        Accounts().add(name, email=f"{name}@school.example")
    draw_class(Path("photos"), {"asha": ASHA, "bela": BELA})
    fewshot("enroll", "physics", "photos", "--consent-by", "their parents", "--as", "anna")
    video(Path("a.avi"))
    fewshot("analyze", "a.avi", "--class", "physics", "--jobs", 1, "--as", "anna")
    timeline = last_timeline(Owners().find("anna").id)
    timeline.write_bytes(b"asha")
    table = Path("fewshot-lessons/a.avi.parquet")
    name_in_commands("")  # as in a new process
    fewshot("accounts", "remove", "anna", how, *(["ben"] if how == "--give-to" else []))
    if how == "--give-to":
        fewshot("roster", "physics", "--remove", "asha", "--as", "ben")
        name_in_commands("")
        assert students(table) == {"bela", None}
    else:
        assert not table.exists() and not timeline.exists()


def test_only_one_batch_at_a_time_has_a_folder(tmp_path: Path) -> None:
    with alone_in(tmp_path) as first, alone_in(tmp_path) as second:
        assert first and not second
    with alone_in(tmp_path) as again:
        assert again


def test_lessons_and_their_names(tmp_path: Path) -> None:
    for name in ("b.MP4", "a.mkv", "notes.txt", "x.png", ".hidden.mp4"):
        (tmp_path / "in" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "in" / name).touch()
    found, notes = lessons_of(["in", "in/b.MP4", str(tmp_path / "in/a.mkv")])
    assert [each.name for each in found] == ["a.mkv", "b.MP4"] and "pictures (1)" in notes[0]
    with pytest.raises(UsageError, match="matches"):
        lessons_of(["in/*.webm"])
    long = table_name(Path("/" + "ä" * 120 + ".mp4"), [])
    assert len(os.fsencode(long)) <= 150 and long.endswith(".parquet")
