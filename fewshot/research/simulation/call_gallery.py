"""Made galleries of a video call: plain tiles with a drawn head, and the name written on each, as calls write it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from fewshot.errors import UsageError
from fewshot.types import Frame

CODECS = ("jpeg 85", "jpeg 60", "h264")
_ELLIPSIS = "…"


@dataclass(frozen=True, slots=True)
class GalleryLook:
    """How a gallery looks.

    Attributes:
        font: file of the letters.
        size: width and height of the frame, pixels.
        dark: light letters on a dark pill, on a dark window; False: the other way round.
        letters: height of the letters (em), pixels.
        centred: the label lies in the lower middle of a tile, and not at its lower left.
        codec: one of ``CODECS``.
    """

    font: Path
    size: tuple[int, int]
    dark: bool
    letters: int
    centred: bool = False
    codec: str = CODECS[0]


@dataclass(frozen=True, slots=True)
class DrawnTile:
    """One tile of a made gallery: what is written on it, and where its face is (x0, y0, x1, y1, pixels)."""

    written: str
    face: NDArray[np.float32]


def draw_gallery(
    names: Sequence[str], look: GalleryLook, rng: np.random.Generator, frames: int = 1
) -> tuple[list[Frame], list[DrawnTile]]:
    """Frames of one gallery, in which people move a little, and its tiles.

    Args:
        names: what is written on the tiles; what does not fit is cut off with an ellipsis.
        look: how it looks.
        rng: draws colours, places and the light of the pictures.
        frames: how many; they differ as frames of a call do.

    Returns:
        The frames, BGR, shape (height, width, 3), as a compressed picture shows them, and the tiles in their order.
    """
    width, height = look.size
    columns = math.ceil(math.sqrt(len(names)))
    rows = math.ceil(len(names) / columns)
    gap = int(rng.integers(3, 9)) if look.size[1] < 1000 else int(rng.integers(4, 13))
    top, bottom = round(0.05 * height), round(0.08 * height)
    wide = min((width - gap) // columns - gap, round(((height - top - bottom - gap) / rows - gap) * 16 / 9))
    high = round(wide * 9 / 16)
    left = (width - columns * (wide + gap) + gap) // 2
    shade = int(rng.integers(12, 42) if look.dark else rng.integers(225, 252))
    still = np.full((height, width, 3), shade, np.uint8)
    bar = (shade + 12) % 255
    still[:top], still[height - bottom :] = bar, bar
    people = [_Person.draw(rng, wide, high) for _ in names]
    corners = []
    for number in range(len(names)):
        row, column = divmod(number, columns)
        alone = len(names) - row * columns
        shift = (columns - alone) * (wide + gap) // 2 if alone < columns else 0
        corners.append((left + column * (wide + gap) + shift, top + gap + row * (high + gap)))
    font = ImageFont.truetype(str(look.font), look.letters)
    shown = [_fitted(name, font, wide - 3 * look.letters) for name in names]
    pictures: list[Frame] = []
    tiles: list[DrawnTile] = []
    for moment in range(frames):
        canvas = still.copy()
        tiles = []
        for person, text, (x, y) in zip(people, shown, corners, strict=True):
            picture, face = person.picture(moment, rng)
            _mask_corners(picture, shade)
            canvas[y : y + high, x : x + wide] = picture
            tiles.append(DrawnTile(text, face + np.array([x, y, x, y], np.float32)))
        pictures.append(_lettered(canvas, shown, corners, (wide, high), font, look, people))
    return _compressed(pictures, look.codec), tiles


@dataclass(frozen=True, slots=True)
class _Person:
    """A drawn head before a wall; all of it follows from these numbers."""

    wall: NDArray[np.uint8]
    slope: float
    clothes: tuple[int, int, int]
    skin: tuple[int, int, int]
    size: float
    middle: tuple[float, float]
    shape: tuple[int, int]
    muted: bool

    @classmethod
    def draw(cls, rng: np.random.Generator, wide: int, high: int) -> _Person:
        return cls(
            rng.integers(0, 256, 3).astype(np.uint8), float(rng.uniform(-0.4, 0.4)),
            tuple(rng.integers(0, 256, 3).tolist()), tuple(rng.integers(60, 230, 3).tolist()),
            float(rng.uniform(0.3, 0.55)), (float(rng.uniform(0.38, 0.62)), float(rng.uniform(0.4, 0.5))),
            (wide, high), bool(rng.random() < 0.3),
        )  # fmt: skip

    def picture(self, moment: int, rng: np.random.Generator) -> tuple[Frame, NDArray[np.float32]]:
        wide, high = self.shape
        light = 1 + self.slope * np.linspace(-1, 1, wide)[None, :, None] + 0.03 * math.sin(moment)
        picture = np.clip(self.wall * light + np.zeros((high, 1, 1)), 0, 255).astype(np.uint8)
        x, y = (round(self.middle[0] * wide + 0.02 * wide * math.sin(moment)), round(self.middle[1] * high))
        tall = self.size * high
        body = (round(1.1 * tall), round(0.9 * tall))
        cv2.ellipse(picture, (x, round(y + 1.25 * tall)), body, 0, 0, 360, self.clothes, -1)
        cv2.ellipse(picture, (x, y), (round(0.38 * tall), round(tall / 2)), 0, 0, 360, self.skin, -1)
        noise = rng.normal(0, 5, (high, wide, 3))
        shot = np.clip(picture + noise, 0, 255).astype(np.uint8)
        box = np.array([x - 0.38 * tall, y - tall / 2, x + 0.38 * tall, y + tall / 2], np.float32)
        return shot, box


def _mask_corners(picture: Frame, shade: int) -> None:
    radius = max(2, picture.shape[0] // 24)
    high, wide = picture.shape[:2]
    mask = np.zeros((high, wide), np.uint8)
    mask[radius : high - radius], mask[:, radius : wide - radius] = 255, 255
    for x in (radius, wide - radius - 1):
        for y in (radius, high - radius - 1):
            cv2.circle(mask, (x, y), radius, 255, -1)
    picture[mask == 0] = shade


def _fitted(name: str, font: ImageFont.FreeTypeFont, widest: float) -> str:
    if font.getlength(name) <= widest:
        return name
    for count in range(len(name) - 1, 0, -1):
        text = name[:count].rstrip() + _ELLIPSIS
        if font.getlength(text) <= widest:
            return text
    return _ELLIPSIS


def _lettered(
    canvas: Frame,
    texts: Sequence[str],
    corners: Sequence[tuple[int, int]],
    tile: tuple[int, int],
    font: ImageFont.FreeTypeFont,
    look: GalleryLook,
    people: Sequence[_Person],
) -> Frame:
    picture = Image.fromarray(cv2.cvtColor(canvas, cv2.COLOR_BGR2RGB))
    over = Image.new("RGBA", picture.size, (0, 0, 0, 0))
    pen = ImageDraw.Draw(over)
    ink, paper = ((255, 255, 255, 255), (20, 20, 20, 175)) if look.dark else ((32, 32, 32, 255), (250, 250, 250, 215))
    room = max(3, round(0.35 * look.letters))
    for text, (x, y), person in zip(texts, corners, people, strict=True):
        icon = round(1.1 * look.letters) if person.muted else 0
        long, high = math.ceil(font.getlength(text)) + icon, round(1.25 * look.letters)
        left = x + (tile[0] - long) // 2 if look.centred else x + 2 * room
        base = y + tile[1] - room - high
        pen.rounded_rectangle((left - room, base - 1, left + long + room, base + high), room, fill=paper)
        if icon:
            red, middle = (235, 60, 60, 255), left + icon * 0.35
            pen.rounded_rectangle((middle - 2, base + 3, middle + 2, base + 0.6 * high), 2, fill=red)
            pen.line((left, base + 3, left + 0.7 * icon, base + high - 4), fill=red, width=1)
        pen.text((left + icon, base + high / 2), text, font=font, fill=ink, anchor="lm")
    picture.paste(Image.alpha_composite(picture.convert("RGBA"), over).convert("RGB"))
    return np.asarray(cv2.cvtColor(np.asarray(picture), cv2.COLOR_RGB2BGR), np.uint8)


def _compressed(pictures: Sequence[Frame], codec: str) -> list[Frame]:
    kind, _, quality = codec.partition(" ")
    if kind == "jpeg":
        return [
            np.asarray(
                cv2.imdecode(cv2.imencode(".jpg", one, [cv2.IMWRITE_JPEG_QUALITY, int(quality)])[1], cv2.IMREAD_COLOR),
                np.uint8,
            )
            for one in pictures
        ]
    if kind == "h264":
        return _through_h264(pictures)
    raise UsageError(f"There is no codec {codec!r}. Choose one of: {', '.join(CODECS)}.")


def _through_h264(pictures: Sequence[Frame], crf: int = 28) -> list[Frame]:
    """The frames as a call's own codec leaves them. Needs the extra ``video``."""
    import io

    import av

    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as box:
        stream = box.add_stream("libx264", rate=10, options={"crf": str(crf), "preset": "veryfast"})
        stream.height, stream.width, stream.pix_fmt = *pictures[0].shape[:2], "yuv420p"
        for picture in pictures:
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")):
                box.mux(packet)
        for packet in stream.encode(None):
            box.mux(packet)
    file.seek(0)
    with av.open(file, "r") as made:
        return [np.asarray(frame.to_ndarray(format="bgr24"), np.uint8) for frame in made.decode(video=0)]


def shrunk(frames: Sequence[Frame], tiles: Sequence[DrawnTile], share: float) -> tuple[list[Frame], list[DrawnTile]]:
    """The same gallery on a smaller picture, as a browser shares a large window.

    Args:
        share: of the width that is left.
    """
    small = [np.asarray(cv2.resize(one, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)) for one in frames]
    return small, [replace(tile, face=tile.face * share) for tile in tiles]
