"""Finds the line of letters at the lower edge of a tile: strokes of one shade that stand in a row."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from fewshot.call_labels.tiles import Tile
from fewshot.types import Frame

SHARE, LOWEST, HIGHEST = 0.3, 22, 64
"""Share of a tile's height in which its label is searched, from below, and pixels of that at least and at most."""
SMALLEST, LARGEST = 6, 34
"""Height of a line of letters, pixels."""
MOST = 3
"""Lines of one tile that are read, until one of them can be read well."""
_STRONG = 110
"""Difference of the channels of a sign beside a name. What shines through a dark or light pill has less."""
_CONTRAST = 45
"""Least difference between letters and what is behind them, grey levels."""


def lower_edge(frame: Frame, tile: Tile) -> Frame:
    """The part of a tile in which its label is, BGR, shape (height, width, 3); nothing else of it is looked at."""
    height = int(min(max(SHARE * tile.height, LOWEST), HIGHEST, tile.height))
    return frame[tile.y1 - height : tile.y1, tile.x0 : tile.x1]


def find_lines(strip: Frame) -> list[NDArray[np.uint8]]:
    """The lines of letters in the lower edge of a tile, the likeliest first, at most ``MOST``: light letters on dark.

    Letters are white, black or grey. So light letters are searched where all channels are light, dark ones where all
    are dark, and both where no colour is: a sign beside the name, such as a red microphone, is not seen there.

    Args:
        strip: BGR, shape (height, width, 3).

    Returns:
        Grey pictures of three equal channels, shape (height, width, 3).
    """
    if min(strip.shape[:2]) < SMALLEST:
        return []
    found: list[tuple[float, NDArray[np.uint8]]] = []
    dark, light = strip.min(axis=2).astype(np.int16), strip.max(axis=2).astype(np.int16)
    colour = light - dark
    sign = _signs(colour)
    for shade in (dark - colour, 255 - light - colour):
        found += _lines_in(np.where(sign, 0, np.clip(shade, 0, 255)).astype(np.uint8))
    likeliest = sorted(found, key=lambda one: -one[0])[:MOST]
    return [np.repeat(line[:, :, None], 3, axis=2) for _, line in likeliest]


def _signs(colour: NDArray[np.int16]) -> NDArray[np.bool_]:
    """Where a small coloured sign is, with its rim: compression smears its colour, so that the rim looks like a letter.

    Args:
        colour: difference between the channels, shape (height, width).
    """
    strong = (colour > _STRONG).astype(np.uint8)
    _, parts, stats, _ = cv2.connectedComponentsWithStats(strong, connectivity=8)
    small = (stats[:, cv2.CC_STAT_WIDTH] <= LARGEST) & (stats[:, cv2.CC_STAT_HEIGHT] <= LARGEST)
    small[0] = False  # all that has no strong colour
    return np.asarray(cv2.dilate(small[parts].astype(np.uint8), np.ones((5, 5), np.uint8)) > 0, bool)


def _lines_in(shade: NDArray[np.uint8]) -> list[tuple[float, NDArray[np.uint8]]]:
    """Lines in which the letters are light, each with how much of it is letters."""
    # Strokes are thinner than this; what is left without them is the pill, or the picture behind it.
    thick = max(7, shade.shape[0] // 4 | 1)
    strokes = cv2.morphologyEx(shade, cv2.MORPH_TOPHAT, cv2.getStructuringElement(cv2.MORPH_RECT, (thick, thick)))
    strong = float(np.percentile(strokes, 99.5))
    if strong < _CONTRAST:
        return []
    mask: NDArray[np.bool_] = np.asarray(strokes > max(_CONTRAST / 2, 0.45 * strong), bool)
    in_row = mask.sum(axis=1)
    found = []
    for top, bottom in _runs(in_row >= max(2.0, 0.25 * np.sort(in_row)[-4:].mean()), 2):
        high = bottom - top
        if not SMALLEST - 2 <= high <= LARGEST:
            continue
        for left, right in _runs(np.asarray(mask[top:bottom].any(axis=0), bool), round(1.6 * high)):
            inside = shade[top:bottom, left:right]
            if right - left >= high and _is_light(inside):
                weight = float(strokes[top:bottom, left:right][mask[top:bottom, left:right]].sum())
                room = max(2, round(0.4 * high))
                rows = slice(max(0, top - room), bottom + room)
                found.append((weight, shade[rows, max(0, left - room) : right + room]))
    return found


def _is_light(line: NDArray[np.uint8]) -> bool:
    """Whether the letters are the lighter part of a line: they take less of it than what is behind them."""
    low, middle, high = np.percentile(line, (8, 50, 95))
    return bool(middle < (low + high) / 2)


def _runs(there: NDArray[np.bool_], gap: int) -> list[tuple[int, int]]:
    """Beginning and end of each run of true; two with at most ``gap`` between them are one."""
    places = np.flatnonzero(there)
    if not len(places):
        return []
    breaks = np.flatnonzero(np.diff(places) > gap + 1)
    starts = [int(places[0]), *(int(places[one + 1]) for one in breaks)]
    ends = [*(int(places[one]) + 1 for one in breaks), int(places[-1]) + 1]
    return list(zip(starts, ends, strict=True))
