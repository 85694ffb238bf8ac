"""Copies of one photo, and different photos of one person: how near their fingerprints and vectors are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import cv2
import numpy as np

from fewshot.classroom.copies import CHANGED, MIRRORED, NEARLY, SAVED_AGAIN, Likeness, how_copied, likeness
from fewshot.classroom.photos import fingerprint, shrink
from fewshot.faces.boxes import largest_face
from fewshot.perception import Perceives
from fewshot.research.datasets.mosaics import LabelledFaces
from fewshot.research.evaluation.mosaic_albums import padded
from fewshot.types import Frame, Vectors

Change = Callable[[Frame], Frame]
COPIED = (SAVED_AGAIN, MIRRORED, CHANGED)


def _jpeg(quality: int) -> Change:
    def change(picture: Frame) -> Frame:
        data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)

    return change


def _resized(scale: float) -> Change:
    return lambda picture: np.asarray(
        cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8
    )


def _brighter(gain: float, offset: float) -> Change:
    return lambda picture: np.asarray(cv2.convertScaleAbs(picture, alpha=gain, beta=offset), np.uint8)


def _cut(left: float, top: float, right: float, bottom: float) -> Change:
    """Without these shares of its sides."""

    def change(picture: Frame) -> Frame:
        height, width = picture.shape[:2]
        rows = slice(round(top * height), round((1 - bottom) * height))
        return np.ascontiguousarray(picture[rows, round(left * width) : round((1 - right) * width)])

    return change


CHANGES: dict[str, tuple[Change, ...]] = {
    "saved again (JPEG 40)": (_jpeg(40),),
    "made smaller (0.7)": (_resized(0.7),),
    "mirrored": (lambda picture: np.ascontiguousarray(picture[:, ::-1]),),
    "brighter": (_brighter(1.15, 20.0),),
    "darker": (_brighter(0.75, 0.0),),
    "cut by 6 %": (_cut(0.06, 0.02, 0.0, 0.04),),
    "cut, mirrored, saved again": (_cut(0.0, 0.05, 0.05, 0.0), lambda p: np.ascontiguousarray(p[:, ::-1]), _jpeg(60)),
}
"""What people and programs do to a photo before they hand it in again."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A photo as enrollment keeps it: fingerprint, and unit vectors of expression and identity, shapes (d,), (k,)."""

    mark: str
    expression: Vectors
    identity: Vectors


def seen(eyes: Perceives, picture: Frame) -> Seen | None:
    """What enrollment would keep of a photo; None without a readable face."""
    photo = shrink(picture)
    face = largest_face(eyes.look(photo))
    if face is None or face.expression is None:
        return None
    eyes.identify(photo, [face])
    if face.identity is None:
        return None
    return Seen(fingerprint(photo, face.crop), face.expression, face.identity)


def copy_rows(eyes: Perceives, faces: LabelledFaces, count: int, seed: int = 0) -> list[dict[str, Any]]:
    """For every way to change a photo: how many of the changed copies are recognised as copies.

    Args:
        eyes: the chain for enrollment photos.
        faces: a data set.
        count: photos that are drawn from it.
        seed: of the draw.
    """
    found: dict[str, list[Likeness]] = {name: [] for name in CHANGES}
    said: dict[str, list[str]] = {name: [] for name in CHANGES}
    for row in np.random.default_rng(seed).permutation(len(faces))[:count]:
        picture = padded(faces.pictures[row])
        first = seen(eyes, picture)
        for name, changes in CHANGES.items():
            changed = picture
            for change in changes:
                changed = change(changed)
            second = seen(eyes, changed)
            if first is not None and second is not None:
                found[name].append(between(first, second))
                said[name].append(how(first, second))
    return [
        {
            "data": faces.name,
            "copies": name,
            "pairs": len(near),
            "counted as one photo": percent_of(word in COPIED for word in said[name]),
            "nearly the same": percent_of(word == NEARLY for word in said[name]),
            "bits of the face": _median(min(one.crop, one.mirror_crop) for one in near),
            "expression": _median(one.expression for one in near),
            "identity": _median(one.identity for one in near),
        }
        for name, near in found.items()
    ]


def different_rows(eyes: Perceives, faces: LabelledFaces, people: int, photos: int) -> list[dict[str, Any]]:
    """How many pairs of different photos of one person are taken for copies.

    Args:
        eyes: the chain for enrollment photos.
        faces: a data set with subjects.
        people: how many; those with most photos.
        photos: at most so many of each.
    """
    near: list[Likeness] = []
    said: list[str] = []
    for name, _ in Counter(one for one in faces.subjects if one).most_common(people):
        mine = [row for row, subject in enumerate(faces.subjects) if subject == name][:photos]
        kept = [found for row in mine if (found := seen(eyes, padded(faces.pictures[row]))) is not None]
        for one, other in combinations(kept, 2):
            near.append(between(one, other))
            said.append(how(one, other))
    refused = sum(word in COPIED for word in said)
    return [
        {
            "data": faces.name,
            "people": people,
            "pairs": len(near),
            "counted as one photo": refused,
            "per 1000": round(1000 * refused / max(1, len(near)), 2),
            "nearly the same": sum(word == NEARLY for word in said),
            "largest identity": round(max(one.identity for one in near), 3) if near else "",
        }
    ]


def how(one: Seen, other: Seen) -> str:
    """What enrollment says of two photos; see ``how_copied``."""
    return how_copied(
        one.mark, other.mark, float(one.expression @ other.expression), float(one.identity @ other.identity)
    )


def percent_of(flags: Iterable[bool]) -> str:
    """Share of those that are true, as in "93 %"; "" without any."""
    values = list(flags)
    return f"{100 * sum(values) / len(values):.0f} %" if values else ""


def _median(values: Iterable[float]) -> float | str:
    known = list(values)
    return round(float(np.median(known)), 3) if known else ""


def between(one: Seen, other: Seen) -> Likeness:
    """How near two photos are."""
    return likeness(
        one.mark, other.mark, float(one.expression @ other.expression), float(one.identity @ other.identity)
    )
