"""Faces that fill the frame: how many are found with one detection pass, and how many with a margin."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from fewshot.errors import UsageError
from fewshot.faces.any_size import any_size
from fewshot.faces.detections import Detector
from fewshot.types import Frame

FRAMES = {"square, 480x480": (480, 480), "portrait, 360x640": (640, 360), "4:3, 640x480": (480, 640)}
"""Name -> height and width, pixels."""
SHARES = (0.65, 0.8, 0.95, 1.1)
"""Height of the face's box in heights of the frame."""
Row = dict[str, str]


def portrait_rows(detector: Detector, folder: Path, people: int) -> list[Row]:
    """One row per shape of the frame and size of the face, for the first neutral portraits of a folder.

    Raises:
        UsageError: there are no such portraits, or one of them shows no face.
    """
    pictures = [_read(path) for path in sorted(folder.glob("*_neutral.jpg"))[:people]]
    if not pictures:
        raise UsageError(f"There are no pictures *_neutral.jpg in {folder}. Give the folder of the London set.")
    rows = []
    for name, size in FRAMES.items():
        for share in SHARES:
            frames = [scaled(detector, picture, size, share) for picture in pictures]
            rows.append({"frame": name, "share": f"{100 * share:.0f} %", **_found(detector, frames)})
    return rows


def cropped_rows(detector: Detector, folders: Sequence[Path], count: int) -> list[Row]:
    """One row per set of square pictures in mosaics; ``count`` of each, drawn with a fixed seed."""
    rows = []
    for folder in folders:
        tiles = list(_tiles(folder))
        chosen = np.random.default_rng(0).permutation(len(tiles))[:count]
        rows.append({"set": folder.name, **_found(detector, [tiles[index] for index in chosen])})
    return rows


def scaled(detector: Detector, picture: Frame, size: tuple[int, int], share: float) -> Frame:
    """The picture moved and scaled so that its face is in the middle of a frame, shape (*size, 3).

    Raises:
        UsageError: it shows no face.
    """
    found = detector.detect(picture)
    if not len(found):
        raise UsageError("A portrait shows no face. Give other pictures.")
    x0, y0, x1, y1 = found.boxes[0]
    scale = share * size[0] / (y1 - y0)
    shift = np.array([size[1], size[0]]) / 2 - scale * np.array([x0 + x1, y0 + y1]) / 2
    matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]], np.float32)
    return np.asarray(cv2.warpAffine(picture, matrix, size[::-1], borderMode=cv2.BORDER_REPLICATE), np.uint8)


def _found(detector: Detector, frames: Sequence[Frame]) -> Row:
    wide = any_size(detector)
    once, again = (sum(len(one.detect(frame)) > 0 for frame in frames) for one in (detector, wide))
    return {"found without margin": f"{once} of {len(frames)}", "found": f"{again} of {len(frames)}"}


def _read(path: Path) -> Frame:
    picture = cv2.imread(str(path))
    if picture is None:
        raise UsageError(f"{path} cannot be read.")
    return np.asarray(picture, np.uint8)


def _tiles(folder: Path, columns: int = 40) -> Iterator[Frame]:
    """Square pictures of mosaics of ``columns`` columns, as many as there are labels."""
    with np.load(folder / "labels.npz", allow_pickle=False) as table:
        left = len(table["labels"])
    for path in sorted(folder.glob("faces_*.webp")):
        mosaic = _read(path)
        side = mosaic.shape[1] // columns
        for row in range(mosaic.shape[0] // side):
            for column in range(columns):
                if left > 0:
                    yield mosaic[row * side : (row + 1) * side, column * side : (column + 1) * side]
                left -= 1
