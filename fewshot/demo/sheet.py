"""The demo's contact sheet: a row a person, the enrolled photos beside what was seen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from fewshot.live.colours import INK, PAPER, colour_of, readable_on
from fewshot.live.lettering import text_tile
from fewshot.pictures import read_picture
from fewshot.types import Frame, Reading

CELL = 120
CAPTION = 22


def cell(picture: Frame | None, caption: str, emotion: str | None = "neutral") -> Frame:
    """One picture of the sheet over its caption, shape (142, 120, 3)."""
    canvas = np.full((CELL + CAPTION, CELL, 3), PAPER, np.uint8)
    if picture is not None and picture.size:
        canvas[:CELL] = cv2.resize(picture, (CELL, CELL), interpolation=cv2.INTER_AREA)
    colour = colour_of(emotion) if picture is not None else PAPER
    canvas[CELL:] = colour
    tile = text_tile(caption, CAPTION, readable_on(colour) if picture is not None else INK, colour)
    width = min(CELL, tile.shape[1])
    canvas[CELL:, :width] = tile[:, :width]
    return canvas


def seen(frame: Frame, reading: Reading) -> Frame:
    """A seen face with what was said about it."""
    height, width = frame.shape[:2]
    x0, y0, x1, y1 = (round(value) for value in reading.box)
    crop = frame[max(y0, 0) : min(y1, height), max(x0, 0) : min(x1, width)]
    words = reading.emotion or "unsure"
    if reading.confidence is not None:
        words += f" {100 * reading.confidence:.0f} %"
    return cell(crop, words, reading.emotion)


def contact_sheet(rows: Sequence[tuple[str, Path | None, Sequence[Frame]]]) -> Frame:
    """All rows under each other.

    Args:
        rows: (name, folder of the enrolled photos or None for a stranger, cells of ``seen``).
    """
    drawn = []
    for name, folder, cells in rows:
        photos = sorted(folder.glob("*.jpg"))[:3] if folder else []
        left = [cell(read_picture(path), "enrolled") for path in photos]
        left += [cell(None, "") for _ in range(3 - len(left))]
        drawn.append(np.hstack([cell(None, name), *left, *cells]))
    widest = max(row.shape[1] for row in drawn)
    return np.vstack([np.pad(row, ((0, 0), (0, widest - row.shape[1]), (0, 0)), constant_values=24) for row in drawn])
