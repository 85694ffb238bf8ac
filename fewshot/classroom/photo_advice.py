"""What to do about a photo in which no face can be used, in words."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from fewshot.translation import later, together
from fewshot.types import Face, Frame

DARK, BRIGHT = 40.0, 235.0
"""Mean grey levels of a whole photo below and above which its light is named as a likely reason."""

_TURNS = (
    (later("upside down"), cv2.ROTATE_180),
    (later("on its side"), cv2.ROTATE_90_CLOCKWISE),
    (later("on its side"), cv2.ROTATE_90_COUNTERCLOCKWISE),
)
_ADVICE = {
    "face too small": later("Use a photo where the face is larger"),
    "face cut off": later("Use a photo that shows the whole face"),
    "too blurred": later("Use a sharp photo"),
    "face turned too far": later("Use a photo in which the face looks at the camera"),
    "head tilted too far": later("Use a photo in which the head is upright, or turn the photo"),
    "face upside down": later("Turn the photo and save it"),
    "too dark": later("Use a photo with more light on the face"),
    "too bright": later("Use a photo with less light on the face"),
    "too little contrast": later("Use a photo with more even light, or one that is not faded"),
}


def with_advice(reasons: Sequence[str]) -> str:
    """The reasons why a face is not readable, and what to do about each.

    >>> with_advice(["too dark: mean grey level 5, at least 12 needed"])
    'too dark: mean grey level 5, at least 12 needed. Use a photo with more light on the face'
    """
    steps = [step for start, step in _ADVICE.items() if any(reason.startswith(start) for reason in reasons)]
    return together(together(*reasons, between="; "), *steps, between=". ")


def turned(photo: Frame) -> list[tuple[str, Frame]]:
    """The photo turned upright from every way in which it may lie: (how it lies, the turned photo)."""
    return [(how, np.asarray(cv2.rotate(photo, turn), np.uint8)) for how, turn in _TURNS]


def no_face(photo: Frame, lies: str = "", size: tuple[int, int] | None = None) -> str:
    """Why no face was found in a photo, as far as that can be known, and what to do.

    Args:
        photo: BGR, shape (height, width, 3).
        lies: how the photo lies, if a face was found in it after it was turned; "" otherwise.
        size: width and height of the file's picture; None if ``photo`` is not a reduced copy.
    """
    width, height = size or (photo.shape[1], photo.shape[0])
    pixels, light = f"{width}x{height}", float(photo.mean())
    if lies:
        return later(
            "no face found ({pixels}), because the photo is {lies}. Turn it in a picture program and save it",
            pixels=pixels,
            lies=lies,
        )
    if light < DARK:
        return later(
            "no face found ({pixels}); the photo is dark (mean grey level {light:.0f}). Use a photo with more light on "
            "the face",
            pixels=pixels,
            light=light,
        )
    if light > BRIGHT:
        return later(
            "no face found ({pixels}); the photo is very bright (mean grey level {light:.0f}). Use a photo with less "
            "light",
            pixels=pixels,
            light=light,
        )
    return later(
        "no face found ({pixels}). Use an upright, sharp photo where the face is at least 60 pixels wide",
        pixels=pixels,
    )


def has_upright_face(faces: Sequence[Face]) -> bool:
    """Whether one of the faces can be read, which proves that a turned photo lies the right way now."""
    return any(face.quality.ok for face in faces)
