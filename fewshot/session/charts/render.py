"""Charts as SVG, PNG and PDF with vl-convert, without a browser and without internet."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import cv2

from fewshot.safe_text import xml_text
from fewshot.session.charts.outlines import as_outlines
from fewshot.session.charts.theme import LIGHT, Chart, Theme, themed
from fewshot.session.optional_imports import altair, need
from fewshot.translation import later


def to_svg(chart: Chart, theme: Theme = LIGHT) -> str:
    """The chart as SVG with its text as text.

    Raises:
        UsageError: vl-convert is not installed.
    """
    return str(_converter().vegalite_to_svg(_spec(themed(chart, theme)), allowed_base_urls=[]))


def to_png(chart: Chart, theme: Theme = LIGHT, scale: float = 2.0, fonts: Sequence[Path] = ()) -> bytes:
    """The chart as PNG on the theme's paper.

    Args:
        scale: pixels per pixel of the chart.
        fonts: for words in a script that the renderer cannot write, font files; see ``as_outlines``.

    Raises:
        UsageError: vl-convert is not installed.
    """
    _register_fonts()
    spec = _spec(themed(chart, theme).properties(background=theme.paper))
    if fonts:
        svg = str(_converter().vegalite_to_svg(spec, allowed_base_urls=[]))
        return bytes(_converter().svg_to_png(as_outlines(svg, fonts), scale=scale))
    return bytes(_converter().vegalite_to_png(spec, scale=scale, allowed_base_urls=[]))


def add_fonts(folders: Iterable[Path]) -> None:
    """Let charts use the fonts in these folders too."""
    for folder in folders:
        _converter().register_font_directory(str(folder))


def _spec(chart: Chart) -> dict[str, Any]:
    """The chart as Vega-Lite with all its data.

    The converter ends the whole process at a character that XML does not allow, so no text may hold one.
    """
    with altair().data_transformers.enable("default", max_rows=None):
        spec: dict[str, Any] = _drawable(chart.to_dict(validate=False))
    # Descriptions of thousands of single marks are of no use; reports describe the chart and add a table.
    spec["config"]["aria"] = False
    return spec


def _drawable(part: Any) -> Any:
    """A part of a chart whose texts can all be drawn."""
    if isinstance(part, str):
        return xml_text(part)
    if isinstance(part, dict):
        return {_drawable(name): _drawable(value) for name, value in part.items()}
    return [_drawable(each) for each in part] if isinstance(part, list | tuple) else part


def _converter() -> Any:
    return need("vl_convert", later("Reports with charts"))


@functools.cache
def _register_fonts() -> None:
    """For machines without fonts: those beside OpenCV's window (Linux) have Latin, Greek, Cyrillic and Arabic."""
    fonts = Path(cv2.__file__).parent / "qt" / "fonts"
    if fonts.is_dir():
        _converter().register_font_directory(str(fonts))
