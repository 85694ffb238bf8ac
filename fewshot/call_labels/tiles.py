"""Where the tiles of a call are, found from the faces and from the even shade between the tiles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from fewshot.types import Frame

Grey = NDArray[np.float32]
_SAME, _CALM = 9.0, 12.0
"""Difference of a line's mean from the shade between the tiles, and its standard deviation, at most; grey levels.
Compression needs that much. Colours are not compared, because it smears them over 16 pixels."""
_GAP = 2
"""Pixels of the narrowest gap between two tiles."""
_LIKE = 0.05
"""Difference from the usual tile, as a share of its size."""
_ENOUGH = 3
"""Tiles that must be found on all sides before one is taken to be of their size."""
_SHAPES = (0.9, 2.4)
"""Width by height of a tile."""


class Tile(NamedTuple):
    """A tile: left, top, right, bottom in pixels of the frame; right and bottom are the first pixel outside."""

    x0: int
    y0: int
    x1: int
    y1: int

    @property
    def width(self) -> int:
        """In pixels."""
        return self.x1 - self.x0

    @property
    def height(self) -> int:
        """In pixels."""
        return self.y1 - self.y0

    def holds(self, box: NDArray[np.floating]) -> bool:
        """Whether the middle of a box (x0, y0, x1, y1; pixels, shape (4,)) is in it."""
        return bool(self.x0 <= (box[0] + box[2]) / 2 < self.x1 and self.y0 <= (box[1] + box[3]) / 2 < self.y1)


def find_tiles(frame: Frame, boxes: Sequence[NDArray[np.floating]]) -> list[Tile | None]:
    """The tile of every face; None where it is not certain, and for two faces in one tile.

    Tiles of a gallery have one size, and the same even shade lies between all of them. What does not fit that is no
    tile: a wall behind a student may be even too.

    Args:
        frame: BGR, shape (height, width, 3).
        boxes: of all faces, x0, y0, x1, y1 in pixels of the frame.
    """
    if not boxes:
        return []
    grey: Grey = np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), np.float32)
    shade = _between(grey, boxes)
    if shade is None:
        return [None] * len(boxes)
    found = [_around(grey, shade, box) for box in boxes]
    sizes = np.array([(tile.width, tile.height) for tile in found if tile is not None])
    if not len(sizes):
        return found
    usual = np.median(sizes, axis=0)
    fitting = [tile if tile is not None and _fits(tile, usual) else None for tile in found]
    known = [tile for tile in fitting if tile is not None]
    whole = [
        tile or _from_others(grey, shade, box, known) or _from_three_sides(grey, shade, box, known)
        for tile, box in zip(fitting, boxes, strict=True)
    ]
    return [None if tile is None or sum(map(tile.holds, boxes)) > 1 else tile for tile in whole]


def _fits(tile: Tile, usual: NDArray[np.floating]) -> bool:
    return bool((np.abs(np.subtract((tile.width, tile.height), usual)) <= _LIKE * usual + 2).all())


def _between(grey: Grey, boxes: Sequence[NDArray[np.floating]]) -> float | None:
    """The shade between the tiles: that of the rows nearest to the faces that are even across all faces.

    A plain wall is even in its own tile only, and a bar of the window is farther away than the gap before it.
    """
    clipped = [_clipped(box, grey) for box in boxes]
    wide = max(x1 - x0 for x0, _, x1, _ in clipped)
    left = max(0, min(x0 for x0, *_ in clipped) - wide)
    right = max(x1 for _, _, x1, _ in clipped) + wide
    mean, spread = grey[:, left:right].mean(axis=1), grey[:, left:right].std(axis=1)
    even = np.flatnonzero(spread <= _CALM)
    nearest = []
    for _, y0, _, y1 in clipped:
        above, below = even[even < y0], even[even >= y1]
        nearest += [int(rows[place]) for rows, place in ((above, -1), (below, 0)) if len(rows)]
    if not nearest:
        return None
    shades = mean[nearest]
    near = (np.abs(shades[:, None] - shades) <= _SAME / 2).sum(axis=1)
    return float(np.median(shades[np.abs(shades - shades[int(np.argmax(near))]) <= _SAME / 2]))


def _even(lines: Grey, along: int, shade: float) -> NDArray[np.bool_]:
    """Which lines have the shade all along, shape (n,)."""
    return np.asarray((np.abs(lines.mean(axis=along) - shade) <= _SAME) & (lines.std(axis=along) <= _CALM), bool)


def _around(grey: Grey, shade: float, box: NDArray[np.floating]) -> Tile | None:
    """The nearest even lines on all four sides of a face."""
    left, top, right, bottom = _sides(grey, shade, box)
    if left is None or right is None or top is None or bottom is None:
        return None
    tile = Tile(left, top, right, bottom)
    shape = tile.width / max(1, tile.height)
    return tile if _SHAPES[0] <= shape <= _SHAPES[1] else None


def _from_others(grey: Grey, shade: float, box: NDArray[np.floating], known: Sequence[Tile]) -> Tile | None:
    """A tile that has the columns of one above or below it and the rows of one beside it, if gaps are around it."""
    middle_x, middle_y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    column = next((tile for tile in known if tile.x0 <= middle_x < tile.x1), None)
    row = next((tile for tile in known if tile.y0 <= middle_y < tile.y1), None)
    if column is None or row is None:
        return None
    x0, y0, x1, y1 = tile = Tile(column.x0, row.y0, column.x1, row.y1)
    sides = (
        _even(grey[y0:y1, max(0, x0 - _GAP) : x0], 0, shade), _even(grey[y0:y1, x1 : x1 + _GAP], 0, shade),
        _even(grey[max(0, y0 - _GAP) : y0, x0:x1], 1, shade), _even(grey[y1 : y1 + _GAP, x0:x1], 1, shade),
    )  # fmt: skip
    return tile if all(side.any() for side in sides) else None


def _from_three_sides(grey: Grey, shade: float, box: NDArray[np.floating], known: Sequence[Tile]) -> Tile | None:
    """A tile of the usual size above or below whose missing gap something stands, such as the dark bar of a call.

    A bar so close spoils the few lines before it, where a video is compressed.
    """
    if len(known) < _ENOUGH:
        return None
    wide, high = (round(float(side)) for side in np.median([(tile.width, tile.height) for tile in known], axis=0))
    left, top, right, bottom = _sides(grey, shade, box)
    if left is None or right is None:
        return None
    usual = np.array([wide, high], float)
    for tile in (
        None if top is None else Tile(left, top, right, top + high),
        None if bottom is None else Tile(left, bottom - high, right, bottom),
    ):
        if tile is not None and tile.holds(box) and _fits(tile, usual) and tile.y0 >= 0 and tile.y1 <= len(grey):
            return tile
    return None


def _sides(
    grey: Grey, shade: float, box: NDArray[np.floating]
) -> tuple[int | None, int | None, int | None, int | None]:
    """Where the nearest even lines end: left, top, right and bottom. Rows are sought between both columns."""
    x0, y0, x1, y1 = _clipped(box, grey)
    left, right = _edges(_even(grey[y0:y1], 0, shade), (x0 + x1) // 2)
    if left is None or right is None:
        return left, None, right, None
    # Nearly the whole width, without the rounded corners: a plain wall or a light label may be even over a part of it.
    inner = slice(left + (right - left) // 10, right - (right - left) // 10)
    top, bottom = _edges(_even(grey[:, inner], 1, shade), (y0 + y1) // 2)
    return left, top, right, bottom


def _edges(lines: NDArray[np.bool_], middle: int) -> tuple[int | None, int | None]:
    """The end of the nearest gap before ``middle``, and the start of the nearest one behind it."""
    wide = lines.copy()
    for shift in range(1, _GAP):
        wide[shift:] &= lines[:-shift]
        wide[:shift] = False
    ends = np.flatnonzero(wide[:middle])  # each is the last line of _GAP even ones
    starts = np.flatnonzero(wide[middle:])
    left = int(ends[-1]) + 1 if len(ends) else None
    right = middle + int(starts[0]) - _GAP + 1 if len(starts) else None
    return left, right


def _clipped(box: NDArray[np.floating], grey: Grey) -> tuple[int, int, int, int]:
    height, width = grey.shape[:2]
    x0, x1 = sorted(int(min(max(value, 0), width)) for value in (box[0], box[2]))
    y0, y1 = sorted(int(min(max(value, 0), height)) for value in (box[1], box[3]))
    x0, y0 = min(x0, width - 1), min(y0, height - 1)
    return x0, y0, max(x1, x0 + 1), max(y1, y0 + 1)
