"""What the benchmark makes of what its scripts tell it; no script is run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fewshot.errors import FewshotError
from fewshot.research.bench import live_bench
from fewshot.research.bench.live_bench import WARM, Bench, Setting, enroll_classes
from fewshot.research.bench.live_table import TARGETS
from fewshot.research.simulation.scenes import CLASS, HALF, STRANGERS, WEBCAM, Scene

SUMMARY = dict.fromkeys(
    ("fps", "fps_steady", "p50_ms", "p95_ms", "between_p95_ms", "queued_p95_ms", "rss_mb", "fresh", "dropped"), 1.0
)


def identity(known_after: list[float | None], right: float, renamed: int) -> dict[str, Any]:
    share = {"low": 0.0, "high": 1.0, "count": 100}
    return {
        "identity": {**share, "value": right},
        "wrong_name": {**share, "value": 0.0},
        "stranger_named": {**share, "value": 0.004},
        "renamed_tracks": renamed,
        "returns": [{"student": "a", "time": 5.0, "known_after": after} for after in known_after],
    }


@pytest.fixture
def told() -> dict[str, Any]:
    """What the scripts will tell, and the commands they were given."""
    return {"returns": [0.2, 0.4], "commands": []}


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch, told: dict[str, Any]) -> Bench:
    def answer(name: str, command: list[str]) -> dict[str, Any]:
        told["commands"].append([name, *command])
        if name == "handwritten":
            return {"ms": [1000.0, 1100.0, 900.0, 1000.0], "faces": [49] * 4}
        if name == "paired":
            return {"core_ms_whole": 40.0, "core_ms_changed": 10.0, "lesson_s_whole": 960.0, "lesson_s_changed": 240.0}
        strangers = f"{STRANGERS}/video.mp4" in command[0]
        return {
            "summary": SUMMARY,
            "latency": [0.03, 0.04],
            "stages": {"detect": {"p50_ms": 5.0, "p95_ms": 6.0}},
            "labelled": [0.025 * k for k in range(WARM + 10)],
            "identity": identity(told["returns"] if strangers else [], 0.99 if strangers else 1.0, int(strangers)),
        }

    monkeypatch.setattr(live_bench, "_json_of", answer)
    scenes = {name: Scene(name, Path(name) / "video.mp4", None, None, 1) for name in (CLASS, STRANGERS, HALF, WEBCAM)}
    return Bench(scenes, {CLASS: Path("class")}, Path("shared"), Setting(runs=1, frames=9, longest=12.0, baseline=4))


def test_nothing_measured_is_nothing_found(bench: Bench) -> None:
    assert bench.found() == {}


def test_ours_and_the_loop_written_by_hand_are_timed_on_the_same_frames(bench: Bench, told: dict[str, Any]) -> None:
    bench.beside_handwritten()
    found = bench.found()
    assert found["handwritten_ms"]["median"] == pytest.approx(1000)
    assert found["ours_ms"]["median"] == pytest.approx(25)
    assert found["ratio_to_handwritten"]["median"] == pytest.approx(40)
    by_hand, ours = told["commands"]
    assert (by_hand[0], ours[0]) == ("handwritten", "live_run")
    assert by_hand[1] == ours[1]
    assert by_hand[by_hand.index("--start") + 1] == str(WARM)
    assert "--decoded" in ours


def test_every_run_is_kept_and_has_the_promised_keys(bench: Bench) -> None:
    for _ in range(2):
        for name in (CLASS, HALF, WEBCAM):
            bench.speed(name)
        for name in (CLASS, WEBCAM):
            bench.camera(name)
    found = bench.found()
    assert {"fps_49", "fps_25", "fps_1", "p95_ms_49", "p95_ms_25", "p95_ms_1", "rss_mb_49", "live_p95_ms_49"} <= set(
        found
    )
    # The webcam's latency is the camera's, not that of a file read as fast as can be.
    assert len(bench.values["p95_ms_1"]) == len(bench.values["flat_out_p95_ms_1"]) == 2
    assert len(bench.runs) == 10
    assert bench.latencies[f"{CLASS}, file"] == pytest.approx([30, 40, 30, 40])


def test_changed_faces_have_rows_of_their_own(bench: Bench, told: dict[str, Any]) -> None:
    bench.answered(CLASS)
    bench.paired(CLASS, 1)
    bench.paired(HALF, 3)
    live, whole, half = told["commands"]
    assert "--only-changed" in live and whole[whole.index("--class-folder") + 1] == "class"
    assert half[half.index("--every") + 1] == "3" and "--class-folder" not in half
    found = {key: spread["median"] for key, spread in bench.found().items()}
    assert (found["core_ms_changed_49"], found["lesson_s_changed_25"], found["answered_fps_49"]) == (10.0, 240.0, 1.0)
    wanted = {"answered_fps_49", "answered_p95_ms_49", "answered_fresh_49", "core_ms_whole_49", "lesson_s_whole_25"}
    assert wanted <= set(found) & {target.key for target in TARGETS}
    assert "fps_49" not in found  # the row of every face embedded is another measurement


@pytest.mark.parametrize(
    ("returns", "slowest"),
    [([0.2, 0.4], 0.4), ([0.2, None], 12.0), ([], None)],
    ids=["known again", "never known again", "nobody left"],
)
def test_names_are_counted(
    bench: Bench, told: dict[str, Any], returns: list[float | None], slowest: float | None
) -> None:
    told["returns"] = returns
    bench.identity()
    found = {key: spread["median"] for key, spread in bench.found().items()}
    assert (found["identity_49"], found["identity_strangers"]) == (1.0, 0.99)
    assert (found["stranger_named"], found["switches"], found["returns"]) == (0.004, 1, len(returns))
    assert found.get("returned_s") == slowest
    assert {"identity_49", "returned_s"} <= {target.key for target in TARGETS}


def test_nobody_is_enrolled_where_there_are_no_photos() -> None:
    assert enroll_classes({CLASS: Scene(CLASS, Path("video.mp4"), None, None, 49)}) == {}


def test_a_measurement_that_fails_says_so() -> None:
    with pytest.raises(FewshotError, match=r"handwritten.*failed"):
        live_bench._json_of("handwritten", ["no-such-video.mp4", "--shared", "no-such-folder"])
