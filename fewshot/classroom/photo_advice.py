"""What to do about a photo in which no face can be used, in words."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from fewshot.types import Face, Frame

DARK, BRIGHT = 40.0, 235.0
"""Mean grey levels of a whole photo below and above which its light is named as a likely reason."""

_TURNS = {
    "upside down": cv2.ROTATE_180,
    "on its side": cv2.ROTATE_90_CLOCKWISE,
    "on its side ": cv2.ROTATE_90_COUNTERCLOCKWISE,
}
_ADVICE = {
    "face too small": "Use a photo where the face is larger",
    "face cut off": "Use a photo that shows the whole face",
    "too blurred": "Use a sharp photo",
    "face turned too far": "Use a photo in which the face looks at the camera",
    "head tilted too far": "Use a photo in which the head is upright, or turn the photo",
    "face upside down": "Turn the photo and save it",
    "too dark": "Use a photo with more light on the face",
    "too bright": "Use a photo with less light on the face",
    "too little contrast": "Use a photo with more even light, or one that is not faded",
}


def with_advice(reasons: Sequence[str]) -> str:
    """The reasons why a face is not readable, and what to do about each.

    >>> with_advice(["too dark: mean grey level 5, at least 12 needed"])
    'too dark: mean grey level 5, at least 12 needed. Use a photo with more light on the face'
    """
    steps = [step for start, step in _ADVICE.items() if any(reason.startswith(start) for reason in reasons)]
    return ". ".join(["; ".join(reasons), *steps])


def turned(photo: Frame) -> list[tuple[str, Frame]]:
    """The photo turned upright from every way in which it may lie: (how it lies, the turned photo)."""
    return [(how.strip(), np.asarray(cv2.rotate(photo, turn), np.uint8)) for how, turn in _TURNS.items()]


def no_face(photo: Frame, lies: str = "", size: tuple[int, int] | None = None) -> str:
    """Why no face was found in a photo, as far as that can be known, and what to do.

    Args:
        photo: BGR, shape (height, width, 3).
        lies: how the photo lies, if a face was found in it after it was turned; "" otherwise.
        size: width and height of the file's picture; None if ``photo`` is not a reduced copy.
    """
    width, height = size or (photo.shape[1], photo.shape[0])
    found = f"no face found ({width}x{height})"
    if lies:
        return f"{found}, because the photo is {lies}. Turn it in a picture program and save it"
    light = float(photo.mean())
    if light < DARK:
        return f"{found}; the photo is dark (mean grey level {light:.0f}). Use a photo with more light on the face"
    if light > BRIGHT:
        return f"{found}; the photo is very bright (mean grey level {light:.0f}). Use a photo with less light"
    return f"{found}. Use an upright, sharp photo where the face is at least 60 pixels wide"


def has_upright_face(faces: Sequence[Face]) -> bool:
    """Whether one of the faces can be read, which proves that a turned photo lies the right way now."""
    return any(face.quality.ok for face in faces)
