"""Draws boxes, names, states and how sure they are on a frame; readable for one large face and for 49 small ones."""

from __future__ import annotations

import functools

import cv2
import numpy as np
from numpy.typing import NDArray

from fewshot.live.colours import INK, NOT_READABLE, PAPER, Colour, colour_of
from fewshot.live.lettering import fitted_tile, text_tile
from fewshot.prototypes.calibration import sure_word
from fewshot.types import Frame, FrameResult, Reading

SMALLEST, LARGEST = 18, 40
"""Height of a line of text in pixels: below 18 it is hard to read, above 40 it covers other faces."""
WIDEST = 640
"""Largest width of a label in pixels."""
_STEP = 16
_FAINT: Colour = (190, 190, 190)
_NOT_READABLE = "not readable"
_Box = tuple[int, int, int, int]


class Overlay:
    """Draws results on frames. The latest picture is cached, so that window and video can share it.

    Args:
        names: student's key -> name to show; a missing key is shown itself.
    """

    def __init__(self, names: dict[str, str] | None = None) -> None:
        self._names = names or {}
        self._latest: tuple[FrameResult, Frame] | None = None

    def draw(self, frame: Frame, result: FrameResult) -> Frame:
        """A copy of the frame with every reading drawn on it.

        Args:
            frame: BGR uint8, shape (height, width, 3); may be smaller than the source, whose pixels the boxes use.
            result: the result of this frame.

        Returns:
            A picture with the shape of ``frame``. Do not modify it: it may be returned again.
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
        # Only few sizes of letters, so that cached tiles can be reused.
        lines = np.clip(0.19 * (corners[:, 3] - corners[:, 1]), SMALLEST, LARGEST).astype(int) // 2 * 2
        boxes: list[_Box] = [tuple(box) for box in corners.tolist()]
        # All boxes first: another face's box must not be drawn over a label.
        for reading, box in zip(result.readings, boxes, strict=True):
            _draw_box(canvas, box, _colour(reading))
        widths = _label_widths(corners, lines)
        for reading, box, line, width in zip(result.readings, boxes, lines.tolist(), widths.tolist(), strict=True):
            self._label(canvas, reading, box, line, width)

    def _label(self, canvas: Frame, reading: Reading, box: _Box, line: int, width: int) -> None:
        known = reading.student is not None
        name = "unknown" if reading.student is None else self._names.get(reading.student, reading.student)
        middle = (box[0] + box[2]) // 2
        _paste(canvas, fitted_tile(name, line, INK if known else _FAINT, PAPER, width), middle, box[1] - line)
        percent = None if reading.confidence is None else round(100 * min(max(reading.confidence, 0.0), 1.0))
        words = _NOT_READABLE if not reading.probabilities else reading.emotion or "unsure"
        _paste(canvas, _verdict_tile(words, percent, reading.emotion, line, width), middle, box[3])


def _label_widths(boxes: NDArray[np.int_], lines: NDArray[np.int_]) -> NDArray[np.int_]:
    """How wide each face's labels may be without touching another face's labels, pixels, shape (n,)."""
    middles = (boxes[:, 0] + boxes[:, 2]) // 2
    tops, bottoms = boxes[:, 1] - lines, boxes[:, 3] + lines + lines // 2
    beside = (tops[:, None] < bottoms) & (tops < bottoms[:, None])
    apart = np.abs(middles[:, None] - middles)
    # A face above, below or in front is not a neighbour at the side: a narrower label would not help.
    beside &= apart > (boxes[:, 2] - boxes[:, 0])[:, None] // 2
    narrowest = np.maximum(boxes[:, 2] - boxes[:, 0], 3 * lines)
    # In steps, so that cached tiles can be reused while faces move.
    widths = np.where(beside, apart, WIDEST).min(axis=1, initial=WIDEST) // _STEP * _STEP
    return np.asarray(np.maximum(widths, narrowest), dtype=np.int_)


@functools.lru_cache(maxsize=4096)
def _verdict_tile(words: str, percent: int | None, emotion: str | None, line: int, width: int) -> Frame:
    """The label below a face: the state, how sure it is in a word if that fits, and a bar as long as the confidence.

    No number: it would look more exact than it is. It stands in the other outputs.
    """
    label = fitted_tile(words, line, INK, PAPER, width)
    readable = words != _NOT_READABLE
    if emotion is not None and percent is not None:
        sure = text_tile(sure_word(percent / 100), line, _FAINT, PAPER)
        if label.shape[1] + sure.shape[1] <= width:
            label = np.hstack([label, sure])
    bar = np.full((max(5, line // 4), label.shape[1], 3), NOT_READABLE, np.uint8)
    if percent is not None and readable:
        bar[:, : round(label.shape[1] * percent / 100)] = colour_of(emotion)
    return np.vstack([label, bar])


def _colour(reading: Reading) -> Colour:
    return colour_of(reading.emotion) if reading.probabilities else NOT_READABLE


def _draw_box(canvas: Frame, box: _Box, colour: Colour) -> None:
    thickness = max(2, (box[3] - box[1]) // 60)
    # A dark line around the coloured line makes it visible on any background.
    cv2.rectangle(canvas, box[:2], box[2:], PAPER, thickness + 2)
    cv2.rectangle(canvas, box[:2], box[2:], colour, thickness)


def _paste(canvas: Frame, tile: Frame, middle: int, top: int) -> None:
    """Draw a tile on the canvas. It is moved inside if it would stick out, and cut if it is larger than the canvas."""
    height, width = min(tile.shape[0], canvas.shape[0]), min(tile.shape[1], canvas.shape[1])
    x = min(max(middle - width // 2, 0), canvas.shape[1] - width)
    y = min(max(top, 0), canvas.shape[0] - height)
    canvas[y : y + height, x : x + width] = tile[:height, :width]
