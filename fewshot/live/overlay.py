"""Boxes, names, emotions and confidence on a frame, legible from one large face to 49 small ones."""

from __future__ import annotations

import cv2
import numpy as np

from fewshot.live.colours import INK, NOT_READABLE, PAPER, Colour, colour_of
from fewshot.live.lettering import text_tile
from fewshot.types import Frame, FrameResult, Reading

SMALLEST, LARGEST = 18, 40
"""Height of a line of text in pixels: below 18 it is hard to read, above 40 it hides the face's neighbours."""


class Overlay:
    """Draws results. The latest picture is kept, so that window and video share one.

    Args:
        names: what to show for a student's key, if not the key itself.
    """

    def __init__(self, names: dict[str, str] | None = None) -> None:
        self._names = names or {}
        self._latest: tuple[FrameResult, Frame] | None = None

    def draw(self, frame: Frame, result: FrameResult) -> Frame:
        """A copy of the frame with every reading drawn on it.

        Args:
            frame: BGR uint8, shape (height, width, 3); may be smaller than the source the boxes are measured in.
            result: of this frame.

        Returns:
            The same shape as ``frame``. Not to be written into: it may be given again.
        """
        if self._latest is not None and self._latest[0] is result:
            return self._latest[1]
        canvas = frame.copy()
        scale = (frame.shape[1] / max(result.width, 1), frame.shape[0] / max(result.height, 1))
        boxes = [_corners(reading, scale) for reading in result.readings]
        # All boxes first: a label must not be crossed out by the neighbour's box.
        for reading, box in zip(result.readings, boxes, strict=True):
            _draw_box(canvas, box, _colour(reading))
        for reading, box in zip(result.readings, boxes, strict=True):
            self._label(canvas, reading, box)
        self._latest = (result, canvas)
        return canvas

    def _label(self, canvas: Frame, reading: Reading, box: tuple[int, int, int, int]) -> None:
        x0, y0, x1, y1 = box
        line = int(np.clip(0.19 * (y1 - y0), SMALLEST, LARGEST)) // 2 * 2  # fewer sizes, so that tiles are found again
        name = "unknown" if reading.student is None else self._names.get(reading.student, reading.student)
        known = reading.student is not None
        above = text_tile(_short(name), line, INK if known else (190, 190, 190), PAPER)
        colour = _colour(reading)
        below = _words(reading, line)
        bar = max(5, line // 4)
        middle = (x0 + x1) // 2
        _paste(canvas, above, middle, y0 - line)
        _paste(canvas, _with_bar(below, bar, reading.confidence, colour), middle, y1)


def _words(reading: Reading, line: int) -> Frame:
    if not reading.probabilities or reading.emotion is None:
        return text_tile("unsure" if reading.probabilities else "not readable", line, INK, PAPER)
    # Two tiles, because words and numbers are found again far more often than pairs of them.
    percent = text_tile(f"{100 * (reading.confidence or 0):.0f}%", line, INK, PAPER)
    return np.hstack([text_tile(reading.emotion, line, INK, PAPER), percent])


def _short(name: str, longest: int = 24) -> str:
    return name if len(name) <= longest else name[: longest - 1] + "…"


def _colour(reading: Reading) -> Colour:
    return colour_of(reading.emotion) if reading.probabilities else NOT_READABLE


def _corners(reading: Reading, scale: tuple[float, float]) -> tuple[int, int, int, int]:
    x0, y0, x1, y1 = reading.box
    return round(x0 * scale[0]), round(y0 * scale[1]), round(x1 * scale[0]), round(y1 * scale[1])


def _draw_box(canvas: Frame, box: tuple[int, int, int, int], colour: Colour) -> None:
    thickness = max(2, (box[3] - box[1]) // 60)
    # A dark line around the coloured one keeps it visible on any background.
    cv2.rectangle(canvas, box[:2], box[2:], PAPER, thickness + 2)
    cv2.rectangle(canvas, box[:2], box[2:], colour, thickness)


def _with_bar(label: Frame, height: int, confidence: float | None, colour: Colour) -> Frame:
    """The label with a bar under it whose filled part is the confidence."""
    bar = np.full((height, label.shape[1], 3), NOT_READABLE, np.uint8)
    if confidence is not None:
        bar[:, : round(label.shape[1] * min(max(confidence, 0.0), 1.0))] = colour
    return np.vstack([label, bar])


def _paste(canvas: Frame, tile: Frame, middle: int, top: int) -> None:
    """Put a tile on the canvas, moved inside it where it would stick out, cut where it is larger."""
    height, width = min(tile.shape[0], canvas.shape[0]), min(tile.shape[1], canvas.shape[1])
    x = min(max(middle - width // 2, 0), canvas.shape[1] - width)
    y = min(max(top, 0), canvas.shape[0] - height)
    canvas[y : y + height, x : x + width] = tile[:height, :width]
