"""What video costs beside the reading of faces: decoding, drawing and encoding of one frame of a lesson.

    python experiments/measure_video.py lesson.mp4       # H.264, from virtual_classroom.py --codec h264
    python experiments/measure_video.py lesson.mp4 --picture outputs/overlay

Medians in milliseconds a frame, all in one run: the time until the next frame is there, and the time that all cores
worked for it (CPU), which is what counts on a machine that has none to spare. Writes experiments/results/video.md.
"""

from __future__ import annotations

import argparse
import tempfile
from itertools import islice
from pathlib import Path

from fewshot.research.bench.machine import describe
from fewshot.research.bench.video_cost import Timed, decoding, drawing, encoding, with_opencv


def line(name: str, took: Timed, more: str = "") -> str:
    return f"| {name} | {took[0]:.1f} | {took[1]:.1f} | {took[2]:.1f} |{more}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video", type=Path)
    parser.add_argument("--frames", type=int, default=150)
    parser.add_argument("--picture", type=Path, default=None, help="folder for pictures of the overlay, to look at")
    parser.add_argument("--out", type=Path, default=Path("experiments/results/video.md"))
    arguments = parser.parse_args()
    frames = list(islice(with_opencv(arguments.video, 2), arguments.frames))
    size = f"{frames[0].shape[1]}x{frames[0].shape[0]}"
    head = "| | median ms | p95 ms | CPU ms |"
    lines = ["# Video: milliseconds a frame", "", "    python experiments/measure_video.py lesson.mp4", ""]
    lines += [*(f"- {name}: {value}" for name, value in describe().items()), f"- {len(frames)} frames of {size}", ""]
    lines += ["## Decoding", "", head, "|---|---|---|---|"]
    lines += [line(name, took) for name, took in decoding(arguments.video, len(frames))]
    lines += ["", "## Drawing", "", head, "|---|---|---|---|"]
    lines += [line(name, took) for name, took in drawing(frames, arguments.picture)]
    lines += ["", "## Encoding", "", head + " kB a frame |", "|---|---|---|---|---|"]
    with tempfile.TemporaryDirectory() as folder:
        for name, took, size_kb in encoding(frames, 25.0, Path(folder)):
            lines.append(line(name, took, f" {size_kb:.0f} |"))
    arguments.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
