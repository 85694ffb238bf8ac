"""Fonts for the PDF: names may be in any script, and no single font has all scripts."""

from __future__ import annotations

import functools
import os
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2
from PIL import ImageFont

from fewshot.errors import UsageError
from fewshot.live.lettering import transliterate
from fewshot.session.optional_imports import need
from fewshot.translation import later, tr

FOLDER = "FEWSHOT_FONTS"
"""Environment variable: a folder of fonts (.ttf, .ttc, .otf) that are used first."""

_BASE = (
    ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf"),
    ("segoeui.ttf", "segoeuib.ttf"),
    ("Arial.ttf", "Arial Bold.ttf"),
    ("arial.ttf", "arialbd.ttf"),
)
"""Text fonts, plain and bold: those beside OpenCV's window (Linux), those of Windows and of macOS."""

_FURTHER = (
    "NotoSans-Regular.ttf", "NotoSansCJK-Regular.ttc", "DroidSansFallbackFull.ttf", "wqy-zenhei.ttc",
    "NotoSansDevanagari-Regular.ttf", "Lohit-Devanagari.ttf", "NotoSansArabic-Regular.ttf",
    "NotoSansHebrew-Regular.ttf", "NotoSansBengali-Regular.ttf", "NotoSansTamil-Regular.ttf",
    "NotoSansTelugu-Regular.ttf", "NotoSansGujarati-Regular.ttf", "NotoSansThai-Regular.ttf",
    "NotoSansEthiopic-Regular.ttf", "FreeSans.ttf", "segoeui.ttf", "arial.ttf", "Nirmala.ttc", "Nirmala.ttf",
    "msyh.ttc", "malgun.ttf", "YuGothR.ttc", "LeelawUI.ttf", "ebrima.ttf", "Arial Unicode.ttf", "PingFang.ttc",
    "Hiragino Sans GB.ttc", "AppleSDGothicNeo.ttc", "Kohinoor.ttc",
)  # fmt: skip
"""Fonts of Linux, Windows and macOS with letters that a text font lacks, as Pillow finds them."""


class Fonts:
    """The fonts that some texts need.

    Args:
        texts: all texts that will be written.

    Attributes:
        plain, bold: files of the text font.
        further: files with letters that the text font lacks, in order of preference.
        missing: letters that no font on this machine has; ``showable`` writes them in Latin letters.

    Raises:
        UsageError: no text font was found.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self.plain, self.bold = _base()
        wanted = {letter for text in texts for letter in unicodedata.normalize("NFC", text) if letter.isprintable()}
        self.missing = wanted - _letters(self.plain) - {" "}
        self.further: list[Path] = []
        for file in _further() if self.missing else ():
            if self.missing & _letters(file):
                self.further.append(file)
                self.missing = self.missing - _letters(file)

    def for_charts(self, texts: Iterable[str]) -> list[Path]:
        """Files to draw charts with, in order of preference; empty if the text font has the letters of these texts."""
        wanted = {letter for text in texts for letter in text if letter.isprintable()}
        return [] if wanted <= _letters(self.plain) else [self.plain, *self.further]

    def showable(self, text: str) -> str:
        """The text, with Latin letters for those that no font has."""
        text = unicodedata.normalize("NFC", " ".join(text.split()))
        return "".join(transliterate(letter) if letter in self.missing else letter for letter in text)


def can_write(texts: Iterable[str]) -> bool:
    """Whether some font on this machine has each letter of these texts.

    Raises:
        UsageError: no text font was found.
    """
    return not Fonts(texts).missing


def _base() -> tuple[Path, Path]:
    for plain, bold in _BASE:
        files = _find(plain), _find(bold)
        if files[0] is not None:
            return files[0], files[1] or files[0]
    raise UsageError(
        tr(
            "No font for the PDF was found. Install the DejaVu fonts (Debian, Ubuntu: fonts-dejavu-core), set the "
            "variable {variable} to a folder with DejaVuSans.ttf, or choose HTML instead of PDF.",
            variable=FOLDER,
        )
    )


def _further() -> list[Path]:
    own = [path for path in sorted(_own_folder().glob("*")) if path.suffix.lower() in (".ttf", ".ttc", ".otf")]
    return [*own, *(path for path in map(_find, _FURTHER) if path is not None)]


def _own_folder() -> Path:
    return Path(os.environ.get(FOLDER) or os.devnull)


def _find(name: str) -> Path | None:
    for folder in (_own_folder(), Path(cv2.__file__).parent / "qt" / "fonts"):
        if (folder / name).is_file():
            return folder / name
    return _installed(name)


@functools.cache
def _installed(name: str) -> Path | None:
    """A font of this machine; Pillow knows the font folders of each system and searches them."""
    try:
        return Path(str(ImageFont.truetype(name).path))
    except OSError:
        return None


@functools.cache
def _letters(file: Path) -> frozenset[str]:
    """The letters of a font."""
    with _opened(file) as font:
        return frozenset(map(chr, font.getBestCmap()))


def _opened(file: Path) -> Any:
    return need("fontTools.ttLib", later("PDF reports")).TTFont(str(file), fontNumber=0, lazy=True)
