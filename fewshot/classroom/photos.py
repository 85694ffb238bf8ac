"""Photos to be enrolled: reading them, and whether two files are the same photo."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fewshot.checksums import sha256_of
from fewshot.errors import FewshotError, reason_of
from fewshot.pictures import read_sized_picture
from fewshot.translation import later
from fewshot.types import Frame, Quality, Vectors

LONGEST_SIDE = 1600
"""Longer side of photos in pixels. The detector shrinks them further, and the crops have 112 pixels."""

MAX_PIXELS = 2_000_000
"""Photos are decoded to at most this many pixels. For 12 megapixels this is three times as fast and costs no detail of
the face."""

CROP_BITS = 256
"""Bits of a fingerprint that describe the face; they are its last ones."""

# Measured on JAFFE, CFEE, CK+: a photo saved again (JPEG 30..90, 0.6..1.7 times the size) differs in 20-60 bits of the
# photo and 6-12 bits of the crop; the two most similar photos of one person differ in 45 bits of the photo. A camera
# that does not move makes all photos similar, and a face that does not move makes all crops similar: both must agree.
_SAME_PHOTO, _SAME_CROP = 40, 12


@dataclass(frozen=True, slots=True)
class SeenPhoto:
    """What the networks found in one photo. It is enough to enroll the photo without opening it again.

    Attributes:
        sha256: of the file; "" if it cannot be read.
        problem: why the photo cannot be used, whoever it shows; "" if it can. Then the other values are there.
        fingerprint: of the picture; see ``fingerprint``.
        expression, identity: unit vectors of the subject's face, shapes (d,) and (k,).
        quality: of this face.
    """

    sha256: str
    problem: str
    fingerprint: str = ""
    expression: Vectors | None = field(default=None, repr=False, compare=False)
    identity: Vectors | None = field(default=None, repr=False, compare=False)
    quality: Quality | None = None


@dataclass(frozen=True, slots=True)
class PhotoFile:
    """A photo to be enrolled.

    Attributes:
        path: of the file.
        emotion: its label; None for an unlabelled photo.
        problem: why it cannot be enrolled, if that is known before it is opened; "" otherwise.
        from_camera: a camera took it just now. Two such photos may look alike without being one photo saved twice.
        skipped: name of the folder that says nothing about an unlabelled photo ("2026"); "" otherwise.
        picture: the picture itself if there is no file, BGR, shape (height, width, 3): it is in memory only, and
            ``path`` is only what it is called.
        seen: what was found in the photo, if it was looked at before; then it is not opened again.
    """

    path: Path
    emotion: str | None = None
    problem: str = ""
    from_camera: bool = False
    skipped: str = ""
    picture: Frame | None = field(default=None, repr=False, compare=False)
    seen: SeenPhoto | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class LoadedPhoto:
    """A photo read from disk: its hash, and either the picture or the reason why there is none.

    Attributes:
        size: width and height of the picture in the file; ``frame`` may be a reduced copy.
    """

    file: PhotoFile
    sha256: str
    frame: Frame | None
    problem: str = ""
    size: tuple[int, int] | None = None


def load_photo(file: PhotoFile) -> LoadedPhoto:
    """Read, hash and shrink one photo. An error is returned as text and not raised."""
    if file.problem:
        return LoadedPhoto(file, "", None, file.problem)
    if file.seen is not None:
        return LoadedPhoto(file, file.seen.sha256, None, "" if file.seen.sha256 else file.seen.problem)
    if file.picture is not None:
        content = hashlib.sha256(repr(file.picture.shape).encode() + file.picture.tobytes())
        return LoadedPhoto(file, content.hexdigest(), shrink(file.picture))
    try:
        frame, size = read_sized_picture(file.path, MAX_PIXELS)
        return LoadedPhoto(file, sha256_of(file.path), shrink(frame), size=size)
    except FewshotError as error:
        return LoadedPhoto(file, "", None, error.text)
    except OSError as error:
        return LoadedPhoto(
            file,
            "",
            None,
            later("{file} cannot be read ({reason}). Copy it again.", file=file.path, reason=reason_of(error)),
        )


def shrink(frame: Frame, longest: int = LONGEST_SIDE) -> Frame:
    """The frame, or a smaller copy whose longer side has ``longest`` pixels."""
    height, width = frame.shape[:2]
    scale = longest / max(height, width)
    if scale >= 1:
        return frame
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8)


def fingerprint(photo: Frame, crop: NDArray[np.uint8]) -> str:
    """Difference hash of a photo (1024 bits) and of the aligned face in it (256 bits), hexadecimal.

    Args:
        photo: BGR, shape (height, width, 3).
        crop: the aligned face, grey, shape (112, 112), or BGR, shape (112, 112, 3).
    """
    return _difference_hash(photo, 32) + _difference_hash(crop, 16)


def same_photo(one: str, other: str) -> bool:
    """Whether two fingerprints belong to one photo that was saved twice with different settings."""
    bits = int(one, 16) ^ int(other, 16)
    crop = bits & ((1 << CROP_BITS) - 1)
    return (bits >> CROP_BITS).bit_count() <= _SAME_PHOTO and crop.bit_count() <= _SAME_CROP


def _difference_hash(picture: NDArray[np.uint8], side: int) -> str:
    """For each pixel of a small copy: is it brighter than its left neighbour? side * side bits, hexadecimal."""
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY) if picture.ndim == 3 else picture
    small = cv2.resize(grey, (side + 1, side), interpolation=cv2.INTER_AREA).astype(np.int16)
    return np.packbits(np.diff(small, axis=1) > 0).tobytes().hex()
