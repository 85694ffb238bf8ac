"""Tiles grow where there is room, and a projector shows the whole class without names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.browser.conftest import Served
from tests.browser.test_whole_class import names_in, open_sample

TILES = """() => { const found = [];
  const look = node => { for (const child of node.children ?? []) {
    if (child.matches("button.tile")) found.push(child);
    look(child); if (child.shadowRoot) look(child.shadowRoot); } };
  look(document);
  return found.map(tile => { const box = tile.getBoundingClientRect();
    const name = tile.querySelector(".name");
    return [box.left, box.top, box.right, box.bottom, parseFloat(getComputedStyle(name).fontSize)]; }); }"""


def settled(page: Any) -> list[list[float]]:
    """The places of the tiles and the size of their letters, once two looks agree."""
    before: list[list[float]] = []
    for _ in range(20):
        page.wait_for_timeout(500)
        now = page.evaluate(TILES)
        if now and now == before:
            return now
        before = now
    raise AssertionError("the tiles do not stand still")


def test_tiles_grow_into_the_space_and_never_out_of_it(served: Served, browse: Callable[..., Any]) -> None:
    page = browse()
    open_sample(page, served)
    letters = {}
    for size in ((390, 800), (1280, 720), (1920, 1080), (2560, 1440)):
        page.set_viewport_size({"width": size[0], "height": size[1]})
        tiles = settled(page)
        assert len(tiles) == 49 and all(left >= 0 and right <= size[0] for left, _, right, _, _ in tiles), size
        letters[size] = {tile[4] for tile in tiles}
    assert letters[390, 800] == letters[1280, 720] == {13.0}  # 49 tiles have no room to grow there
    assert min(letters[2560, 1440]) > 13.0


def test_a_projector_shows_no_name_and_survives_a_reload(served: Served, browse: Callable[..., Any]) -> None:
    page = browse()
    open_sample(page, served)
    page.get_by_role("button", name="View", exact=True).click()
    page.get_by_role("button", name="For the projector").click()
    page.get_by_text("The class now").first.wait_for()
    page.locator("button.tile").first.wait_for(state="detached")
    page.wait_for_timeout(2500)
    assert names_in(page) == []
    page.reload()
    page.get_by_text("The class now").first.wait_for()
    assert names_in(page) == [] and page.get_by_role("button", name="Pause").count() == 0
    page.get_by_role("button", name="Leave").click()
    page.get_by_role("button", name="Pause").wait_for()
    page.locator("button.tile").nth(48).wait_for()
