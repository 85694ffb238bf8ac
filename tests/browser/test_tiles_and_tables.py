"""The app's own parts in a browser without a server: names on tiles, and the table of photos on a tablet."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from fewshot.app.board import Tile
from fewshot.app.shell import asset
from fewshot.app.tiles import tile_html

LONG, ARABIC = "Maximiliane Lang", "محمد عبد الرحمن بن إبراهيم الخوارزمي"


def show(page: Any, name: str, html: str, data: dict[str, Any], width: int, height: int = 800) -> None:
    """Put a part of the app on an empty page, and give it the data."""
    page.set_viewport_size({"width": width, "height": height})
    page.set_content(
        f"<style>body {{ margin: 0 }} {asset(f'{name}.css')}</style><main id=part>{html}</main>"
        f"<script type=module>{asset(f'{name}.js').replace('export default function', 'window.draw = function')}"
        "</script>"
    )
    page.wait_for_function("() => Boolean(window.draw)")
    page.evaluate(
        """data => draw({ data, parentElement: document.getElementById("part"),
             setTriggerValue: () => {}, setStateValue: () => {} })""",
        json.loads(json.dumps(data)),
    )


def tiles(*students: str) -> dict[str, Any]:
    return {
        "tiles": [[one, one, "shown", "#888", tile_html(Tile(one, "happy", 0.9, 0.0, ())), "90 %"] for one in students],
        "chosen": None,
    }


GRID = '<div class="grid" role="group"></div>'
NAME = """name => { const at = [...document.querySelectorAll(".name")].find(one => one.textContent === name);
  const style = getComputedStyle(at);
  return [at.scrollWidth - at.clientWidth, parseFloat(style.fontSize), style.direction]; }"""


def test_a_long_name_on_a_large_tile_keeps_smaller_letters_and_its_end(browse: Callable[..., Any]) -> None:
    page = browse()
    show(page, "board", GRID, tiles("Ben", LONG), 900)
    (_, usual, _), (over, small, _) = page.evaluate(NAME, "Ben"), page.evaluate(NAME, LONG)
    assert usual > 20 and 13 <= small < usual and over <= 1


def test_a_name_from_right_to_left_is_cut_at_its_end_too(browse: Callable[..., Any]) -> None:
    page = browse()
    show(page, "board", GRID, tiles(ARABIC, *map(str, range(60))), 390)
    over, _, direction = page.evaluate(NAME, ARABIC)
    assert over > 0 and direction == "rtl"
    assert page.evaluate(NAME, "0")[2] == "ltr"


TABLE = """<div class="photos"><label class="only" hidden><input type="checkbox"> x</label>
  <div class="frame" role="region" tabindex="0"><table><thead><tr><th></th><th></th><th></th><th></th><th></th><th></th>
  <th></th></tr></thead><tbody></tbody></table></div><datalist id="names"></datalist></div>"""
COLUMNS = ["Aufnehmen", "Foto", "Name", "Zeigt", "Netz sieht", "Einwilligung", "Was geschieht"]


@pytest.mark.parametrize("width", [390, 768, 1280])
def test_the_table_of_photos_fits_and_its_cards_speak_the_language_of_the_page(
    browse: Callable[..., Any], width: int
) -> None:
    row = {
        "id": "asha/neutral.jpg", "picture": "", "guess": "Asha", "shows": "neutral", "student": "Asha",
        "reads": "neutral", "read": "neutral", "differs": False, "consent": "given",
        "consents": "written above: the parents, in writing, in September 2026", "status": "enroll",
        "says": "wird aufgenommen", "words": "", "like": "", "look": False, "asks": False,
    }  # fmt: skip
    data: dict[str, Any] = {
        "rows": [{**row, "id": f"asha/{number}.jpg"} for number in range(4)], "names": ["Asha"], "states": ["neutral"],
        "labels": {}, "words": dict.fromkeys(("only", "table", "keep", "alt", "none", "unknown", "another"), "-"),
        "columns": COLUMNS, "changes": {"rows": {}, "twins": []}, "key": "k", "language": "de",
    }  # fmt: skip
    data["words"] |= dict.fromkeys(("name", "student", "shows", "word"), "-")
    page = browse()
    show(page, "photo_table", TABLE, data, width)
    page.locator("tbody tr").nth(3).wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator(".frame").evaluate("frame => frame.scrollWidth - frame.clientWidth") <= 1
    for cell in ("reads", "consent"):
        assert page.locator(f"td.{cell}").first.get_attribute("data-head") in COLUMNS
        words = page.locator(f"td.{cell} bdi").first.evaluate("words => words.getBoundingClientRect().height")
        assert words < 90, "a word per line"
    heads = page.evaluate("[...document.styleSheets[0].cssRules].map(rule => rule.cssText).join()")
    assert "Network sees" not in heads and "Enroll this" not in heads
