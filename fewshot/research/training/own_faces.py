"""The faces of pictures of your own as training crops: found, turned upright, and cut out with a margin."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from fewshot.errors import FewshotError, UsageError
from fewshot.faces.align import CROP_SIZE, EXPRESSION_TEMPLATE, similarity_transforms
from fewshot.faces.any_size import any_size
from fewshot.faces.detections import Detector
from fewshot.faces.detectors.scrfd import ScrfdDetector
from fewshot.faces.open_detector import open_detector
from fewshot.pictures import read_picture
from fewshot.research.datasets.own_folder import Problem
from fewshot.research.datasets.subjects import Picture
from fewshot.types import Frame

MARGIN = 24
"""Pixels around a crop, which augmentation moves into it."""
SIDE = CROP_SIZE + 2 * MARGIN
_SMALL, _BORDER = 160, 0.25
"""A smaller picture is enlarged, and gets a border: in sets of small pictures the face fills the picture."""


def training_detector(kind: str, shared: Path | None) -> Detector:
    """The detector for training faces: for "auto" SCRFD of the shared folder if it is there; see ``open_detector``.

    Raises:
        ModelUnavailable, UsageError: as ``open_detector``.
    """
    path = (shared or Path()) / "models/insightface/models/buffalo_sc/det_500m.onnx"
    inner = ScrfdDetector(path) if kind == "auto" and shared is not None and path.is_file() else open_detector(kind)
    return any_size(inner)


def cut_faces(
    pictures: Sequence[Picture], root: Path, detector: Detector | None, cache: Path, on_problem: Problem
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """The largest face of every picture with a margin, from the cache if these pictures were cut before.

    Args:
        pictures: n of them.
        root: folder that their paths start from.
        detector: None takes the whole picture for the face, cut to a square.
        cache: folder that the faces are kept in.
        on_problem: told of pictures that cannot be read, or have no face.

    Returns:
        (grey faces, shape (n, 160, 160), zeros where there is none; which pictures gave one, shape (n,)).
    """
    stored = cache / f"own_faces_{_key(pictures, root, detector)}.npz"
    if stored.is_file():
        with np.load(stored) as data:
            return data["faces"], data["found"]
    faces, found = np.zeros((len(pictures), SIDE, SIDE), np.uint8), np.zeros(len(pictures), bool)
    faceless: list[str] = []
    for row, picture in enumerate(track(pictures, "faces", transient=True, disable=not pictures)):
        try:
            frame = read_picture(root / picture.path)
        except FewshotError as error:
            on_problem(f"Left out: {error}")
            continue
        face = _whole(frame) if detector is None else _detected(detector, frame)
        if face is None:
            faceless.append(picture.path)
        else:
            faces[row], found[row] = face, True
    if faceless:
        shown = ", ".join(faceless[:3]) + (", …" if len(faceless) > 3 else "")
        on_problem(f"Left out, because no face was found: {len(faceless)} of {len(pictures)} pictures ({shown}).")
    _write(stored, faces=faces, found=found)
    return faces, found


def _write(path: Path, **arrays: NDArray[np.generic]) -> None:
    draft = path.with_name(f".{os.getpid()}_{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
        draft.replace(path)
    except OSError as error:
        raise UsageError(
            f"The faces cannot be kept in {path.parent}: {error.strerror}. Give another folder: data.prepared=FOLDER."
        ) from error


def _whole(frame: Frame) -> NDArray[np.uint8]:
    """The middle square of a picture: the crop is all of it, and the margin repeats its edge."""
    grey = np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), np.uint8)
    side = min(grey.shape)
    top, left = (grey.shape[0] - side) // 2, (grey.shape[1] - side) // 2
    square = grey[top : top + side, left : left + side]
    way = cv2.INTER_AREA if side > CROP_SIZE else cv2.INTER_LINEAR
    crop = cv2.resize(square, (CROP_SIZE, CROP_SIZE), interpolation=way)
    return np.asarray(cv2.copyMakeBorder(crop, MARGIN, MARGIN, MARGIN, MARGIN, cv2.BORDER_REPLICATE), np.uint8)


def _detected(detector: Detector, frame: Frame) -> NDArray[np.uint8] | None:
    if max(frame.shape[:2]) < _SMALL:
        zoom = _SMALL / max(frame.shape[:2])
        frame = np.asarray(cv2.resize(frame, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_CUBIC), np.uint8)
        border = round(_BORDER * _SMALL)
        frame = np.asarray(cv2.copyMakeBorder(frame, border, border, border, border, cv2.BORDER_REPLICATE), np.uint8)
    found = detector.detect(frame)
    if not len(found):
        return None
    sizes = (found.boxes[:, 2:] - found.boxes[:, :2]).prod(axis=1)
    matrix = similarity_transforms(found.landmarks[[int(sizes.argmax())]], EXPRESSION_TEMPLATE + MARGIN)[0]
    grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
    return np.asarray(cv2.warpAffine(grey, matrix, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE), np.uint8)


def _key(pictures: Sequence[Picture], root: Path, detector: Detector | None) -> str:
    """Which files, cut out how: a short hash."""
    parts = ["whole" if detector is None else detector.name]
    for picture in pictures:
        path = root / picture.path
        about = path.stat() if path.is_file() else None
        parts.append(f"{path.resolve()}:{about.st_size if about else 0}:{about.st_mtime_ns if about else 0}")
    return hashlib.sha256("\n".join(parts).encode(errors="surrogateescape")).hexdigest()[:12]
