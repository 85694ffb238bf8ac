"""Whether two photos are one: saved again, made smaller, brightened, mirrored, or cut.

A copy teaches nothing, so it must not count as a further photo. Limits were set with ``experiments/photo_copies.py``.
Of 2190 pairs of different photos of three performers, taken within seconds before one camera, 2 pass them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fewshot.classroom.photos import CROP_BITS, same_photo
from fewshot.translation import later

SAVED_AGAIN, MIRRORED, CHANGED = later("saved again"), later("mirrored"), later("cut or changed")
"""How a copy was made, in words."""

NEARLY = "nearly the same"
"""Two frames of a burst: different photos, of which the second teaches little."""

PHOTO_BITS, _PHOTO_SIDE, _CROP_SIDE = 1024, 32, 16


@dataclass(frozen=True, slots=True)
class Likeness:
    """How near two photos are.

    Attributes:
        photo, crop: bits in which the difference hashes of the whole photos (of 1024) and of the aligned faces (of
            256) differ.
        mirror_photo, mirror_crop: the same between one photo and the mirror image of the other one.
        expression, identity: cosine of the two vectors.
    """

    photo: int
    crop: int
    mirror_photo: int
    mirror_crop: int
    expression: float
    identity: float


@dataclass(frozen=True, slots=True)
class Near:
    """Limits for a pair of photos.

    Attributes:
        crop: most bits in which the faces' hashes differ.
        expression, identity: least cosines.
        photo: least and most bits in which the photos' hashes differ.
    """

    crop: int
    expression: float
    identity: float
    photo: tuple[int, int] = (0, PHOTO_BITS)

    def holds(self, photo: int, crop: int, near: Likeness) -> bool:
        """Whether a pair is as near as that, with these distances of the photos and of the faces."""
        alike = self.photo[0] <= photo <= self.photo[1] and crop <= self.crop
        return alike and near.expression >= self.expression and near.identity >= self.identity


# Where the whole photos agree, the faces may differ more: different photos of one person differ in 45 bits or more.
# Where they do not, only the faces count. A performer before a camera that stands still is the hardest case: photos of
# one moment differ in 54 to 150 bits and reach 0.981 in identity. A cut moves everything, so that more bits differ.
COPY = (
    Near(crop=28, expression=0.96, identity=0.90, photo=(0, 44)),
    Near(crop=26, expression=0.98, identity=0.97, photo=(160, PHOTO_BITS)),
    Near(crop=24, expression=0.975, identity=0.982),
)
MIRROR_COPY = (
    Near(crop=48, expression=0.8, identity=0.87, photo=(0, 64)),
    Near(crop=36, expression=0.84, identity=0.89),
)
BURST = Near(crop=48, expression=0.95, identity=0.93)
_LEAST_EXPRESSION = min(limits.expression for limits in (*COPY, *MIRROR_COPY, BURST))
_LEAST_IDENTITY = min(limits.identity for limits in (*COPY, *MIRROR_COPY, BURST))


def likeness(one: str, other: str, expression: float, identity: float) -> Likeness:
    """How near two photos are; see ``Likeness``.

    Args:
        one, other: their fingerprints; see ``photos.fingerprint``.
        expression, identity: cosine of their vectors.
    """
    photos, faces = zip(_hashes(one), _hashes(other), strict=True)
    (photo, mirror_photo), (crop, mirror_crop) = _distances(*photos), _distances(*faces)
    return Likeness(photo, crop, mirror_photo, mirror_crop, expression, identity)


def how_copied(one: str, other: str, expression: float, identity: float) -> str:
    """How one photo was made from the other: ``SAVED_AGAIN``, ``MIRRORED`` or ``CHANGED``; ``NEARLY`` the same; or "".

    The arguments are those of ``likeness``.
    """
    if same_photo(one, other):
        return SAVED_AGAIN
    if expression < _LEAST_EXPRESSION or identity < _LEAST_IDENTITY:
        return ""  # photos of different people, which nearly all pairs of a class are, need no look at the hashes
    near = likeness(one, other, expression, identity)
    if any(limits.holds(near.photo, near.crop, near) for limits in COPY):
        return CHANGED
    if any(limits.holds(near.mirror_photo, near.mirror_crop, near) for limits in MIRROR_COPY):
        return MIRRORED
    return NEARLY if BURST.holds(near.photo, near.crop, near) else ""


def _hashes(mark: str) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """The hash of the photo, shape (32, 32), and of the aligned face, shape (16, 16)."""
    bits = np.unpackbits(np.frombuffer(bytes.fromhex(mark), np.uint8)).astype(bool)
    photo, face = bits[:-CROP_BITS], bits[-CROP_BITS:]
    return photo.reshape(_PHOTO_SIDE, _PHOTO_SIDE), face.reshape(_CROP_SIDE, _CROP_SIDE)


def _distances(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> tuple[int, int]:
    """Bits in which two hashes differ, and in which one differs from the mirror image of the other."""
    turned = ~one[:, ::-1]  # in a mirror the right neighbour is the left one
    return int((one != other).sum()), int((turned != other).sum())
