"""Words of charts as outlines: every word is drawn, in its place, with the letters of the font that has them."""

from __future__ import annotations

import io
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from fewshot.session.charts.outlines import as_outlines
from fewshot.session.report.fonts import Fonts

for library in ("uharfbuzz", "fontTools"):
    pytest.importorskip(library, reason="needs the extra app")
vl_convert = pytest.importorskip("vl_convert", reason="needs the extra app")

WORD = "क्षात्रि"  # two syllables; letter by letter it is twice as wide
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="300" height="60">'
    '<rect width="300" height="60" fill="#fff"/>{}</svg>'
)


def files(text: str) -> list[Path]:
    """Fonts for a text; the test is skipped on a computer that lacks them."""
    fonts = Fonts([text])
    if fonts.missing:
        pytest.skip(f"no font here has {''.join(sorted(fonts.missing))}")
    return [fonts.plain, *fonts.further]


def text(words: str, **attributes: str) -> str:
    named = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in attributes.items())
    return f'<text transform="translate(150,30)" font-size="20px" fill="#000"{named}>{words}</text>'


def ink(*texts: str, fonts: list[Path]) -> np.ndarray:
    """Columns with ink in the picture."""
    drawn = as_outlines(SVG.format("".join(texts)), fonts)
    assert not [one for one in ElementTree.fromstring(drawn).iter() if one.tag.endswith("text")]
    picture = np.asarray(Image.open(io.BytesIO(vl_convert.svg_to_png(drawn))).convert("L"))
    return np.flatnonzero((picture < 128).any(axis=0))


@pytest.mark.parametrize("words", ["Class", WORD, f"{WORD} (12%) Class"])
def test_words_stand_where_their_anchor_says(words: str) -> None:
    fonts = files(words)
    start, middle, end = (ink(text(words, text_anchor=anchor), fonts=fonts) for anchor in ("start", "middle", "end"))
    assert abs(start.min() - 150) <= 4 and abs(end.max() - 150) <= 4
    assert abs((middle.min() + middle.max()) / 2 - 150) <= 4
    assert abs(np.ptp(start) - np.ptp(end)) <= 2


def test_letters_of_a_syllable_are_joined() -> None:
    fonts = files(WORD)
    joined = np.ptp(ink(text(WORD), fonts=fonts))
    alone = sum(np.ptp(ink(text(letter), fonts=fonts)) + 1 for letter in WORD if letter.isalpha())
    assert 10 < joined < alone


def test_bold_words_have_more_ink() -> None:
    fonts = files("Class")
    usual, bold = (ink(text("lll", font_weight=weight), fonts=fonts) for weight in ("normal", "600"))
    assert len(bold) > len(usual)


def test_the_other_parts_of_a_picture_stay() -> None:
    drawn = as_outlines(SVG.format('<g id="a"><text>x</text><path d="M0 0h1"/></g><text></text>'), files("x"))
    found = ElementTree.fromstring(drawn)
    assert [one.tag.split("}")[1] for one in found.iter()] == ["svg", "rect", "g", "path", "path", "text"]
    assert found[1].get("id") == "a" and found[1][1].get("d") == "M0 0h1"
