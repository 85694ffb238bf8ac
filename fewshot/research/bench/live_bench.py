"""The measurements of experiments/benchmark.py, each in a process of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

from fewshot.errors import FewshotError
from fewshot.research.bench.live_run import median_and_range
from fewshot.research.bench.live_table import Spread
from fewshot.research.simulation.scenes import CLASS, HALF, STRANGERS, WEBCAM, Scene
from fewshot.room import Classroom

WARM = 50
"""Frames before those that are compared with the loop written by hand: everybody's name is known by then."""

PAIRED = 60
"""Frames of a paired run; decoded, they take 6 MB each."""

FACES = {CLASS: "49", HALF: "25", WEBCAM: "1"}

FIRST_LABEL = """
import sys
from pathlib import Path
from fewshot.loops import make_loop
from fewshot.room import Classroom
folder, video = sys.argv[1:]
if folder:
    results = Classroom.in_folder(Path(folder)).watch(video)
else:
    from fewshot.live.sources import open_source
    from fewshot.perception import open_perception
    results = (step.result for step in make_loop(open_perception()).run(open_source(video)))
print(len(next(iter(results)).readings), flush=True)
"""
IMPORT = "from time import perf_counter as now; start = now(); import fewshot; print(now() - start)"


@dataclass(frozen=True, slots=True)
class Setting:
    """How much is measured: runs, frames of each, seconds of video at most, frames of the loop written by hand."""

    runs: int
    frames: int
    longest: float
    baseline: int


