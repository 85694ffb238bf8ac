"""Processor time of a frame, every face embedded beside only the changed ones, in turns on the same decoded frames.

    python -m fewshot.research.bench.paired VIDEO --every 3 --frames 60

One thread does everything, and its processor time is measured, so other programs on the machine disturb the comparison
little. Capturing, decoding and drawing are not in the numbers.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import thread_time

import cv2
import numpy as np

from fewshot.errors import FewshotError
from fewshot.live.loop import Loop
from fewshot.live.sources import CapturedFrame, open_source
from fewshot.loops import make_loop
from fewshot.perception import open_perception
from fewshot.room import Classroom

CHUNK = 5
"""Frames of one way before the other way has its turn."""
LESSON = 50 * 60 * 8
"""Frames of a lesson of 50 minutes at 8 frames per second."""


@dataclass(slots=True)
class Paired:
    """Milliseconds of processor time of every frame, both ways.

    Attributes:
        whole: every face embedded.
        changed: only the changed faces.
        embedded: share of the readable faces that were embedded in the second way, after the first second.
        faces: in a frame.
    """

    whole: list[float] = field(default_factory=list)
    changed: list[float] = field(default_factory=list)
    embedded: float = 1.0
    faces: float = 0.0

    def summary(self) -> dict[str, float]:
        """Means over the frames (a lesson is their sum), and the median ratio of the chunks."""
        count = len(self.whole) // CHUNK * CHUNK
        chunks = [np.reshape(ms[:count], (-1, CHUNK)).sum(axis=1) for ms in (self.whole, self.changed)]
        whole, changed = float(np.mean(self.whole)), float(np.mean(self.changed))
        return {
            "core_ms_whole": whole,
            "core_ms_changed": changed,
            "lesson_s_whole": LESSON * whole / 1000,
            "lesson_s_changed": LESSON * changed / 1000,
            "ratio": float(np.median(chunks[1] / chunks[0])),
            "embedded": self.embedded,
            "faces": self.faces,
        }


def measure(loops: Sequence[Loop], frames: Sequence[CapturedFrame], warm: int) -> Paired:
    """Run both loops over the same frames.

    Args:
        loops: every face embedded, and only the changed faces.
        frames: decoded.
        warm: first frames that are not counted: everybody is new in them.
    """
    paired, ages, faces = Paired(), list[float](), list[int]()
    for loop, only_changed in zip(loops, (False, True), strict=True):
        loop.only_changed = only_changed
        loop.begin()
    for start in range(0, len(frames), CHUNK):
        for loop, told in zip(loops, (paired.whole, paired.changed), strict=True):
            for frame in frames[start : start + CHUNK]:
                begin = thread_time()
                step = loop.step(frame)
                if frame.index < warm:
                    continue
                told.append(1000 * (thread_time() - begin))
                if loop.only_changed:
                    ages += [one.age for one in step.result.readings if one.probabilities]
                    faces.append(len(step.faces))
    paired.embedded = float(np.mean([age == 0 for age in ages])) if ages else 1.0
    paired.faces = float(np.median(faces)) if faces else 0.0
    return paired


def decoded(video: str, every: int, count: int) -> list[CapturedFrame]:
    """The first ``count`` of every ``every``-th frame, numbered from 0."""
    frames: list[CapturedFrame] = []
    source = open_source(video)
    try:
        for captured in source:
            if captured.index % every == 0:
                frames.append(replace(captured, index=len(frames)))
            if len(frames) == count:
                break
    finally:
        source.close()
    return frames


def main() -> None:
    """Measure one video, and print or write the summary."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video")
    parser.add_argument("--class-folder", type=Path, help="of the students; nobody is enrolled without it")
    parser.add_argument("--every", type=int, default=1, help="use every N-th frame")
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--out", type=Path, help="JSON file to write")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    try:
        frames = decoded(arguments.video, arguments.every, arguments.frames)
        warm = sum(frame.time - frames[0].time < 1.0 for frame in frames)
        told = measure([_loop(arguments.class_folder) for _ in range(2)], frames, warm).summary()
    except FewshotError as error:
        sys.exit(str(error))
    if arguments.out:
        arguments.out.write_text(json.dumps(told), encoding="utf-8")
    print(json.dumps(told, indent=1))


def _loop(folder: Path | None) -> Loop:
    return Classroom.in_folder(folder).loop() if folder else make_loop(open_perception(threads=1))


if __name__ == "__main__":
    main()
