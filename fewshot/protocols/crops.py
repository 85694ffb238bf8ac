"""The largest face of every picture, cut out as the live loop does, once for every change made to the pictures."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from fewshot.classroom.eyes import photo_perception
from fewshot.data.pictures import ANYTHING
from fewshot.data.subjects import Picture
from fewshot.errors import UsageError
from fewshot.faces.align import CROP_SIZE, EXPRESSION_TEMPLATE, align
from fewshot.perception import Perception
from fewshot.pictures import read_picture
from fewshot.types import Face, Frame

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
        face = largest(eyes.find(frame))
        if face is not None:
            grey[row], found[row] = face.crop, True
            if bgr is not None:
                bgr[row] = align(frame, face.landmarks[None], EXPRESSION_TEMPLATE)[0]
    saved(stored, grey=grey, found=found, **({} if bgr is None else {"colour": bgr}))
    return Crops(grey, bgr, found)


def largest(faces: Sequence[Face]) -> Face | None:
    """The face with the largest box; None without faces."""
    return max(faces, key=lambda face: float(np.prod(face.box[2:] - face.box[:2])), default=None)


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
