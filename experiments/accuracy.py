"""Measure how right the whole system is, end to end, on virtual classrooms (how fast: experiments/benchmark.py).

    python experiments/accuracy.py                              both chains of models, all videos
    python experiments/accuracy.py --detector scrfd --video cfee_49 --seconds 10

Builds the videos (or takes those of an earlier run), enrolls through ``fewshot.room.Classroom``, runs the real loop
over every frame and compares what it said with the truth. Writes ``accuracy`` and ``speed`` as CSV and Markdown to
experiments/results/. The first run over a video does the looking, frame after frame, and is the one timed; the others
(fewer photos, no smoothing) read the same faces again. Videos and class stores go to outputs/ and hold faces: do not
publish them.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from fewshot.embedding.runtime import open_embedder
from fewshot.errors import FewshotError
from fewshot.research.bench.accuracy import IDENTITY_OF, measure, videos
from fewshot.research.evaluation.tables import markdown, show, write_csv

HEAD = """# The whole system on virtual classrooms

    python experiments/accuracy.py

Network `{network}`, seed {seed}, videos of {seconds:g} s, every face in every frame. CFEE and JAFFE: **test**.

"""


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path("../shared"), help="folder with data/ and models/")
    parser.add_argument("--work", type=Path, default=Path("outputs/benchmark"), help="for videos and class stores")
    parser.add_argument("--results", type=Path, default=Path("experiments/results"))
    parser.add_argument("--detector", nargs="*", choices=list(IDENTITY_OF), default=["scrfd", "cascade"])
    parser.add_argument("--video", nargs="*", choices=list(videos(1, 0)), default=list(videos(1, 0)))
    parser.add_argument("--network", type=Path, help="an expression network of your own, its .json beside it")
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--smoothing", type=float, default=0.5, help="time constant in seconds")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    os.environ.setdefault("FEWSHOT_SHARED", str(arguments.shared))
    every = videos(arguments.seconds, arguments.seed)
    accuracy: list[dict[str, str]] = []
    speed: list[dict[str, str]] = []
    try:
        for name in arguments.video:
            for detector in arguments.detector:
                rows, timing = measure(
                    arguments.work / name,
                    every[name],
                    detector,
                    arguments.shared,
                    arguments.network,
                    arguments.smoothing,
                )
                show(rows, f"{name}, {detector}")
                accuracy += rows
                speed.append(timing)
    except FewshotError as error:
        sys.exit(str(error))
    show(speed, f"speed on {os.cpu_count()} CPU cores, every face in every frame")
    said = {"network": open_embedder().network, "seed": arguments.seed, "seconds": arguments.seconds}
    for table, rows in (("accuracy", accuracy), ("speed", speed)):
        write_csv(rows, arguments.results / f"{table}.csv")
        page = HEAD.format(**said) + markdown(rows)
        (arguments.results / f"{table}.md").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
