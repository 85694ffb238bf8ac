"""The picture at the top of the README: one frame of an annotated virtual classroom, every face pixelated.

    python experiments/readme_picture.py VIDEO --class-folder FOLDER --time 12

VIDEO and FOLDER are a virtual classroom and the class that experiments/accuracy.py enrolled for it (outputs/).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from fewshot.live.overlay import Overlay
from fewshot.live.sources import open_source
from fewshot.room import Classroom
from fewshot.types import Frame, FrameResult

BLOCKS = 5
"""Squares a face is left with along its shorter side: enough to see that there is one, too few to see whose."""


def pixelated(frame: Frame, result: FrameResult) -> Frame:
    """A copy with a mosaic over every face and a good margin around it."""
    canvas = frame.copy()
    height, width = frame.shape[:2]
    for reading in result.readings:
        x0, y0, x1, y1 = reading.box
        dx, dy = 0.35 * (x1 - x0), 0.35 * (y1 - y0)
        left, top = max(0, int(x0 - dx)), max(0, int(y0 - dy))
        right, bottom = min(width, int(x1 + dx)), min(height, int(y1 + dy))
        region = canvas[top:bottom, left:right]
        ratio = BLOCKS / max(1, min(region.shape[:2]))
        small = cv2.resize(region, None, fx=ratio, fy=ratio, interpolation=cv2.INTER_AREA)
        canvas[top:bottom, left:right] = cv2.resize(small, region.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    return np.asarray(canvas, np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("video")
    parser.add_argument("--class-folder", type=Path, required=True)
    parser.add_argument("--time", type=float, default=8.0, help="seconds")
    parser.add_argument("--out", type=Path, default=Path("docs/images/classroom.jpg"))
    arguments = parser.parse_args()
    room = Classroom.in_folder(arguments.class_folder)
    for step in room.loop().run(open_source(arguments.video)):
        if step.result.time >= arguments.time:
            break
    found = len(step.result.readings)
    picture = Overlay().draw(pixelated(step.frame, step.result), step.result)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(arguments.out), picture, [cv2.IMWRITE_JPEG_QUALITY, 80])
    print(f"{arguments.out}: {found} faces, all pixelated; look at it before it is committed")


if __name__ == "__main__":
    main()