@dataclass(slots=True)
class Bench:
    """Collects values: name -> one number a run.

    Args:
        scenes: by name.
        classes: scene -> folder of the class; empty where nobody is enrolled.
        shared: folder with models/, for the loop written by hand.
        setting: how much.
    """

    scenes: Mapping[str, Scene]
    classes: Mapping[str, Path]
    shared: Path
    setting: Setting
    values: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    latencies: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    stages: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict)
    runs: list[dict[str, str]] = field(default_factory=list)

    def found(self) -> dict[str, Spread]:
        """Median and range of everything measured."""
        return {key: median_and_range(values) for key, values in self.values.items()}

    def speed(self, name: str) -> None:
        """One run over a file, as fast as it can be read."""
        told = self._live(name, "--frames", str(self.setting.frames))
        faces = FACES[name]
        for key in ("fps", "fps_steady", "between_p95_ms", "queued_p95_ms", "rss_mb", "fresh"):
            self.values[f"{key}_{faces}"].append(told["summary"][key])
        # A webcam is never read faster than it sends: its latency is measured by ``camera``.
        before = "flat_out_" if name == WEBCAM else ""
        for key in ("p50_ms", "p95_ms"):
            self.values[f"{before}{key}_{faces}"].append(told["summary"][key])
        self.latencies[f"{name}, file"] += [1000 * seconds for seconds in told["latency"]]
        self.stages[name] = told["stages"]
        self._note(name, "file", told)

    def answered(self, name: str) -> None:
        """The same as ``speed`` with only the changed faces embedded: every face still has an answer in every frame."""
        told = self._live(name, "--frames", str(self.setting.frames), "--only-changed")
        for key in ("fps", "p95_ms", "fresh"):
            self.values[f"answered_{key}_{FACES[name]}"].append(told["summary"][key])
        self._note(name, "file, changed faces", told)

    def paired(self, name: str, every: int) -> None:
        """Processor time of a frame with every face embedded and with the changed faces, in turns in one process."""
        command = [str(self.scenes[name].video), "--every", str(every), "--frames", str(PAIRED)]
        if name in self.classes:
            command += ["--class-folder", str(self.classes[name])]
        for key, value in _json_of("paired", command).items():
            self.values[f"{key}_{FACES[name]}"].append(value)

    def camera(self, name: str) -> None:
        """One run in real time, as a camera sends the frames."""
        told = self._live(name, "--frames", str(self.setting.frames), "--paced")
        faces = FACES[name]
        before = "" if name == WEBCAM else "live_"
        for key in ("p50_ms", "p95_ms", "dropped"):
            self.values[f"{before}{key}_{faces}"].append(told["summary"][key])
        self.latencies[f"{name}, camera"] += [1000 * seconds for seconds in told["latency"]]
        self._note(name, "camera", told)

    def beside_handwritten(self) -> None:
        """The loop written by hand and ours on the same frames, decoded beforehand, one after the other."""
        count, video = self.setting.baseline, str(self.scenes[CLASS].video)
        span = ("--start", str(WARM), "--frames", str(count), "--shared", str(self.shared))
        by_hand = _json_of("handwritten", [video, *span])
        told = self._live(CLASS, "--frames", str(WARM + count + 2), "--decoded")
        theirs = sum(by_hand["ms"]) / count
        labelled = told["labelled"]
        ours = 1000 * (labelled[WARM + count - 1] - labelled[WARM - 1]) / count
        for key, value in (("handwritten_ms", theirs), ("ours_ms", ours), ("ratio_to_handwritten", theirs / ours)):
            self.values[key].append(value)

    def identity(self) -> None:
        """Names over whole videos: everybody enrolled, and with strangers and people who leave and return."""
        for scene, key in ((CLASS, "identity_49"), (STRANGERS, "identity_strangers")):
            truth = self.scenes[scene].video.with_name("truth.json")
            told = self._live(scene, "--truth", str(truth))
            who = told["identity"]
            self.values[key].append(who["identity"]["value"])
            self.values[f"{key}_wrong"].append(who["wrong_name"]["value"])
            self.values["switches"].append(who["renamed_tracks"])
            self._note(scene, "identity", told)
        self.values["switches"] = [sum(self.values["switches"])]
        self.values["stranger_named"].append(who["stranger_named"]["value"])
        known = [one["known_after"] for one in who["returns"]]
        self.values["returns"].append(len(known))
        if known:
            # Somebody who was never known again was not known until the end of the video.
            self.values["returned_s"].append(max(self.setting.longest if after is None else after for after in known))

    def start(self) -> None:
        """From launching Python to the first labelled frame, and the import alone."""
        folder = self.classes.get(CLASS, "")
        begin = perf_counter()
        command = [sys.executable, "-c", FIRST_LABEL, str(folder), str(self.scenes[CLASS].video)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
            told = process.stdout.readline() if process.stdout else ""
            self.values["start_s"].append(perf_counter() - begin)
        if not told.strip():
            raise FewshotError("The program that waits for the first labelled frame failed. Run: fewshot doctor")
        imported = subprocess.run([sys.executable, "-c", IMPORT], capture_output=True, text=True, check=True)
        self.values["import_s"].append(float(imported.stdout))

    def enroll(self, photos: Path) -> None:
        """``fewshot enroll`` as a teacher types it, into a home of its own."""
        with tempfile.TemporaryDirectory() as home:
            begin = perf_counter()
            command = [sys.executable, "-m", "fewshot", "enroll", "bench", str(photos), "--consent-by", "the dataset"]
            environment = {**os.environ, "FEWSHOT_HOME": home}
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
            if done.returncode:
                raise FewshotError(f"fewshot enroll failed: {done.stderr.strip()[-500:]}")
            self.values["enroll_50_s"].append(perf_counter() - begin)

    def _live(self, scene: str, *options: str) -> dict[str, Any]:
        command = [str(self.scenes[scene].video), *options]
        if scene in self.classes:
            command += ["--class-folder", str(self.classes[scene])]
        return _json_of("live_run", command)

    def _note(self, scene: str, kind: str, told: Mapping[str, Any]) -> None:
        summary = {key: f"{value:.4g}" for key, value in told["summary"].items()}
        self.runs.append({"scene": scene, "kind": kind, **summary})


def enroll_classes(scenes: Mapping[str, Scene]) -> dict[str, Path]:
    """Enroll everybody in the scenes' photos; folders of the classes."""
    folders = {}
    for scene in scenes.values():
        if scene.photos is None:
            continue
        folder = scene.video.parent / "class"
        shutil.rmtree(folder, ignore_errors=True)  # anew each time: the networks may have changed since
        Classroom.in_folder(folder).enroll_folder(scene.photos, consent_by="the terms of the dataset")
        folders[scene.name] = folder
    return folders


def _json_of(name: str, arguments: list[str]) -> dict[str, Any]:
    """Run a module of this package in a process of its own and read the JSON file it writes."""
    command = ["-m", f"{__package__}.{name}", *arguments]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "told.json"
        done = subprocess.run(
            [sys.executable, *command, "--out", str(out)], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise FewshotError(f"{' '.join(command)} failed: {done.stderr.strip()[-500:]}")
        told: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
        return told
