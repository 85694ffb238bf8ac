"""How a student's own state looks: a sign on a plate. Its name decides both, so that it looks the same everywhere.

Plate and sign distinguish states without colour. No own state has the circle of the emotions.
"""

from __future__ import annotations

import hashlib

CIRCLE = "M12 1.5A10.5 10.5 0 1 0 12 22.5A10.5 10.5 0 1 0 12 1.5z"
"""The plate of the seven emotions, of own states that have a face, and of "unsure" and the like."""

PLATES = (
    "M2.5 2.5h19v19h-19z",  # square
    "M12 .6L23.4 12 12 23.4 .6 12z",  # diamond
    "M6.3 2h11.4l5.5 10-5.5 10H6.3L.8 12z",  # hexagon, lying
    "M12 .9l11.2 8.3-4.3 13.2H5.1L.8 9.2z",  # pentagon
    "M2.6 2.2h18.8v9.6c0 5.2-3.9 8.8-9.4 10.6-5.5-1.8-9.4-5.4-9.4-10.6z",  # shield
)
SIGNS = (
    "M12 7.2l1.5 3.1 3.4.4-2.5 2.3.7 3.4-3.1-1.7-3.1 1.7.7-3.4-2.5-2.3 3.4-.4z",  # star
    "M12 7.6v8.8M7.6 12h8.8",  # plus
    "M8.7 8.7l6.6 6.6M15.3 8.7l-6.6 6.6",  # cross
    "M12 7.6l4.7 8.2H7.3z",  # triangle
    "M12 8a4 4 0 1 0 .01 0z",  # ring
    "M9.8 8v8M14.2 8v8",  # two bars
    "M8 9h8M8 12h8M8 15h8",  # three lines
    "M7 12c1.2-3.4 3.2-3.4 5 0s3.8 3.4 5 0",  # wave
    "M7 14.4l2.5-4.8 2.5 4.8 2.5-4.8 2.5 4.8",  # zigzag
    "M12 16.6V7.6M8.4 11.2l3.6-3.6 3.6 3.6",  # arrow up
    "M7.4 12h9M12.8 8.4l3.6 3.6-3.6 3.6",  # arrow right
    "M12 16.4l-4.2-4.2a2.5 2.5 0 0 1 4.2-2.6a2.5 2.5 0 0 1 4.2 2.6z",  # heart
    "M15.8 14.6a4.8 4.8 0 1 1-4.4-7a4 4 0 0 0 4.4 7z",  # moon
    "M13.2 7L9 12.6h5.4L11 17",  # bolt
    "M10.2 7.6l-1 8.8M14.8 7.6l-1 8.8M7.6 10.4h9M7.4 13.6h9",  # number sign
    "M7.8 12.4l2.9 2.9 5.5-6.3",  # tick
    "M8.2 12h.02M12 12h.02M15.8 12h.02",  # three dots
    "M12 7.4v4.8l3.4 2.4",  # hands of a clock
    "M9 16.4V8h5.6a2.4 2.4 0 0 1 0 4.8H9",  # flag
    "M8 8h8v8H8z",  # square
    "M8 8h8M12 8v8.4",  # T
    "M9.6 7.8v8.2h5.4",  # L
    "M8.4 7.8v4.8a3.6 3.6 0 0 0 7.2 0V7.8",  # U
    "M8.2 8h7.6l-7.6 8h7.6",  # Z
    "M8.4 16.2V7.8l7.2 8.4V7.8",  # N
    "M8 7.8l4 4.4 4-4.4M12 12.2v4.4",  # Y
    "M8.6 7.8v8.4M15.4 7.8v8.4M8.6 12h6.8",  # H
    "M15.4 7.8H9v8.4h6.4M9 12h5",  # E
    "M7.6 15l4.4-7 4.4 7",  # roof
    "M7.6 9l4.4 7 4.4-7",  # V
    "M7.8 10h8.4M7.8 14h8.4",  # two lines
    "M8 8.4l3.6 3.6L8 15.6M12.6 8.4l3.6 3.6-3.6 3.6",  # two chevrons
    "M8.2 7.8h7.6l-7.6 8.4h7.6z",  # hourglass
    "M12 7.2l4.8 4.8-4.8 4.8L7.2 12z",  # diamond
    "M7.6 15.6v-2.8a4.4 4.4 0 0 1 8.8 0v2.8",  # arch
    "M15.6 7.8l-7.2 8.4",  # stroke
    "M15.2 9.2a4.4 4.4 0 1 0 0 5.6",  # open ring
    "M12 7.4v9M8.4 12.8l3.6 3.6 3.6-3.6",  # arrow down
    "M15.6 8l-7.2 8M9 8.6h.02M15 15.4h.02",  # per cent
    "M7.4 16h3v-3h3v-3h3",  # stairs
)


def seed_of(state: str) -> int:
    """A number that is the same for a name on every machine, in upper or lower case."""
    return int.from_bytes(hashlib.sha256(state.casefold().encode()).digest()[:6], "big")


def plate_of(state: str) -> str:
    """The plate of an own state without a face, as a path within 24 x 24."""
    return PLATES[seed_of(state) % len(PLATES)]


def sign_of(state: str) -> str:
    """The strokes on the plate of an own state without a face."""
    return SIGNS[seed_of(state) // len(PLATES) % len(SIGNS)]
