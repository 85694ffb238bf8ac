"""The moving gallery of the sample photographs: everybody smiles at their own times, moves a little, and goes on."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from fewshot.demo.portraits import HEIGHT, PORTRAITS, WIDTH, portraits
from fewshot.types import Frame

FPS = 10.0
COLUMNS = 6
SIZE = (COLUMNS * WIDTH, -(-len(PORTRAITS) // COLUMNS) * HEIGHT)
"""Width and height of the gallery, pixels."""
FADE = 0.4
"""Seconds from one expression to the other; the two photographs are blended meanwhile."""
SMILE = 15.0
"""Seconds for which a smile lasts: long enough to see a tile, to correct it, and to see it change."""
_SHORTEST = 27.0
"""Seconds from one smile to the next, of the person who smiles most often."""
_NOISE = 2.0
"""Standard deviation of the camera's noise, in levels of 0..255."""


def smiling(person: str, time: float) -> float:
    """How much of a person's picture is the smiling one at ``time`` seconds, 0..1; between only during a fade."""
    number = PORTRAITS.index(person)
    period = _SHORTEST + (5 * number) % len(PORTRAITS)  # no two people have the same
    now = (time + period * ((number * 0.618) % 1)) % period
    return float(np.clip(min(now, SMILE - now) / FADE, 0, 1))


def position(person: str, time: float) -> NDArray[np.float64]:
    """Matrix from a person's portrait to the tile at ``time`` seconds, shape (2, 3): never quite still."""
    number = PORTRAITS.index(person)
    phase = 2 * np.pi * (time / (5 + 0.3 * number) + number / len(PORTRAITS))
    matrix = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), 1.2 * np.sin(phase), 1.06 + 0.02 * np.cos(1.3 * phase))
    matrix[:, 2] += 4 * np.sin(0.7 * phase), 2.5 * np.cos(1.1 * phase)
    return np.asarray(matrix)


def gallery(time: float) -> Frame:
    """Everybody at ``time`` seconds, BGR, shape (480, 1920, 3), without noise."""
    canvas = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    for number, person in enumerate(PORTRAITS):
        top, left = (number // COLUMNS) * HEIGHT, (number % COLUMNS) * WIDTH
        canvas[top : top + HEIGHT, left : left + WIDTH] = _tile(person, time)
    return canvas


def video() -> Iterator[Frame]:
    """The gallery with a camera's noise, ``FPS`` frames per second, without end."""
    noise = np.random.default_rng(0).normal(0, _NOISE, (SIZE[1], SIZE[0], 1)).round().astype(np.int16)
    index = 0
    while True:
        moved = np.roll(noise, (37 * index, 101 * index), axis=(0, 1))  # as good as new noise, and much cheaper
        yield np.clip(gallery(index / FPS) + moved, 0, 255).astype(np.uint8)
        index += 1


def _tile(person: str, time: float) -> Frame:
    """One person's tile, shape (240, 320, 3)."""
    faces, share = portraits(), smiling(person, time)
    picture = cv2.addWeighted(faces[person, "happy"], share, faces[person, "neutral"], 1 - share, 0)
    moved = cv2.warpAffine(picture, position(person, time), (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.uint8)
