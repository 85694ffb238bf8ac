"""One run of the live system over a video, in a process of its own: the measuring hand of benchmark.py.

    python experiments/live_run.py outputs/live/class_49_60s/video.mp4 --class-folder outputs/live/class_49_60s/class

Decodes, finds, embeds, tracks, identifies and classifies every face of every frame; draws nothing. Prints a summary,
and writes the times of every frame as JSON with ``--out``.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from fewshot.data.live_run import identity, in_memory, run
from fewshot.data.truth import Truth
from fewshot.errors import FewshotError
from fewshot.live.loop import Loop
from fewshot.live.sources import FrameSource, Paced, open_source
from fewshot.perception import open_perception
from fewshot.room import Classroom, make_loop
from fewshot.types import FrameResult


def open_loop(class_folder: Path | None) -> Loop:
    """With the students of a class, or for expressions only."""
    return Classroom(class_folder).loop() if class_folder else make_loop(open_perception())


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video")
    parser.add_argument("--class-folder", type=Path, help="of the students; nobody is enrolled without it")
    parser.add_argument("--frames", type=int, help="stop after so many")
    parser.add_argument("--decoded", action="store_true", help="decode them all before the stop-watch is started")
    parser.add_argument("--paced", action="store_true", help="in real time, as a camera sends it")
    parser.add_argument("--truth", type=Path, help="truth.json of a virtual classroom, to count right names")
    parser.add_argument("--out", type=Path, help="JSON file to write")
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    results: list[FrameResult] | None = [] if arguments.truth else None
    try:
        loop, source = open_loop(arguments.class_folder), open_source(arguments.video)
        if arguments.decoded:
            frames = list(in_memory(source, arguments.frames or 1 << 30))
            source = FrameSource(frames, source.fps or 25.0)
        if arguments.paced:
            source = Paced(source)
        measured = run(loop, source, arguments.frames, results)
    except FewshotError as error:
        sys.exit(str(error))
    told = {"summary": measured.summary(), **asdict(measured)}
    if results is not None:
        told["identity"] = identity(Truth.load(arguments.truth), results)
    if arguments.out:
        arguments.out.write_text(json.dumps(told), encoding="utf-8")
    print(json.dumps({**told["summary"], "stages": told["stages"], **told.get("identity", {})}, indent=1))


if __name__ == "__main__":
    main()
