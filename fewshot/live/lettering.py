"""Draws text in pictures. ``cv2.putText`` supports only ASCII, but students have names in every script."""

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
"""Largest number of letters of a name; the sign that replaces the rest."""

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
"""Fonts of Linux, Windows and macOS with letters that the other fonts lack; Pillow knows their folders."""


def text_tile(text: str, height: int, ink: Colour, paper: Colour) -> Frame:
    """A line of text on a plain background, ready to be pasted. Tiles are cached and shared: never modify one.

    Args:
        text: in any script; letters that no font can show are transliterated.
        height: height of the tile in pixels.
        ink, paper: colours of the text and of the background.

    Returns:
        BGR uint8, shape (height, width, 3).
    """
    return _tile(text, height, ink, paper)


@functools.lru_cache(maxsize=4096)
def fitted_tile(text: str, height: int, ink: Colour, paper: Colour, width: int) -> Frame:
    """Like ``text_tile``; the text is shortened ("Wilhelm…") to at most ``width`` pixels, but not below one letter."""
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
    # Anchored at the baseline, so that words with and without descenders are on one line.
    baseline = (height + font.getbbox("H", anchor="ls")[1] * -1) / 2
    ImageDraw.Draw(image).text((margin - left, baseline), text, font=font, fill=ink[::-1], anchor="ls")
    return np.ascontiguousarray(np.asarray(image)[..., ::-1])


def _showable(text: str, size: int) -> tuple[str, _Font]:
    """The text and the first font with all its letters; otherwise the transliterated text and the default font."""
    # Composed and decomposed forms of a name look the same, but most fonts have only the composed letters.
    text = unicodedata.normalize("NFC", " ".join(text.split()))
    for index in range(len(_font_files())):
        font = _font(index, size)
        if font is not None and all(_has(index, letter) for letter in text):
            return text, font
    plain = "".join(letter if _has(0, letter) else transliterate(letter) for letter in text)
    return plain, ImageFont.load_default(size)


def transliterate(letter: str) -> str:
    """A letter in ASCII: without its accent, or the last word of its Unicode name, or its number; an emoji in words.

    Example: "CYRILLIC SMALL LETTER ZHE" becomes "zhe".
    """
    plain = unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode()
    if plain:
        return plain
    if unicodedata.category(letter).startswith(("M", "C")):  # combining marks, emoji joiners
        return ""
    name = unicodedata.name(letter, "")
    if " LETTER " in name:
        word = name.split(" LETTER ")[1].split(" WITH ")[0].split()[-1]
        return word.lower() if "SMALL" in name else word.capitalize()
    if unicodedata.category(letter) in ("So", "Sk"):  # emoji, and the tones of their skin
        return f"({name.lower()})" if unicodedata.category(letter) == "So" and name else ""
    return f"{ord(letter):X}"


@functools.cache
def _font_files() -> tuple[Path | str | None, ...]:
    """Fonts in order of preference. None is Pillow's own font; the next one comes with OpenCV's windows (Linux)."""
    dejavu = Path(cv2.__file__).parent / "qt" / "fonts" / "DejaVuSans.ttf"
    return (None, dejavu, "DejaVuSans.ttf", *_ELSEWHERE)


@functools.lru_cache(maxsize=1024)
def _font(index: int, size: int) -> _Font | None:
    """The font in this size (pixels); None if this machine does not have it."""
    file = _font_files()[index]
    if file is None:
        return ImageFont.load_default(size)
    # Pillow searches all font folders for a missing font: once is enough.
    if size != _TEST_SIZE and _font(index, _TEST_SIZE) is None:
        return None
    try:
        return ImageFont.truetype(str(file), size)
    except OSError:
        return None


@functools.lru_cache(maxsize=8192)
def _has(index: int, letter: str) -> bool:
    """Whether a font has this letter, and does not show the box for missing letters."""
    if letter == " ":
        return True
    font = _font(index, _TEST_SIZE)
    if font is None:
        return False
    return bytes(font.getmask(letter)) != bytes(font.getmask("\U0010fffe")) and bool(font.getbbox(letter)[2])
