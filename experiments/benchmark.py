"""Measure how fast the whole system is, beside the loop that a user writes by hand, and how sure it is of names then.

    python experiments/benchmark.py             5 runs of everything: 10 minutes, once the videos are drawn (20 minutes)
    python experiments/benchmark.py --quick     2 short runs: 2 minutes, once the videos are drawn (5 minutes)

Draws the videos (or takes those of an earlier run), enrolls the classes, and runs every measurement in a process of its
own, one kind after the other and round again, so that a slow minute of the machine hits all of them. Writes live.md,
live.json, live.csv and three pictures to experiments/results/. Videos and classes go to outputs/live/ and hold faces:
do not publish them. Without the pictures of ../shared the galleries are made of the demo's sample picture; then nothing
is said about names.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from rich.progress import track

from fewshot.errors import FewshotError
from fewshot.loops import open_population
from fewshot.research.bench.live_bench import FACES, Bench, Setting, enroll_classes
from fewshot.research.bench.live_material import photos_to_enroll, scenes_for
from fewshot.research.bench.live_plots import plot_latency, plot_runs, plot_stages
from fewshot.research.bench.live_table import TARGETS, flat, report, table_rows
from fewshot.research.bench.machine import busy, describe
from fewshot.research.evaluation.tables import show, write_csv
from fewshot.research.simulation.scenes import CLASS, HALF, STRANGERS, WEBCAM

FULL = Setting(runs=5, frames=500, longest=60.0, baseline=8)
QUICK = Setting(runs=2, frames=150, longest=12.0, baseline=4)

NOTES = (
    "Every frame is decoded (H.264), and every face in it found, aligned, tracked, embedded and classified; nothing is "
    "drawn. A rate is frames by seconds from the first to the last label, the first looks at everybody included.",
    "From decoded frame to labels: the time that a frame is worked on. Frames of a file are decoded ahead; what they "
    "wait before their turn is in `queued_p95_ms_49` of live.json. A camera's frame counts from its arrival.",
    "Embedded where it changed: docs/explanation/schedule.md. Processor time is that of one thread without capturing "
    "and decoding; a class of 25 is looked at in every third frame of its video, 8.3 times a second.",
    "Names: the denominator is true face-frames of enrolled students matched at IoU >= 0.5, from the very first frame; "
    "missed and unknown count as wrong.",
    "The loop written by hand is experiments/baselines/handwritten.py; both get the same decoded frames, in turns.",
    "Start: launching Python, loading the networks and the class, decoding, and the first frame's labels.",
)

MADE_UP = (
    "The galleries show six faces of one picture again and again: nobody is enrolled, so nothing is said about names, "
    "and start and rates are without them."
)


def measure(bench: Bench, arguments: argparse.Namespace) -> None:
    """Everything, round by round."""
    for _ in track(range(bench.setting.runs), "measuring", transient=True):
        if (arguments.shared / "models" / "peers").is_dir():
            bench.beside_handwritten()
        for name in (CLASS, HALF, WEBCAM):
            bench.speed(name)
        bench.answered(CLASS)
        bench.paired(CLASS, 1)
        bench.paired(HALF, 3)
        for name in (CLASS, WEBCAM):
            bench.camera(name)
        bench.start()
    if STRANGERS in bench.scenes:
        bench.identity()
        photos = photos_to_enroll(arguments.shared, arguments.work / "photos_50")
        for _ in range(min(3, bench.setting.runs)):
            bench.enroll(photos)


def write(bench: Bench, told: dict[str, Any], results: Path) -> None:
    """The page, the numbers, the runs and the pictures."""
    found = bench.found()
    results.mkdir(parents=True, exist_ok=True)
    (results / "live.md").write_text(report(found, told), encoding="utf-8")
    (results / "live.json").write_text(json.dumps(flat(found, told), indent=1) + "\n", encoding="utf-8")
    write_csv(bench.runs, results / "live.csv")
    rates = {name: bench.values[f"fps_{faces}"] for name, faces in FACES.items()}
    limits = {target.key: target.limit for target in TARGETS if target.limit is not None}
    plot_stages(
        results / "live_stages.png", bench.stages, {name: 1000 / float(np.median(fps)) for name, fps in rates.items()}
    )
    plot_runs(results / "live_runs.png", rates, {name: limits[f"fps_{faces}"] for name, faces in FACES.items()})
    plot_latency(results / "live_latency.png", bench.latencies)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="2 short runs")
    parser.add_argument("--shared", type=Path, default=Path("../shared"), help="folder with data/ and models/")
    parser.add_argument("--work", type=Path, default=Path("outputs/live"), help="for videos and classes")
    parser.add_argument("--results", type=Path, default=Path("experiments/results"))
    parser.add_argument("--runs", type=int, help="instead of 5")
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    if arguments.shared.is_dir():
        os.environ.setdefault("FEWSHOT_SHARED", str(arguments.shared.resolve()))
    usual = QUICK if arguments.quick else FULL
    setting = Setting(arguments.runs or usual.runs, usual.frames, usual.longest, usual.baseline)
    try:
        scenes = scenes_for(arguments.shared, arguments.work, setting.longest)
        classes = enroll_classes(scenes)
        warning, load = busy(), psutil.getloadavg()[0]
        if warning:
            print(warning, file=sys.stderr)
        bench = Bench(scenes, classes, arguments.shared, setting)
        measure(bench, arguments)
    except FewshotError as error:
        sys.exit(str(error))
    told = {
        "network": open_population().network,
        "machine": describe(),
        "notes": [*NOTES, *([] if classes else [MADE_UP]), *([warning] if warning else [])],
        "commands": [f"python experiments/benchmark.py{' --quick' if arguments.quick else ''}"],
        "stages": bench.stages,
        "quick": arguments.quick,
        "runs": setting.runs,
        "load_before": load,
    }
    show(table_rows(bench.found()), "speed", wide=3)
    write(bench, told, arguments.results)
    print(f"Written to {arguments.results}: live.md, live.json, live.csv and three pictures.")


if __name__ == "__main__":
    main()
