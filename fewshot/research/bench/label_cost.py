"""What reading the labels of a call costs: milliseconds of one core, and frames per second of the loop beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from fewshot.demo.portrait_video import COLUMNS, gallery
from fewshot.demo.portraits import CONSENT, HEIGHT, PORTRAITS, WIDTH, neutral_photos
from fewshot.live.pipeline import Pipeline
from fewshot.live.sources.base import FrameSource
from fewshot.room import Classroom
from fewshot.types import Frame

SIDE, WIDE, HIGH, GAP = 7, 262, 147, 8
RATE = 25.0
_DIFFERENT = 25
"""Frames that are drawn; then they come again."""


def call_frames(font: Path, count: int) -> Iterator[Frame]:
    """Frames of 1920x1080 with 49 tiles and their labels: the sample photographs, each four times or more.

    Args:
        font: of the labels.
        count: how many frames.
    """
    drawn = [_frame(index / RATE, font) for index in range(min(count, _DIFFERENT))]
    for index in range(count):
        yield drawn[index % len(drawn)]


def _frame(time: float, font: Path) -> Frame:
    people = gallery(time)
    canvas = np.full((1080, 1920, 3), 26, np.uint8)
    places = []
    for number in range(SIDE * SIDE):
        person = number % len(PORTRAITS)
        top, left = (person // COLUMNS) * HEIGHT, (person % COLUMNS) * WIDTH
        tile = cv2.resize(people[top : top + HEIGHT, left : left + WIDTH], (WIDE, HIGH), interpolation=cv2.INTER_AREA)
        x, y = 16 + (number % SIDE) * (WIDE + GAP), 8 + (number // SIDE) * (HIGH + GAP - 2)
        canvas[y : y + HIGH, x : x + WIDE] = tile
        places.append((x, y + HIGH, PORTRAITS[person]))
    picture = Image.fromarray(canvas[:, :, ::-1])
    pen, letters = ImageDraw.Draw(picture), ImageFont.truetype(str(font), 14)
    for x, bottom, name in places:
        pen.rectangle((x + 6, bottom - 24, x + 16 + letters.getlength(name), bottom - 4), fill=(30, 30, 30))
        pen.text((x + 10, bottom - 14), name, font=letters, fill=(255, 255, 255), anchor="lm")
    return np.ascontiguousarray(np.asarray(picture)[:, :, ::-1])


def cost(font: Path, frames: int = 300, runs: int = 3) -> list[dict[str, str]]:
    """Frames per second of a file with 49 faces: without labels, beside faces, and labels only; runs take turns.

    Args:
        font: of the labels.
        frames: of a run.
        runs: of each kind.
    """
    room = Classroom.temporary("call")
    with TemporaryDirectory() as folder:
        neutral_photos(Path(folder))
        room.enroll_folder(folder, consent_by=CONSENT)
    kinds = ("faces", "both", "labels")
    rates: dict[str, list[float]] = {kind: [] for kind in kinds}
    named: dict[str, int] = {}
    for _ in range(runs):
        for kind in kinds:
            rate, named[kind] = _one(room, kind, font, frames)
            rates[kind].append(rate)
    return [_row(kind, rates, named[kind]) for kind in kinds]


def _one(room: Classroom, kind: str, font: Path, frames: int) -> tuple[float, int]:
    loop = room.loop(names=kind)
    source = FrameSource(call_frames(font, frames), RATE)
    begun, seen, last = 0.0, 0, 0
    for step in Pipeline(loop, source).run():
        begun = begun or perf_counter()  # the first result: drawing and opening are not counted
        seen += 1
        last = sum(one.student is not None for one in step.result.readings)
    return (seen - 1) / (perf_counter() - begun), last


def _row(kind: str, rates: dict[str, Sequence[float]] | dict[str, list[float]], named: int) -> dict[str, str]:
    mine = rates[kind]
    return {
        "names from": kind,
        "frames per second": f"{median(mine):.1f}",
        "range": f"{min(mine):.1f} to {max(mine):.1f}",
        "against faces only": f"{100 * median(mine) / median(rates['faces']) - 100:+.1f} %",
        "faces with a name at the end": str(named),
    }
