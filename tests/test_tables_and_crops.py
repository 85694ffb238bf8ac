"""One picture in one call, results as tables, and faces as pictures."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from drawn_faces import DrawnEyes, draw_photo, drawn_population, see_drawings
from typer.testing import CliRunner

import fewshot
from fewshot import Classroom, Reading
from fewshot.cli import app
from fewshot.commands.terminal import in_words
from fewshot.errors import UsageError
from fewshot.live.sinks.base import OutputError
from fewshot.live.sinks.crops import FaceCrops
from fewshot.live.sinks.table import COLUMNS, CsvTable, ParquetTable, to_pandas
from fewshot.loops import _for_pictures
from fewshot.types import EMOTIONS, FrameResult

ASHA, BO, HAPPY, NEUTRAL = 1, 2, 3, 6
RUN = CliRunner()


@pytest.fixture(autouse=True)
def drawings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    see_drawings(monkeypatch)
    monkeypatch.setattr("fewshot.loops.open_perception", lambda *args, **options: DrawnEyes())
    monkeypatch.chdir(tmp_path)
    _for_pictures.cache_clear()
    yield
    _for_pictures.cache_clear()


def command(*words: object) -> tuple[int, str]:
    import contextlib
    import io

    told = io.StringIO()
    with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
        code = in_words(lambda: app(list(map(str, words)), standalone_mode=False))
    return code, told.getvalue()


def result(*readings: Reading, source: str = "a.mp4", index: int = 0) -> FrameResult:
    return FrameResult(source, index, index / 25, 64, 48, readings)


def reading(**values: object) -> Reading:
    return Reading(track=1, box=(4.0, 4.0, 20.0, 24.0), score=0.9, **values)  # type: ignore[arg-type]


def test_read_is_public_and_costs_nothing_until_it_is_used() -> None:
    assert {"read", "to_pandas"} <= set(fewshot.__all__)
    script = "import sys, fewshot; print(sorted({'cv2', 'faiss', 'onnxruntime', 'pandas'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_one_picture_in_one_call(tmp_path: Path) -> None:
    path = draw_photo(tmp_path / "two.png", {BO: 60, ASHA: 100}, emotion=HAPPY)
    found = fewshot.read(path)
    assert [one.emotion for one in found] == ["happy", "happy"] and all(isinstance(one, Reading) for one in found)
    assert found[0].box[0] < found[1].box[0] and found[0].student is None
    assert sum(found[0].probabilities.values()) == pytest.approx(1)
    frame = cv2.imread(str(path))
    assert fewshot.read(frame) == found == fewshot.read(str(path))
    assert fewshot.read(cv2.cvtColor(frame, cv2.COLOR_BGR2BGRA)) == found
    assert fewshot.read(np.zeros((40, 50), np.uint8)) == []
    small = draw_photo(tmp_path / "small.png", {BO: 30})
    (one,) = fewshot.read(small)
    assert one.emotion is None and one.reasons


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        ("nowhere.jpg", "no file nowhere.jpg"),
        (".", "not a picture"),
        ("notes.txt", "not a picture"),
        (7, "int is not a picture"),
        (np.zeros((4, 4, 3), np.float64), "float64 numbers"),
        (np.zeros((2, 4, 4, 3), np.uint8), r"shape \(2, 4, 4, 3\)"),
        (np.zeros((4, 4, 2), np.uint8), r"shape \(4, 4, 2\)"),
        (np.zeros((0, 4, 3), np.uint8), "shape"),
    ],
)
def test_what_is_not_a_picture(picture: object, words: str) -> None:
    Path("notes.txt").write_text("words")
    with pytest.raises(fewshot.FewshotError, match=words):
        fewshot.read(picture)  # type: ignore[arg-type]


def enrolled() -> Classroom:
    for emotion, number, word in ((HAPPY, 1, "happy"), (NEUTRAL, 2, "neutral"), (HAPPY, 3, "confused")):
        draw_photo(Path(f"photos/asha/{word}/{number}.png"), {ASHA: 100}, emotion=emotion, seed=number)
    room = Classroom.open("physics")
    room.enroll_folder("photos", consent_by="her mother")
    return room


def test_watch_takes_arrays_and_lists_of_pictures() -> None:
    room = enrolled()
    first, second = Path("photos/asha/happy/1.png"), Path("photos/asha/neutral/2.png")
    frame = cv2.imread(str(first))
    (alone,) = room.watch(frame)
    assert alone.readings[0].student == "asha" and (alone.width, alone.height) == (480, 320)
    listed = list(room.watch([first, str(second)]))
    assert [one.source for one in listed] == [str(first), str(second)] and {one.index for one in listed} == {0}
    assert [one.index for one in room.watch(np.stack([frame, frame]))] == [0, 1]
    assert [one.index for one in room.watch([frame, frame])] == [0, 1]
    assert len(list(room.watch((first,)))) == 1 and list(room.watch([])) == []


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (["gone.jpg"], "no file gone.jpg"),
        (["photos/asha/happy/1.png", np.zeros((4, 4, 3), np.uint8)], "one kind"),
        (["photos"], "photos is not a picture"),
        ([np.zeros((4, 4, 3), np.float32)], "float32"),
        ([[1, 2]], "not list"),
        (3.5, "float cannot be watched"),
        (np.zeros((4, 4, 7), np.uint8), "shape"),
    ],
)
def test_what_cannot_be_watched(source: object, words: str) -> None:
    room = enrolled()
    with pytest.raises(UsageError, match=words):
        list(room.watch(source))  # type: ignore[arg-type]


def test_results_as_a_data_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    pandas = pytest.importorskip("pandas")
    room = enrolled()
    table = room.watch([Path("photos/asha/happy/1.png"), draw_photo(Path("nobody.png"), {})]).to_pandas()
    assert isinstance(table, pandas.DataFrame) and list(table.columns) == list(COLUMNS) and len(table) == 1
    row = table.iloc[0]
    assert row.student == "asha" and row.readable and row.face == 0
    own = json.loads(row.states)
    assert set(own) == {"confused"}
    assert sum(own.values()) + sum(row[f"p_{emotion}"] for emotion in EMOTIONS) == pytest.approx(1, abs=1e-3)
    assert list(to_pandas([]).columns) == list(COLUMNS) and len(to_pandas(iter([result()]))) == 0
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(UsageError, match="pip install pandas"):
        fewshot.to_pandas([])


def test_analyze_writes_tables_and_faces() -> None:
    draw_photo(Path("pictures/one.png"), {ASHA: 100, BO: 30}, emotion=HAPPY)
    draw_photo(Path("pictures/nobody.png"), {})
    code, told = command("analyze", "pictures", "--csv", "t.csv", "--parquet", "t.parquet", "--crops", "faces")
    assert code == 0 and "Table: t.csv" in told and "Faces: faces" in told, told
    with Path("t.csv").open(newline="", encoding="utf-8-sig") as lines:
        rows = list(csv.DictReader(lines))
    assert [row["emotion"] for row in rows] == ["happy", ""] and [row["readable"] for row in rows] == ["True", "False"]
    assert [row["face"] for row in rows] == ["0", "1"] and "too small" in rows[1]["reasons"]
    assert rows[1]["p_happy"] == rows[1]["confidence"] == "" and rows[0]["student"] == ""
    parquet = pytest.importorskip("pyarrow.parquet")
    table = parquet.read_table("t.parquet").to_pylist()
    assert [row["emotion"] for row in table] == ["happy", None] and list(table[0]) == list(COLUMNS)
    faces = sorted(path.name for path in Path("faces").iterdir())
    assert faces == ["one_000000_00.jpg", "one_000000_01.jpg"]
    assert cv2.imread(f"faces/{faces[0]}").shape[:2] == (140, 140)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--csv", "pictures/one.png"], "input file"),
        (["--csv", "x.csv", "--parquet", "x.csv"], "same file name"),
        (["--csv", "nowhere/x.csv"], "no folder"),
        (["--crops", "pictures/one.png"], "is a file"),
        (["--crops", "pictures"], "is an input folder"),
    ],
)
def test_outputs_that_cannot_be(words: list[str], expected: str) -> None:
    draw_photo(Path("pictures/one.png"), {ASHA: 100})
    code, told = command("analyze", "pictures", *words)
    assert code == 2 and expected in told and "Traceback" not in told


def test_parquet_without_pyarrow_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    draw_photo(Path("one.png"), {ASHA: 100})
    monkeypatch.setattr("fewshot.commands.outputs.find_spec", lambda name: None)
    code, told = command("analyze", "one.png", "--parquet", "t.parquet")
    assert code == 2 and "pip install pyarrow" in told and not Path("t.parquet").exists()
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UsageError, match="pyarrow"):
        ParquetTable("t.parquet")


def test_cells_that_a_spreadsheet_would_run_and_files_that_cannot_be_written(tmp_path: Path) -> None:
    sink = CsvTable("t.csv")
    sink.write(result(reading(student="=1+1", emotion="happy", confidence=0.5, probabilities={"happy": 1.0})))
    sink.close()
    sink.close()
    assert "'=1+1" in Path("t.csv").read_text(encoding="utf-8-sig")
    for made in (CsvTable, ParquetTable):
        with pytest.raises(OutputError, match="cannot be written"):
            made("nowhere/t")
    Path("file").write_text("x")
    with pytest.raises(OutputError, match="cannot be written"):
        FaceCrops("file/faces")


def test_faces_of_two_sources_of_one_name_and_at_the_edge() -> None:
    sink, frame = FaceCrops("faces"), np.zeros((24, 32, 3), np.uint8)  # a reduced copy: the source has 64x48
    edge = Reading(track=1, box=(60.0, 40.0, 64.0, 48.0), score=0.9)
    for source in ("a/class.mp4", "b/class.mp4", "b/Class.mp4", "rtsp://x/../é è.mp4"):
        sink.write(result(reading(), edge, source=source, index=7), frame)
    names = sorted(path.name for path in Path("faces").iterdir())
    assert sink.written == len(names) == 8 and "class_000007_00.jpg" in names and "class-2_000007_01.jpg" in names
    assert all(cv2.imread(f"faces/{name}") is not None for name in names if name.isascii())


def test_embed_writes_what_is_readable_and_takes_video() -> None:
    photo = draw_photo(Path("one.png"), {ASHA: 100, BO: 60}, emotion=HAPPY)
    writer = cv2.VideoWriter("short.avi", cv2.VideoWriter_fourcc(*"MJPG"), 10, (480, 320))
    for _ in range(3):
        writer.write(cv2.imread(str(photo)))
    writer.release()
    code, told = command("embed", "one.png", "short.avi", "--out", "v.npz")
    assert code == 0 and "Faces: 8, frames: 4" in told, told
    written = np.load("v.npz")
    assert written["paths"].tolist()[:2] == ["one.png"] * 2 and set(written["paths"][2:]) == {"short.avi"}
    assert written["frames"].tolist() == [0, 0, 0, 0, 1, 1, 2, 2]
    assert written["times"][-1] == pytest.approx(0.2) and written["landmarks"].shape == (8, 5, 2)
    assert written["readable"].all() and set(written["reasons"]) == {""}
    assert set(written["emotions"]) == {"happy"} and written["probabilities"].shape == (8, 7)
    np.testing.assert_allclose(written["probabilities"].sum(1), 1, atol=1e-3)
    assert written["classes"].tolist() == list(EMOTIONS)


def test_embed_without_population_prototypes_leaves_the_emotions_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    draw_photo(Path("one.png"), {ASHA: 100})
    monkeypatch.setattr("fewshot.loops.open_population", lambda network=None: drawn_population("another-1"))
    code, told = command("embed", "one.png", "--out", "v.npz")
    assert code == 0 and "emotions are left empty" in told
    written = np.load("v.npz")
    assert written["emotions"].tolist() == [""] and np.isnan(written["probabilities"]).all()
    assert written["expression"].shape == (1, 8)


def test_readable_is_by_the_limits_of_a_lesson() -> None:
    """With the real chain: a face that a lesson would not classify has its row and vectors all the same."""
    script = """
import sys, cv2, numpy as np
from fewshot.demo.sample import sample_picture
from fewshot.commands.vectors import run_embed
cv2.imwrite("six.png", sample_picture())
cv2.imwrite("dark.png", (sample_picture() * 0.02).astype("uint8"))
run_embed(["six.png", "dark.png"], __import__("pathlib").Path("v.npz"), "cascade", False)
"""
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)
    written = np.load("v.npz")
    assert written["readable"].sum() >= 4 and (written["emotions"] != "").any()
    assert np.isfinite(written["expression"]).all()
    assert ((written["reasons"] == "") == written["readable"]).all()
