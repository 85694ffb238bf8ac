"""Boxes, names, emotions and confidence on a frame, legible from one large face to 49 small ones."""

from __future__ import annotations

import functools

import cv2
import numpy as np
from numpy.typing import NDArray

from fewshot.live.colours import INK, NOT_READABLE, PAPER, Colour, colour_of
from fewshot.live.lettering import fitted_tile, text_tile
from fewshot.types import Frame, FrameResult, Reading

SMALLEST, LARGEST = 18, 40
"""Height of a line of text in pixels: below 18 it is hard to read, above 40 it hides the face's neighbours."""
WIDEST = 640
"""Pixels that a label is never wider than."""
_STEP = 16
_FAINT: Colour = (190, 190, 190)
_NOT_READABLE = "not readable"
_Box = tuple[int, int, int, int]


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
        if self._latest is not None and self._latest[0] is result and self._latest[1].shape == frame.shape:
            return self._latest[1]
        canvas = frame.copy()
        if result.readings:
            self._draw_all(canvas, result)
        self._latest = (result, canvas)
        return canvas

    def _draw_all(self, canvas: Frame, result: FrameResult) -> None:
        scale = np.array([canvas.shape[1] / max(result.width, 1), canvas.shape[0] / max(result.height, 1)] * 2)
        corners = np.rint(np.array([reading.box for reading in result.readings]) * scale).astype(int)
        # Fewer sizes of letters, so that tiles are found again.
        lines = np.clip(0.19 * (corners[:, 3] - corners[:, 1]), SMALLEST, LARGEST).astype(int) // 2 * 2
        boxes: list[_Box] = [tuple(box) for box in corners.tolist()]
        # All boxes first: a label must not be crossed out by the neighbour's box.
        for reading, box in zip(result.readings, boxes, strict=True):
            _draw_box(canvas, box, _colour(reading))
        rooms = _rooms(corners, lines)
        for reading, box, line, room in zip(result.readings, boxes, lines.tolist(), rooms.tolist(), strict=True):
            self._label(canvas, reading, box, line, room)

    def _label(self, canvas: Frame, reading: Reading, box: _Box, line: int, room: int) -> None:
        known = reading.student is not None
        name = "unknown" if reading.student is None else self._names.get(reading.student, reading.student)
        middle = (box[0] + box[2]) // 2
        _paste(canvas, fitted_tile(name, line, INK if known else _FAINT, PAPER, room), middle, box[1] - line)
        percent = None if reading.confidence is None else round(100 * min(max(reading.confidence, 0.0), 1.0))
        words = _NOT_READABLE if not reading.probabilities else reading.emotion or "unsure"
        _paste(canvas, _verdict_tile(words, percent, reading.emotion, line, room), middle, box[3])


def _rooms(boxes: NDArray[np.int_], lines: NDArray[np.int_]) -> NDArray[np.int_]:
    """How wide each face's labels may be without touching a neighbour's, pixels, shape (n,)."""
    middles = (boxes[:, 0] + boxes[:, 2]) // 2
    tops, bottoms = boxes[:, 1] - lines, boxes[:, 3] + lines + lines // 2
    beside = (tops[:, None] < bottoms) & (tops < bottoms[:, None])
    apart = np.abs(middles[:, None] - middles)
    # Who is above or below, or in front, is no neighbour at the side: there is no width that would help.
    beside &= apart > (boxes[:, 2] - boxes[:, 0])[:, None] // 2
    narrowest = np.maximum(boxes[:, 2] - boxes[:, 0], 3 * lines)
    # In steps, so that tiles are found again while faces move.
    room = np.where(beside, apart, WIDEST).min(axis=1, initial=WIDEST) // _STEP * _STEP
    return np.asarray(np.maximum(room, narrowest), dtype=np.int_)


@functools.lru_cache(maxsize=4096)
def _verdict_tile(words: str, percent: int | None, emotion: str | None, line: int, room: int) -> Frame:
    """What is said under a face: words, a percentage if there is room, and a bar as long as the confidence."""
    label = fitted_tile(words, line, INK, PAPER, room)
    readable = words != _NOT_READABLE
    if emotion is not None and percent is not None:
        number = text_tile(f"{percent}%", line, INK, PAPER)
        if label.shape[1] + number.shape[1] <= room:
            label = np.hstack([label, number])
    bar = np.full((max(5, line // 4), label.shape[1], 3), NOT_READABLE, np.uint8)
    if percent is not None and readable:
        bar[:, : round(label.shape[1] * percent / 100)] = colour_of(emotion)
    return np.vstack([label, bar])


def _colour(reading: Reading) -> Colour:
    return colour_of(reading.emotion) if reading.probabilities else NOT_READABLE


def _draw_box(canvas: Frame, box: _Box, colour: Colour) -> None:
    thickness = max(2, (box[3] - box[1]) // 60)
    # A dark line around the coloured one keeps it visible on any background.
    cv2.rectangle(canvas, box[:2], box[2:], PAPER, thickness + 2)
    cv2.rectangle(canvas, box[:2], box[2:], colour, thickness)


def _paste(canvas: Frame, tile: Frame, middle: int, top: int) -> None:
    """Put a tile on the canvas, moved inside it where it would stick out, cut where it is larger."""
    height, width = min(tile.shape[0], canvas.shape[0]), min(tile.shape[1], canvas.shape[1])
    x = min(max(middle - width // 2, 0), canvas.shape[1] - width)
    y = min(max(top, 0), canvas.shape[0] - height)
    canvas[y : y + height, x : x + width] = tile[:height, :width]
