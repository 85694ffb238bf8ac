"""Contact sheets of faces, for whoever works on this; they go to the ignored folder ``outputs`` and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fewshot.types import Frame

_LINE = 14
_FONT, _SCALE = cv2.FONT_HERSHEY_SIMPLEX, 0.36


def contact_sheet(
    pictures: Sequence[NDArray[np.uint8]], captions: Sequence[str], path: Path, columns: int = 8, side: int = 112
) -> Path:
    """Pictures in rows, each with a caption of one or more lines under it.

    Args:
        pictures: grey (h, w) or BGR (h, w, 3), scaled to fit ``side`` pixels.
        captions: one a picture, lines parted by newlines.
        path: a PNG; its folder is made.
    """
    lines = max((caption.count("\n") + 1 for caption in captions), default=1)
    rows = max(1, -(-len(pictures) // columns))
    sheet = np.full((rows * (side + lines * _LINE + 4), columns * (side + 4), 3), 255, np.uint8)
    for number, (picture, caption) in enumerate(zip(pictures, captions, strict=True)):
        top, left = (number // columns) * (side + lines * _LINE + 4), (number % columns) * (side + 4)
        sheet[top : top + side, left : left + side] = _fitted(picture, side)
        for place, line in enumerate(caption.split("\n")):
            at = (left + 2, top + side + (place + 1) * _LINE - 3)
            cv2.putText(sheet, line[:20], at, _FONT, _SCALE, (0, 0, 0), 1, cv2.LINE_AA)
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), sheet)
    return path


def _fitted(picture: NDArray[np.uint8], side: int) -> Frame:
    """A picture in the middle of a grey square."""
    colour = cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR) if picture.ndim == 2 else picture
    zoom = side / max(colour.shape[:2])
    height, width = (max(1, round(length * zoom)) for length in colour.shape[:2])
    square = np.full((side, side, 3), 200, np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = cv2.resize(colour, (width, height), interpolation=cv2.INTER_AREA)
    return square
