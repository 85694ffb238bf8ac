"""The largest face of every picture, cut out as the live loop does, once for every change made to the pictures."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from fewshot.classroom.photo_perception import photo_perception
from fewshot.errors import UsageError
from fewshot.faces.align import CROP_SIZE, EXPRESSION_TEMPLATE, align
from fewshot.faces.boxes import largest_face
from fewshot.perception import Perception
from fewshot.pictures import read_picture
from fewshot.research.datasets.single_faces import ANYTHING
from fewshot.research.datasets.subjects import Picture
from fewshot.types import Frame

Change = Callable[[Frame], Frame]
"""What is done to a picture before the chain sees it. Its ``name`` or ``__name__`` tells caches apart."""


@dataclass(frozen=True, eq=False)
class Crops:
    """The faces that the chain cut out of n pictures.

    Attributes:
        grey: what the network sees, uint8, shape (n, 112, 112); zeros where no face was found.
        colour: the same in BGR, shape (n, 112, 112, 3), for networks of others; None unless asked for.
        found: which pictures gave a face, shape (n,).
    """

    grey: NDArray[np.uint8]
    colour: NDArray[np.uint8] | None
    found: NDArray[np.bool_]


def crop_pictures(
    chain: Perception,
    pictures: Sequence[Picture],
    root: Path,
    cache_folder: Path,
    change: Change | None = None,
    colour: bool = False,
) -> Crops:
    """The largest face of every picture, cut out as the live loop does.

    Args:
        chain: its detector is used, its quality limits are not.
        pictures: n of them.
        root: folder that ``Picture.path`` starts from.
        cache_folder: where the crops are kept.
        change: what is done to every picture first.
        colour: also in colour.

    Raises:
        UsageError: ``change`` has no name.
        FewshotError: a picture cannot be read.
    """
    # Colour crops hold the grey ones too.
    names = [f"crops_{picture_key(chain, pictures, root, change, kind)}.npz" for kind in dict.fromkeys((colour, True))]
    stored = cache_folder / names[0]
    for known in (cache_folder / name for name in names):
        if known.is_file():
            with np.load(known) as data:
                return Crops(data["grey"], data["colour"] if colour else None, data["found"])
    eyes = photo_perception(chain, ANYTHING)
    grey = np.zeros((len(pictures), CROP_SIZE, CROP_SIZE), np.uint8)
    bgr = np.zeros((*grey.shape, 3), np.uint8) if colour else None
    found = np.zeros(len(pictures), bool)
    title = f"{pictures[0].dataset if pictures else 'no pictures'}, {change_name(change)}"
    for row, picture in enumerate(track(pictures, title, transient=True, disable=not pictures)):
        frame = read_picture(root / picture.path)
        frame = change(frame) if change else frame
        face = largest_face(eyes.find(frame))
        if face is not None:
            grey[row], found[row] = face.crop, True
            if bgr is not None:
                bgr[row] = align(frame, face.landmarks[None], EXPRESSION_TEMPLATE)[0]
    saved(stored, grey=grey, found=found, **({} if bgr is None else {"colour": bgr}))
    return Crops(grey, bgr, found)


def saved(path: Path, **arrays: NDArray[np.generic]) -> None:
    """Write an .npz whole or not at all: two evaluations may fill one cache at the same time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{os.getpid()}_{path.name}")
    with draft.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
    draft.replace(path)


def change_name(change: Change | None) -> str:
    """What a change is called.

    Raises:
        UsageError: it has no name of its own, so its cache could be taken for another's.
    """
    name = "as it is" if change is None else str(getattr(change, "name", getattr(change, "__name__", "")))
    if not name or name == "<lambda>":
        raise UsageError(
            f"{change!r} has no name to keep its pictures by. Give it a `name`, or write it as a function."
        )
    return name


def picture_key(
    chain: Perception, pictures: Sequence[Picture], root: Path, change: Change | None, colour: bool = False
) -> str:
    """Which pictures, which detector, which change: a short hash, readable at the front."""
    files = [f"{picture.path}:{(root / picture.path).stat().st_size}" for picture in pictures]
    parts = [
        type(chain.detector).__name__,
        chain.detector.name,
        change_name(change),
        "colour" if colour else "grey",
        *files,
    ]
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]
    sets = "-".join(sorted({picture.dataset for picture in pictures})) or "empty"
    return f"{sets}_{digest}"


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
