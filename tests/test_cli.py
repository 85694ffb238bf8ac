"""The commands as a user types them, and everything a user can get wrong. Faces are drawn (``drawn_faces``)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from drawn_faces import DrawnEyes, SlowEyes, draw_class, draw_photo, see_drawings
from typer.testing import CliRunner

from fewshot import __version__
from fewshot.classroom.store import class_names
from fewshot.cli import app
from fewshot.live.sources import FrameSource
from fewshot.session.lessons import LessonStore

ASHA, BELA, STRANGER = 1, 2, 5
HAPPY, NEUTRAL = 3, 6


@pytest.fixture(autouse=True)
def drawn(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    see_drawings(monkeypatch)
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("FEWSHOT_DEBUG", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return draw_class(tmp_path / "photos", {"asha": ASHA, "bela": BELA})


@pytest.fixture
def lesson(tmp_path: Path) -> Path:
    """A video of asha, bela and a stranger, all happy: 12 frames."""
    frame = cv2.imread(str(draw_photo(tmp_path / "frame.png", {ASHA: 100, BELA: 100, STRANGER: 100}, HAPPY)))
    writer = cv2.VideoWriter(str(tmp_path / "lesson.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 10, frame.shape[1::-1])
    for _ in range(12):
        writer.write(frame)
    writer.release()
    return tmp_path / "lesson.avi"


def fewshot(*words: object, code: int = 0) -> str:
    """Run a command line; stdout and stderr. A failed one must say so in one line, without a traceback."""
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    errors = [line for line in result.stderr.splitlines() if line.startswith("Error")]
    if code not in (0, 130):
        assert errors, result.output
        assert not [line for line in result.stderr.splitlines() if not line.startswith(("Error: ", "Note: "))]
    return result.output


def enroll(photos: Path) -> str:
    return fewshot("enroll", "physics", photos, "--consent-by", "their parents")


def records(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_help_is_quick_and_says_where_not_to_use_it() -> None:
    start = time.process_time()
    for command in ("live", "enroll", "analyze"):
        assert "AI Act" in fewshot(command, "--help")
    assert time.process_time() - start < 3
    assert "enroll" in fewshot()
    assert fewshot("--version").strip() == f"fewshot {__version__}"


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from fewshot.cli import app\n"
        "try: app(['--help'])\n"
        "except SystemExit: pass\n"
        "print([name for name in ('cv2', 'numpy', 'onnxruntime', 'insightface', 'faiss') if name in sys.modules])"
    )
    root = Path(__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_enroll_analyze_roster_remove(photos: Path, lesson: Path, tmp_path: Path) -> None:
    draw_photo(photos / "asha/happy/tiny.png", {ASHA: 30}, seed=9)
    output = enroll(photos)
    assert "tiny.png" in output
    assert "too small" in output
    assert "2 students in class physics" in output
    assert "AI Act" in output
    jsonl, video = tmp_path / "out.jsonl", tmp_path / "out.mp4"
    output = fewshot("analyze", lesson, "--class", "physics", "--jsonl", jsonl, "--save", video)
    assert "12 frames" in output
    assert (tmp_path / "out-timeline.png").is_file()
    lines = records(jsonl)
    assert [line["frame"] for line in lines] == list(range(12))
    assert [face["student"] for face in lines[-1]["faces"]] == ["asha", "bela", None]
    assert {face["emotion"] for face in lines[-1]["faces"]} == {"happy"}
    assert cv2.VideoCapture(str(video)).get(cv2.CAP_PROP_FRAME_COUNT) == 12
    log = " ".join(fewshot("audit", "show").split())
    assert log.count("looked") == 1 and log.count("files of a run") == 1
    fewshot("analyze", lesson, "--class", "physics")
    log = " ".join(fewshot("audit", "show").split())
    assert log.count("looked") == 2 and log.count("files of a run") == 1, "nothing was written"
    assert "their parents" in fewshot("roster", "physics")
    assert "physics: asha, bela" in fewshot("roster")
    assert "Students left: bela" in fewshot("roster", "physics", "--remove", "asha")
    assert "asha" not in fewshot("roster", "physics")
    fewshot("roster", "physics", "--remove", "asha", code=2)


def test_enrolling_again_is_no_error(photos: Path) -> None:
    enroll(photos)
    assert "already enrolled 2" in enroll(photos)


def test_all_students_of_the_class_are_counted(photos: Path, tmp_path: Path) -> None:
    enroll(photos)
    draw_photo(tmp_path / "late" / "cleo" / "neutral" / "1.png", {STRANGER: 100}, seed=11)
    output = fewshot("enroll", "physics", tmp_path / "late", "--consent-by", "her mother")
    assert "3 students in class physics" in output


def test_no_consent_nobody_enrolled(photos: Path) -> None:
    output = fewshot("enroll", "physics", photos, code=2)
    assert f"fewshot enroll physics {photos} --consent-by" in output
    assert class_names() == []
    fewshot("enroll", "physics", photos, "--consent-by", "x", "--consent-until", "2020-01-01", code=2)
    fewshot("enroll", "physics", photos, "--consent-by", "x", "--consent-until", "soon", code=2)
    fewshot("enroll", "physics", photos, "--consent-until", "2099-01-01", code=2)
    (photos / "consent.csv").write_text("student,given_by,date\nasha,her mother,2026-11-20\n")
    output = fewshot("enroll", "physics", photos)
    assert "1 student in class physics" in output
    assert "no consent" in output


def test_nobody_accepted(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    fewshot("enroll", "physics", "photos", "--consent-by", "x", code=1)
    (tmp_path / "photos/asha").mkdir()
    fewshot("enroll", "physics", "photos", "--consent-by", "x", code=1)
    (tmp_path / "photos/asha/1.jpg").write_text("not a picture")
    assert "not a picture" in fewshot("enroll", "physics", "photos", "--consent-by", "x", code=1)
    assert class_names() == []


def test_live_on_a_file(photos: Path, lesson: Path) -> None:
    enroll(photos)
    output = fewshot("live", "--source", lesson, "--class", "physics", "--jsonl", "out.jsonl")
    assert "no display" in output
    assert "asha" in output
    assert len(records(Path("out.jsonl"))) == 12
    assert "no display" in fewshot("live", "--source", lesson, "--show", code=1)
    assert "happy" in fewshot("live", "--source", lesson, "--no-show")


@pytest.mark.parametrize("class_name", ["physics", None])
def test_a_budget_makes_faces_take_turns(
    photos: Path, lesson: Path, monkeypatch: pytest.MonkeyPatch, class_name: str | None
) -> None:
    enroll(photos)
    for module in ("class_models", "commands.runs"):
        monkeypatch.setattr(f"fewshot.{module}.open_perception", lambda *args, **options: SlowEyes())
    words = [
        "live",
        "--source",
        lesson,
        "--no-show",
        "--workers",
        "1",
        *(["--class", class_name] if class_name else []),
    ]
    ages = {}
    for budget in ("1", "10000"):
        fewshot(*words, "--budget-ms", budget, "--jsonl", f"{budget}.jsonl")
        ages[budget] = [sorted(face["age"] for face in line["faces"]) for line in records(Path(f"{budget}.jsonl"))]
    assert ages["10000"] == [[0.0] * 3] * 12
    assert ages["1"][0] == [0.0] * 3 and ages["1"][-1] == pytest.approx([0.0, 0.1, 0.2])


def test_pictures_are_independent(photos: Path) -> None:
    enroll(photos)
    fewshot("analyze", "photos/asha/happy", "photos/bela/happy/1.png", "--class", "physics", "--jsonl", "out.jsonl")
    faces = [line["faces"][0] for line in records(Path("out.jsonl"))]
    assert [face["student"] for face in faces] == ["asha", "bela"]


def test_embed(photos: Path) -> None:
    Path("text.jpg").write_text("not a picture")
    draw_photo(Path("nobody.png"), {}, seed=3)
    output = fewshot(
        "embed", "photos/asha/happy", "photos/bela/happy/1.png", "nobody.png", "text.jpg", "--out", "v.npz"
    )
    assert "text.jpg" in output
    vectors = np.load("v.npz")
    assert vectors["paths"].tolist() == [str(Path("photos/asha/happy/1.png")), "photos/bela/happy/1.png"]
    assert vectors["boxes"].shape == (2, 4)
    assert vectors["expression"].shape == (2, 8)
    assert vectors["identity"].shape == (2, 16)
    assert str(vectors["network"]) == "drawn-1"
    fewshot("embed", "nobody.png", "--out", "none.npz")
    assert np.load("none.npz")["expression"].shape == (0, 8)
    fewshot("embed", "text.jpg", "--out", "none.npz", code=1)
    fewshot("embed", "nobody.png", "--out", "v.txt", code=2)
    fewshot("embed", "nowhere.png", "--out", "v.npz", code=2)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["bogus"], "No such command"),
        (["--bogus"], "No such option"),
        (["analyze"], "Missing argument"),
        (["live", "--detector", "eagle"], "eagle"),
        (["analyze", "nowhere.mp4"], "There is no file or folder nowhere.mp4"),
        (["analyze", "frame.png", "nowhere.mp4"], "nowhere.mp4"),
        (["analyze", "0"], "live --source 0"),
        (["live", "--source", "nowhere.mp4"], "nowhere.mp4"),
        (["live", "--source", "ftp://x/y"], "not supported"),
        (["live", "--source", "screen:1,2"], "not a region"),
        (["live", "--class", "physics"], "no class 'physics'"),
        (["analyze", "frame.png", "--class", "../x"], "cannot be the name"),
        (["analyze", "frame.png", "--jsonl", "frame.png"], "is an input file"),
        (["analyze", "frame.png", "--jsonl", "nowhere/x.jsonl"], "no folder"),
        (["analyze", "frame.png", "--jsonl", "x.mp4", "--save", "x.mp4"], "same file name"),
        (["analyze", "frame.png", "--save", "x.gif"], "is not the name of a video"),
        (["analyze", "frame.png", "--save", "."], "is a folder"),
        (["analyze", "frame.png", "--profile", "frame.png"], "is an input"),
        (["analyze", "frame.png", "--workers", "0"], "workers"),
        (["live", "--source", "frame.png", "--fps", "0"], "frame rate cannot be 0"),
        (["live", "--source", "frame.png", "--budget-ms", "-1"], "budget of -1 ms per frame is impossible"),
        (["live", "--source", "frame.png", "--wait", "-1"], "wait"),
        (["enroll", "physics", "nowhere", "--consent-by", "x"], "does not exist"),
        (["enroll", "physics", "frame.png", "--consent-by", "x"], "is a file"),
        (["roster", "physics"], "no class 'physics'"),
        (["roster", "--remove", "asha"], "needs the name of a class"),
        (["models", "pull", "eagle"], "no model called 'eagle'"),
    ],
)
def test_wrong_usage(words: list[str], expected: str) -> None:
    draw_photo(Path("frame.png"), {ASHA: 100})
    assert expected in fewshot(*words, code=2)
    assert cv2.imread("frame.png") is not None


@pytest.mark.parametrize("source", ["7", "screen:-9000,-9000,10,10", "screen"])
def test_devices_that_are_not_there(source: str) -> None:
    fewshot("live", "--source", source, "--no-show", code=1)


def test_videos_that_are_none(lesson: Path) -> None:
    Path("empty.mp4").write_bytes(b"")
    Path("text.mp4").write_text("not a video")
    Path("cut.avi").write_bytes(lesson.read_bytes()[: lesson.stat().st_size // 2])
    assert "empty" in fewshot("analyze", "empty.mp4", code=1)
    fewshot("analyze", "text.mp4", code=1)
    fewshot("analyze", "cut.avi", "--jsonl", "cut.jsonl", code=1)
    assert 0 < len(records(Path("cut.jsonl"))) < 12
    # Among several the others are read all the same.
    output = fewshot("analyze", "empty.mp4", lesson, "--jsonl", "out.jsonl", code=1)
    assert "empty.mp4" in output
    assert len(records(Path("out.jsonl"))) == 12


def test_a_camera_lost_in_mid_run(monkeypatch: pytest.MonkeyPatch) -> None:
    source = FrameSource([np.zeros((80, 80, 3), np.uint8)] * 5, name="camera 0")
    source.lost = "camera 0 gave no more pictures after 0.5 s."
    monkeypatch.setattr("fewshot.commands.runs.open_lasting", lambda *what: source)
    output = fewshot("live", "--jsonl", "out.jsonl", "--no-show", code=1)
    assert "gave no more pictures" in output
    assert len(records(Path("out.jsonl"))) == 5


def test_ctrl_c_keeps_what_there_was(monkeypatch: pytest.MonkeyPatch) -> None:
    def frames() -> object:
        for _ in range(5):
            yield np.zeros((80, 80, 3), np.uint8)
        raise KeyboardInterrupt

    monkeypatch.setattr("fewshot.commands.runs.open_lasting", lambda *what: FrameSource(frames(), name="camera 0"))
    output = fewshot("live", "--no-show", "--jsonl", "out.jsonl", "--save", "out.mp4", code=130)
    assert "5 frames" in output
    assert len(records(Path("out.jsonl"))) == 5
    assert cv2.VideoCapture("out.mp4").read()[0]


@pytest.mark.parametrize("words", [["analyze"], ["live", "--budget-ms", "5", "--fps", "9", "--no-show", "--source"]])
def test_profile(lesson: Path, words: list[str]) -> None:
    output = fewshot(*words, lesson, "--profile", "profile.json", "--workers", "1")
    assert "Profile: profile.json" in output
    assert ("--fps has no effect" in output) == (words[0] == "live")
    (run,) = json.loads(Path("profile.json").read_text())["runs"]
    assert (run["state"], run["captured"], run["processed"], run["recorded"]) == ("ended", 12, 12, 12)
    assert (run["source"], run["live"], run["faces"], run["dropped"]["find"]) == (str(lesson), False, 3, 0)
    assert run["stages"]["latency"]["frames"] == 12
    assert run["memory_mb"] > 10
    assert not list(Path().glob("*.part"))


def test_a_profile_that_cannot_be_written(lesson: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full, which only Linux has")
    assert "choose another place" in fewshot("analyze", lesson, "--profile", "/dev/full", code=1).lower()


def test_a_camera_that_returns(monkeypatch: pytest.MonkeyPatch) -> None:
    class Camera(FrameSource):
        live = True

    cameras = [Camera([np.zeros((80, 80, 3), np.uint8)] * 5, name="camera 0") for _ in range(2)]
    cameras[0].lost = "camera 0 gave no more pictures after 0.5 s."
    monkeypatch.setattr("fewshot.live.sources.opening._open_named", lambda text: cameras.pop(0))
    monkeypatch.setattr("fewshot.live.sources.lasting.PAUSES", (0.0,))
    output = fewshot("live", "--fps", "1000", "--no-show", "--jsonl", "out.jsonl")
    assert output.count("camera 0 was lost after") == output.count("camera 0 is back") == 1
    assert [line["frame"] for line in records(Path("out.jsonl"))][-1] == 9


def test_a_store_of_another_network_or_damaged(photos: Path, lesson: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    enroll(photos)
    monkeypatch.setattr(DrawnEyes, "network", "drawn-2")
    assert "drawn-2" in fewshot("analyze", lesson, "--class", "physics", code=1)
    monkeypatch.setattr(DrawnEyes, "network", "drawn-1")
    store = Path(os.environ["FEWSHOT_HOME"]) / "fewshot.db"
    store.write_bytes(b"not a database" * 100)
    assert str(store) in fewshot("analyze", lesson, "--class", "physics", code=1)
    fewshot("enroll", "physics", photos, "--consent-by", "x", code=1)
    assert store.read_bytes() == b"not a database" * 100


def test_a_lesson_is_kept(photos: Path, lesson: Path) -> None:
    assert "No lesson has been recorded yet" in fewshot("lessons")
    enroll(photos)
    assert "Lesson 1 was recorded" in fewshot(
        "analyze", lesson, "--class", "physics", "--record", "--title", "Optics [1]"
    )
    assert "Lesson 2 was recorded" in fewshot("live", "--source", lesson, "--no-show", "--record")
    output = fewshot("lessons")
    assert "Optics [1]" in output
    assert output.count("ended") == 2
    assert "Optics" in fewshot("lessons", "Physics")
    kept = LessonStore().load(1)
    assert kept.students == ["asha", "bela"]
    assert kept.frames_per_second.sum() == 12
    assert set(kept.readings.student.tolist()) == {-1, 0, 1}
    assert LessonStore().load(2).students == []
    assert "was deleted" in fewshot("lessons", "--delete", "1")
    fewshot("lessons", "--delete", "1", code=2)
    fewshot("lessons", "maths", code=2)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, which only Linux has")
def test_a_full_disk(lesson: Path) -> None:
    assert "No space left" in fewshot("analyze", lesson, "--jsonl", "/dev/full", "--summary-picture", "t.png", code=1)


def test_what_nobody_foresaw_is_one_line(lesson: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("by\nnobody")

    monkeypatch.setattr("fewshot.commands.runs.run_files", fail)
    assert "Error: ZeroDivisionError: by nobody. This should not happen" in fewshot("analyze", lesson, code=1)
    monkeypatch.setenv("FEWSHOT_DEBUG", "1")
    result = CliRunner().invoke(app, ["analyze", str(lesson)])
    assert "Traceback" in result.output


def test_models_and_doctor() -> None:
    output = fewshot("models", "list")
    assert "non-commercial" in output
    assert "scrfd_500m" in output
    result = CliRunner().invoke(app, ["doctor"])
    assert result.exit_code in (0, 1)
    assert "FFMPEG" in result.output
    assert CliRunner().invoke(app, ["models", "verify"]).exit_code in (0, 1)
    assert "verify" in fewshot("models", "--help")


def test_a_picture_without_a_face_is_said_in_words(tmp_path: Path) -> None:
    empty = draw_photo(tmp_path / "wall.png", {}, seed=1)
    full = draw_photo(tmp_path / "asha.png", {ASHA: 100}, seed=2)
    output = fewshot("analyze", empty, full)
    assert "No face was found in wall.png." in output and "asha.png" not in output.split("No face")[1]
    assert "in enough light" in output  # in a nearly black picture no face is found either
    several = [draw_photo(tmp_path / f"wall{k}.png", {}, seed=k) for k in range(7)]
    assert "wall4.png and 2 more." in fewshot("analyze", *several)
    assert "No face" not in fewshot("analyze", full)


def test_a_camera_that_returns_twice_is_said_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    class Camera(FrameSource):
        live = True

    cameras = [Camera([np.zeros((80, 80, 3), np.uint8)] * 5, name="camera 0") for _ in range(3)]
    cameras[0].lost = cameras[1].lost = "camera 0 gave no more pictures after 0.5 s."
    monkeypatch.setattr("fewshot.live.sources.opening._open_named", lambda text: cameras.pop(0))
    monkeypatch.setattr("fewshot.live.sources.lasting.PAUSES", (0.0,))
    output = fewshot("live", "--no-show", "--jsonl", "out.jsonl")
    assert output.count("camera 0 was lost after") == output.count("camera 0 is back") == 2
