"""One colour per emotion, for both the overlay and the timeline."""

from __future__ import annotations

Colour = tuple[int, int, int]
"""Blue, green, red, 0..255, as OpenCV orders them."""

EMOTION_COLOURS: dict[str, Colour] = {
    "angry": (0, 94, 213),
    "disgust": (115, 158, 0),
    "fear": (167, 121, 204),
    "happy": (66, 228, 240),
    "sad": (178, 114, 0),
    "surprise": (0, 159, 230),
    "neutral": (215, 215, 215),
}
"""The palette of Okabe & Ito (https://jfly.uni-koeln.de/color/), which colour-blind people can distinguish."""

OWN_STATE: Colour = (233, 180, 86)
"""For a student's own state without an entry in ``OWN_STATES``."""
OWN_STATES: dict[str, Colour] = {
    "confused": OWN_STATE,
    "concentrating": (102, 187, 136),
    "bored": (17, 51, 102),
    "tired": (200, 61, 123),
}
"""Own states that many classes enroll. Each colour differs by at least 15 (CIE Lab) from all others here, for every
type of colour blindness (Machado et al. 2009)."""
UNSURE: Colour = (120, 120, 120)
NOT_READABLE: Colour = (70, 70, 70)
INK: Colour = (255, 255, 255)
PAPER: Colour = (24, 24, 24)


def colour_of(emotion: str | None) -> Colour:
    """The colour of an emotion, of a student's own state, or of "unsure" (None)."""
    return UNSURE if emotion is None else EMOTION_COLOURS.get(emotion) or OWN_STATES.get(emotion, OWN_STATE)


def readable_on(colour: Colour) -> Colour:
    """Black or white: the colour of text that is easier to read on ``colour`` (weights of ITU-R BT.601)."""
    blue, green, red = colour
    return (0, 0, 0) if 0.114 * blue + 0.587 * green + 0.299 * red > 140 else (255, 255, 255)
