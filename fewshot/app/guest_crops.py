"""Pictures of one person who is not enrolled: which are good enough, how they are cut, and which are kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from fewshot.app.guided import portrait
from fewshot.errors import UsageError
from fewshot.faces.quality import ENROLLMENT_LIMITS
from fewshot.translation import tr
from fewshot.types import Face, Frame

BEST, PER_STATE, MOST_CROPS = 3, 2, 8
"""Pictures of one person: the best ones, more for each state that the network reads, and how many together at most."""
APART = 1.0
"""Least number of seconds between two of them, because neighbouring frames show the same."""
LONGEST = 256
"""Pixels of the longer side of a picture that is held. A face in it has about half of that."""
_ROOMS = (2.2, 1.8, 1.5)
"""Sides of the square around a face, as multiples of its box, from the best one to the tightest."""


@dataclass(frozen=True, slots=True)
class Crop:
    """One picture of a face. It is in memory only, and its text contains no picture, so no log does.

    Attributes:
        id: of the picture in this lesson.
        second: of the lesson.
        score: the larger the better.
        suggests: the state that the network finds most probable, which nobody has confirmed; "" for none.
        picture: head and shoulders in colour, a PNG file.
        seen: the face as the network saw it, a PNG file.
    """

    id: int
    second: float
    score: float
    suggests: str
    picture: bytes = field(repr=False)
    seen: bytes = field(repr=False)

    def filled(self, picture: Frame, seen: NDArray[np.uint8]) -> Crop:
        """The same with its pictures.

        Args:
            picture: BGR, shape (height, width, 3).
            seen: the aligned crop, grey, shape (112, 112).
        """
        return replace(self, picture=_png(picture), seen=_png(seen))

    def frame(self) -> Frame:
        """The picture again, BGR, shape (height, width, 3)."""
        return np.asarray(cv2.imdecode(np.frombuffer(self.picture, np.uint8), cv2.IMREAD_COLOR), np.uint8)


def _png(picture: NDArray[np.uint8]) -> bytes:
    ok, encoded = cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    if not ok:
        raise UsageError(tr("OpenCV cannot write pictures here. Install opencv-python again."))
    return encoded.tobytes()


def good_enough(face: Face) -> bool:
    """Whether a face can be enrolled, as far as its quality tells. Enrollment looks again."""
    quality, limits = face.quality, ENROLLMENT_LIMITS
    return bool(
        quality.ok
        and face.expression is not None
        and quality.size >= limits.size
        and quality.sharpness >= limits.sharpness
        and abs(quality.yaw) <= limits.yaw
        and abs(quality.pitch) <= limits.pitch
        and abs(quality.roll) <= limits.roll
    )


def portrait_of(frame: Frame, face: Face, faces: Sequence[Face], longest: int = LONGEST) -> Frame | None:
    """Head and shoulders of one face with nobody else on it; None if other faces are too near for that.

    Args:
        frame: BGR, shape (height, width, 3).
        face: one of ``faces``, which are all faces of the frame.
        faces: all faces of the frame.
        longest: pixels of the longer side, at most.
    """
    others = [other.box for other in faces if other is not face]
    room = next((room for room in _ROOMS if not any(_overlaps(_square(face.box, room), box) for box in others)), None)
    if room is None:
        return None
    cut = portrait(frame, face.box, room)
    if not cut.size:
        return None
    scale = longest / max(cut.shape[:2])
    if scale < 1:
        size = max(1, round(cut.shape[1] * scale)), max(1, round(cut.shape[0] * scale))
        cut = np.asarray(cv2.resize(cut, size, interpolation=cv2.INTER_AREA), np.uint8)
    return cut


def _square(box: NDArray[np.float32], room: float) -> NDArray[np.float32]:
    half = room * float((box[2:] - box[:2]).max()) / 2
    centre = (box[:2] + box[2:]) / 2
    return np.concatenate([centre - half, centre + half])


def _overlaps(square: NDArray[np.float32], box: NDArray[np.float32]) -> bool:
    return bool((np.minimum(square[2:], box[2:]) > np.maximum(square[:2], box[:2])).all())


def kept_crops(crops: Sequence[Crop], new: Crop) -> tuple[Crop, ...]:
    """The crops with a new one, if it is worth it: of two that are near in time, the better one is kept."""
    near = [one for one in crops if abs(one.second - new.second) < APART]
    if any(one.score >= new.score for one in near):
        return tuple(crops)
    return best_crops([*(one for one in crops if one not in near), new])


def best_crops(crops: Sequence[Crop]) -> tuple[Crop, ...]:
    """Those that are kept, the best first: three, and two more for each state that the network reads, at most eight."""
    ordered = sorted(crops, key=lambda one: -one.score)
    kept, states = ordered[:BEST], Counter(one.suggests for one in ordered[:BEST])
    for one in ordered[BEST:]:
        if len(kept) < MOST_CROPS and states[one.suggests] < PER_STATE:
            kept.append(one)
            states[one.suggests] += 1
    return tuple(kept)
