"""Run the live system for an hour on a class that never ends, and watch memory, rates and latency.

    python experiments/soak.py --minutes 60 --faces 49          as fast as a camera of 25 frames a second asks for
    python experiments/soak.py --minutes 60 --fps 8             a part of the machine only

The video is played in real time, again and again, as a camera; detection, names, expressions and the summary are those
of ``fewshot live --class``. Writes soak.csv (a line every few seconds), soak.md and soak.png to --results. Ctrl-C ends
it early, with the same report. Draws the video first if it is not there (see benchmark.py).
"""

from __future__ import annotations

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from fewshot.errors import FewshotError
from fewshot.live.pipeline import Pipeline, Schedule
from fewshot.live.sources import Paced, open_source
from fewshot.research.bench.live_bench import FACES, enroll_classes
from fewshot.research.bench.live_plots import plot_soak
from fewshot.research.bench.machine import busy, describe
from fewshot.research.bench.soak_run import MOST_GROWTH, report, soak, summary_rows
from fewshot.research.bench.soaking import Endless, growth
from fewshot.research.evaluation.tables import markdown, write_csv
from fewshot.research.simulation.scenes import scene_at
from fewshot.room import Classroom
from fewshot.session.summary import Summary


def prepare(arguments: argparse.Namespace) -> tuple[Path, Path]:
    """The video, and the folder of the class that sits in it, enrolled anew."""
    name = next(scene for scene, faces in FACES.items() if faces == arguments.faces)
    scene = scene_at(arguments.work, arguments.shared, name, arguments.video_seconds)
    return scene.video, enroll_classes({name: scene})[name]


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--faces", choices=list(FACES.values()), default="49")
    parser.add_argument("--fps", type=float, help="frames a second that are looked at, at most")
    parser.add_argument("--every", type=float, default=5.0, help="seconds from sample to sample")
    parser.add_argument("--video-seconds", type=float, default=60.0, help="length of a round")
    parser.add_argument("--shared", type=Path, default=Path("../shared"), help="folder with data/ and models/")
    parser.add_argument("--work", type=Path, default=Path("outputs/live"), help="for video and class")
    parser.add_argument("--results", type=Path, default=Path("experiments/results"))
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    os.environ.setdefault("FEWSHOT_SHARED", str(arguments.shared.resolve()))
    warning = busy()
    try:
        # In a process of its own: what drawing and enrolling leave in memory is not to be counted.
        with ProcessPoolExecutor(1, get_context("spawn")) as aside:
            video, folder = aside.submit(prepare, arguments).result()
        room = Classroom.in_folder(folder)
        source = Paced(Endless(lambda: open_source(video)))
        pipeline = Pipeline(room.loop(), source, [Summary(room.students)], Schedule(fps=arguments.fps))
        samples = soak(pipeline, arguments.minutes, arguments.every)
    except FewshotError as error:
        sys.exit(str(error))
    if not samples:
        sys.exit("The run ended before the first sample.")
    grown = growth(samples)
    rows = summary_rows(samples, grown, [*pipeline.notes, *([str(pipeline.error)] if pipeline.error else [])])
    arguments.results.mkdir(parents=True, exist_ok=True)
    write_csv([sample.row() for sample in samples], arguments.results / "soak.csv")
    plot_soak(arguments.results / "soak.png", samples)
    machine = {**describe(), **({"note": warning} if warning else {})}
    command = f"python experiments/soak.py {' '.join(sys.argv[1:])}"
    (arguments.results / "soak.md").write_text(report(rows, command, machine), encoding="utf-8")
    print(markdown(rows))
    if pipeline.error or (grown and grown.percent >= MOST_GROWTH):
        sys.exit(1)


if __name__ == "__main__":
    main()
