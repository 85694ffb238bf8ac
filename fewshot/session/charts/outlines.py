"""Words of a chart as outlines: the renderer of pictures does not join the letters of every script, HarfBuzz does."""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree  # nosec B405: reads only what vl-convert has drawn

from fewshot.session.optional_imports import need
from fewshot.translation import later

_SVG = "http://www.w3.org/2000/svg"
_BOLD = 0.04
"""Width of the stroke around letters that should be bold, in font sizes: many scripts have no bold font here."""
_KEPT = ("transform", "fill", "opacity")


@dataclass(frozen=True, eq=False)
class _Font:
    """A font file: for shaping, and for the outlines of its glyphs."""

    letters: frozenset[str]
    units: int
    shaping: Any
    outlines: Any
    names: Sequence[str]


def as_outlines(svg: str, fonts: Sequence[Path]) -> str:
    """The picture with every text as a path.

    Args:
        svg: as Vega writes it: each ``text`` has one line.
        fonts: files in order of preference; together they should have all letters.

    Raises:
        UsageError: the libraries of PDF reports are not installed.
    """
    ElementTree.register_namespace("", _SVG)
    root = ElementTree.fromstring(svg)  # nosec B314: drawn by vl-convert, which escapes names and writes no entities
    opened = [_font(file) for file in fonts]
    for parent in list(root.iter()):
        for place, child in enumerate(list(parent)):
            if child.tag == f"{{{_SVG}}}text" and child.text and not len(child):
                parent[place] = _path(child, opened)
    return ElementTree.tostring(root, encoding="unicode")


def _path(text: ElementTree.Element, fonts: Sequence[_Font]) -> ElementTree.Element:
    size = float(text.get("font-size", "11px").removesuffix("px"))
    drawn, width = _draw(text.text or "", fonts, size)
    left = {"middle": -width / 2, "end": -width}.get(text.get("text-anchor", "start"), 0.0)
    kept = {name: value for name in _KEPT if (value := text.get(name)) is not None}
    kept["transform"] = f"{kept.get('transform', '')} translate({left:.2f} 0)".strip()
    if text.get("font-weight", "normal") not in ("normal", "400"):
        kept |= {"stroke": kept.get("fill", "black"), "stroke-width": f"{_BOLD * size:.2f}"}
    return ElementTree.Element(f"{{{_SVG}}}path", {"d": drawn, **kept})


def _draw(text: str, fonts: Sequence[_Font], size: float) -> tuple[str, float]:
    """The outlines of a line as the data of a path, and its width; both in pixels, from 0, 0 on the base line."""
    harfbuzz = need("uharfbuzz", later("PDF reports"))
    transformed = need("fontTools.pens.transformPen", later("PDF reports")).TransformPen
    drawing = need("fontTools.pens.svgPathPen", later("PDF reports")).SVGPathPen
    drawn, x = "", 0.0
    for font, run in _runs(text, fonts):
        pen = drawing(font.outlines, ntos=lambda number: f"{number:.2f}")
        scale = size / font.units
        buffer = harfbuzz.Buffer()
        buffer.add_str(run)
        buffer.guess_segment_properties()
        harfbuzz.shape(font.shaping, buffer)
        for glyph, place in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
            at = (scale, 0, 0, -scale, x + scale * place.x_offset, -scale * place.y_offset)
            font.outlines[font.names[glyph.codepoint]].draw(transformed(pen, at))
            x += scale * place.x_advance
        drawn += pen.getCommands()
    return drawn, x


def _runs(text: str, fonts: Sequence[_Font]) -> Iterator[tuple[_Font, str]]:
    """Stretches of a text with the font that has their letters; a font is kept as long as it can be."""
    font, run = fonts[0], ""
    for letter in unicodedata.normalize("NFC", text):
        joins = unicodedata.category(letter) in ("Mn", "Mc", "Cf")
        wanted = (
            font if (run and joins) or letter in font.letters else next((f for f in fonts if letter in f.letters), font)
        )
        if wanted is not font and run:
            yield font, run
            run = ""
        font, run = wanted, run + letter
    if run:
        yield font, run


@functools.cache
def _font(file: Path) -> _Font:
    harfbuzz = need("uharfbuzz", later("PDF reports"))
    opened = need("fontTools.ttLib", later("PDF reports")).TTFont(str(file), fontNumber=0)
    face = harfbuzz.Face(harfbuzz.Blob.from_file_path(str(file)))
    letters = frozenset(map(chr, opened.getBestCmap()))
    return _Font(letters, face.upem, harfbuzz.Font(face), opened.getGlyphSet(), opened.getGlyphOrder())
