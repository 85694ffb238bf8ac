"""Text in pictures. ``cv2.putText`` knows ASCII only, and students have names in every script."""

from __future__ import annotations

import functools
import unicodedata
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from fewshot.live.colours import Colour
from fewshot.types import Frame

_Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
_TEST_SIZE = 24
LONGEST, ELLIPSIS = 24, "…"
"""Letters of a name at most; what replaces the others."""

_ELSEWHERE = (
    "NotoSans-Regular.ttf",
    "NotoSansCJK-Regular.ttc",
    "segoeui.ttf",
    "arial.ttf",
    "Nirmala.ttc",
    "msyh.ttc",
    "malgun.ttf",
    "Arial Unicode.ttf",
    "PingFang.ttc",
    "Hiragino Sans GB.ttc",
    "NotoSansDevanagari-Regular.ttf",
)
"""Fonts of Linux, Windows and macOS that hold what the ones at hand lack; Pillow knows where each system keeps them."""


def text_tile(text: str, height: int, ink: Colour, paper: Colour) -> Frame:
    """A line of text on a plain background, ready to be pasted. Tiles are kept and shared: do not write into one.

    Args:
        text: any script; what no font here can show is transliterated.
        height: of the tile in pixels.

    Returns:
        BGR uint8, shape (height, width, 3).
    """
    return _tile(text, height, ink, paper)


@functools.lru_cache(maxsize=4096)
def fitted_tile(text: str, height: int, ink: Colour, paper: Colour, width: int) -> Frame:
    """The same, with the text shortened ("Wilhelm…") until the tile is at most ``width`` pixels wide, or one letter."""
    text = text if len(text) <= LONGEST else text[: LONGEST - 1] + ELLIPSIS
    tile = text_tile(text, height, ink, paper)
    while tile.shape[1] > width and len(text) > 2:
        keep = min(len(text) - 2, max(1, int(len(text) * width / tile.shape[1])))
        text = text[:keep].rstrip() + ELLIPSIS
        tile = text_tile(text, height, ink, paper)
    return tile


@functools.lru_cache(maxsize=4096)
def _tile(text: str, height: int, ink: Colour, paper: Colour) -> Frame:
    size = max(6, round(height * 0.74))
    text, font = _showable(text, size)
    margin = max(2, height // 5)
    left, _, right, _ = font.getbbox(text)
    width = int(right - left) + 2 * margin
    image = Image.new("RGB", (width, height), paper[::-1])
    # Anchored at the baseline, so that words with and without descenders stand on one line.
    baseline = (height + font.getbbox("H", anchor="ls")[1] * -1) / 2
    ImageDraw.Draw(image).text((margin - left, baseline), text, font=font, fill=ink[::-1], anchor="ls")
    return np.ascontiguousarray(np.asarray(image)[..., ::-1])


def _showable(text: str, size: int) -> tuple[str, _Font]:
    """The first font that has every letter of the text; otherwise the usual one and the text in its letters."""
    # Composed and decomposed forms of one name look the same; most fonts have the composed letter only.
    text = unicodedata.normalize("NFC", " ".join(text.split()))
    for index in range(len(_font_files())):
        font = _font(index, size)
        if font is not None and all(_has(index, letter) for letter in text):
            return text, font
    plain = "".join(letter if _has(0, letter) else transliterate(letter) for letter in text)
    return plain, ImageFont.load_default(size)


def transliterate(letter: str) -> str:
    """A letter in ASCII: without its accent, else its Latin name's last word ("CYRILLIC SMALL LETTER ZHE" -> "zhe"),
    else its number."""
    plain = unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode()
    if plain:
        return plain
    if unicodedata.category(letter).startswith(("M", "C")):  # combining marks, emoji joiners
        return ""
    name = unicodedata.name(letter, "")
    if " LETTER " in name:
        word = name.split(" LETTER ")[1].split(" WITH ")[0].split()[-1]
        return word.lower() if "SMALL" in name else word.capitalize()
    return f"{ord(letter):X}"


@functools.cache
def _font_files() -> tuple[Path | str | None, ...]:
    """Fonts by preference: None is the one inside Pillow, next the one that comes with OpenCV's window (Linux)."""
    dejavu = Path(cv2.__file__).parent / "qt" / "fonts" / "DejaVuSans.ttf"
    return (None, dejavu, "DejaVuSans.ttf", *_ELSEWHERE)


@functools.lru_cache(maxsize=1024)
def _font(index: int, size: int) -> _Font | None:
    """The font in this size (pixels), or None where this machine has not got it."""
    file = _font_files()[index]
    if file is None:
        return ImageFont.load_default(size)
    # Pillow walks through all font folders for a font it does not find: once is enough.
    if size != _TEST_SIZE and _font(index, _TEST_SIZE) is None:
        return None
    try:
        return ImageFont.truetype(str(file), size)
    except OSError:
        return None


@functools.lru_cache(maxsize=8192)
def _has(index: int, letter: str) -> bool:
    """Whether a font shows this letter, not the box that stands for letters it lacks."""
    if letter == " ":
        return True
    font = _font(index, _TEST_SIZE)
    if font is None:
        return False
    return bytes(font.getmask(letter)) != bytes(font.getmask("\U0010fffe")) and bool(font.getbbox(letter)[2])
