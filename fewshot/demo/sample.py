"""The demo's material, made from one picture: enrollment photos, a moving video, and the true answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fewshot.errors import FewshotError
from fewshot.pictures import read_picture
from fewshot.types import Frame

SIZE = (1280, 720)
FPS = 15.0
SECONDS = 8.0


@dataclass(frozen=True, slots=True)
class Person:
    """One of the six faces of the sample picture.

    Attributes:
        name: invented for the demo.
        box: x0, y0, x1, y1 in pixels of the picture.
        enrolled: the others are strangers, who must not get anybody's name.
    """

    name: str
    box: tuple[int, int, int, int]
    enrolled: bool


PEOPLE = (
    Person("asha", (56, 261, 169, 398), True),
    Person("ben", (464, 266, 573, 415), True),
    Person("chidi", (745, 342, 847, 480), True),
    Person("dana", (1130, 273, 1227, 401), True),
    Person("guest 1", (270, 145, 372, 270), False),
    Person("guest 2", (906, 59, 1011, 206), False),
)


def sample_picture() -> Frame:
    """The group picture inside the insightface package, BGR, shape (886, 1280, 3).

    Raises:
        FewshotError: the installed insightface does not contain it.
    """
    package = find_spec("insightface")  # importlib.resources would import it, which takes seconds
    folders = package.submodule_search_locations if package is not None else None
    paths = [Path(folder) / "data" / "images" / "t1.jpg" for folder in folders or ()]
    for path in paths:
        if path.is_file():
            return read_picture(path)
    raise FewshotError(
        "The sample picture insightface/data/images/t1.jpg is missing from the installed package insightface. Install "
        "that package again.",
        hint="Type: pip install --force-reinstall insightface",
    )


def enrollment_photos(picture: Frame, folder: Path) -> None:
    """Write PHOTOS/<name>/*.jpg for the people to enroll: crops that are flipped, relit and rescaled.

    None of them appears in the video, where the picture is not mirrored or cut, and has other light.
    """
    for person in PEOPLE:
        if not person.enrolled:
            continue
        target = folder / person.name
        target.mkdir(parents=True, exist_ok=True)
        for number, photo in enumerate(_variations(picture, person)):
            ok, encoded = cv2.imencode(".jpg", photo, [cv2.IMWRITE_JPEG_QUALITY, 88])
            if not ok:
                raise FewshotError(
                    f"OpenCV cannot write JPEG pictures here ({person.name}). Install opencv-python again."
                )
            (target / f"{number + 1}.jpg").write_bytes(encoded.tobytes())


def _portrait(picture: Frame, person: Person, turned: float = 0.0, room: float = 1.9) -> Frame:
    """Head and a little of the shoulders: a square of ``room`` times the box, rotated by ``turned`` degrees."""
    x0, y0, x1, y1 = person.box
    width = round(room * max(x1 - x0, y1 - y0))
    centre = ((x0 + x1) / 2, (y0 + y1) / 2)
    matrix = cv2.getRotationMatrix2D(centre, turned, 1.0)
    matrix[:, 2] += width / 2 - np.array(centre)
    return np.asarray(cv2.warpAffine(picture, matrix, (width, width), borderMode=cv2.BORDER_REPLICATE), np.uint8)


def _variations(picture: Frame, person: Person) -> Iterator[Frame]:
    """Three photos like a teacher might have: from another camera, another day, another angle."""
    yield _relit(cv2.flip(_portrait(picture, person), 1), 0.75, 8)
    yield _relit(_resized(_portrait(picture, person, 9.0, 2.2), 1.7), 1.35, -10)
    yield _relit(_resized(_portrait(picture, person, -10.0, 1.6), 0.8), 1.0, 25)


def _resized(picture: Frame, factor: float) -> Frame:
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, None, fx=factor, fy=factor, interpolation=how), np.uint8)


def _relit(picture: Frame, gamma: float, offset: float) -> Frame:
    levels = 255 * (np.arange(256) / 255) ** gamma + offset
    return np.asarray(cv2.LUT(picture, np.clip(levels, 0, 255).astype(np.uint8)), np.uint8)


def camera(time: float, picture: Frame) -> NDArray[np.float64]:
    """The position of the camera: matrix from picture to frame at ``time`` seconds, shape (2, 3)."""
    height, width = picture.shape[:2]
    zoom = 0.80 + 0.10 * np.sin(2 * np.pi * time / 6.0)
    matrix = cv2.getRotationMatrix2D((width / 2, 0.40 * height), 2.5 * np.sin(2 * np.pi * time / 5.0), zoom)
    matrix[:, 2] += SIZE[0] / 2 - width / 2, 0.47 * SIZE[1] - 0.40 * height
    matrix[:, 2] += 30 * np.sin(2 * np.pi * time / 4.0), 16 * np.cos(2 * np.pi * time / 3.0)
    return np.asarray(matrix)


def video(picture: Frame) -> Iterator[Frame]:
    """The picture seen with a hand-held camera in changing light: ``SECONDS`` at ``FPS``, BGR, 720 rows."""
    for index in range(round(SECONDS * FPS)):
        time = index / FPS
        frame = cv2.warpAffine(picture, camera(time, picture), SIZE, flags=cv2.INTER_AREA, borderValue=(40, 36, 32))
        yield _relit(frame, 1.0 + 0.18 * np.sin(2 * np.pi * time / 7.0), 6 * np.sin(2 * np.pi * time / 3.0))


def true_boxes(time: float, picture: Frame) -> NDArray[np.float64]:
    """Boxes of ``PEOPLE`` in the frame at ``time`` seconds, shape (6, 4)."""
    matrix = camera(time, picture)
    boxes = np.array([person.box for person in PEOPLE], float)
    corners = np.stack([boxes[:, [0, 1]], boxes[:, [2, 1]], boxes[:, [2, 3]], boxes[:, [0, 3]]], axis=1)
    moved = corners @ matrix[:, :2].T + matrix[:, 2]
    return np.concatenate([moved.min(axis=1), moved.max(axis=1)], axis=1)
