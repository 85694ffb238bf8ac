"""Keyboard and small windows on the page Live, and a lesson whose camera comes back after a reload."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fewshot.demo.sample import enrollment_photos, sample_picture, video
from tests.browser.conftest import Served, acknowledge, to
from tests.browser.steps import CAMERA, camera_film, choose_source, start_lesson, stop_lesson, wait_in_view

ENROLLED = ("asha", "ben", "chidi", "dana")
FOCUSED = """() => { let at = document.activeElement;
  while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
  return at?.querySelector?.(".name")?.textContent ?? at?.innerText ?? ""; }"""


def open_sample(page: Any, served: Served) -> Any:
    page.goto(served.address)
    page.get_by_role("button", name="Try with the sample class").first.click()
    tiles = page.locator("button.tile")
    tiles.nth(48).wait_for()
    page.get_by_text("recorded lesson, playing").wait_for()
    return tiles


def leave(page: Any) -> None:
    """End the lesson, because the next test of this server begins without one."""
    to(page, "Live")
    stop_lesson(page)
    page.get_by_role("button", name="New lesson").click()
    page.get_by_role("button", name="Start the lesson").wait_for()


@pytest.mark.core
def test_arrow_keys_move_between_tiles_and_one_tab_leads_to_the_panel(
    served: Served, browse: Callable[..., Any]
) -> None:
    page = browse()
    tiles = open_sample(page, served)
    names = [tiles.nth(n).locator(".name").inner_text() for n in range(3)]
    tiles.first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.evaluate(FOCUSED) == names[2]
    page.keyboard.press("ArrowDown")
    assert page.evaluate(FOCUSED) not in names
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(FOCUSED) == names[1]
    page.keyboard.press("Enter")
    close = page.locator(".st-key-correction").get_by_role("button", name="Close")
    close.wait_for()
    page.keyboard.press("Tab")
    assert "Close" in page.evaluate(FOCUSED)
    page.keyboard.press("Enter")
    close.wait_for(state="detached")
    page.wait_for_function(f"name => ({FOCUSED})() === name", arg=names[1])
    leave(page)


def test_on_a_phone_the_panel_opens_in_view(served: Served, browse: Callable[..., Any]) -> None:
    page = browse()
    page.set_viewport_size({"width": 390, "height": 844})
    tiles = open_sample(page, served)
    tiles.first.click()
    page.locator(".st-key-correction").get_by_role("button", name="Close").wait_for()
    page.wait_for_function(
        """() => { const box = document.querySelector(".st-key-correction").getBoundingClientRect();
           return box.top >= 0 && box.bottom <= window.innerHeight; }"""
    )
    page.set_viewport_size({"width": 1280, "height": 720})
    leave(page)


def test_a_closed_card_gives_the_focus_back(served: Served, browse: Callable[..., Any]) -> None:
    page = browse()
    open_sample(page, served)
    page.get_by_role("link", name="Class").first.click()
    card = page.locator("button.tile.card").nth(3)
    card.wait_for()
    name = card.locator(".name").inner_text()
    card.focus()
    page.keyboard.press("Enter")
    page.get_by_role("dialog").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")
    page.wait_for_function(f"name => ({FOCUSED})() === name", arg=name)
    leave(page)


def test_a_reload_brings_the_camera_back_and_undo_can_be_clicked(
    served: Served, browse: Callable[..., Any], tmp_path: Path
) -> None:
    enrollment_photos(sample_picture(), tmp_path)
    served.enroll("Drama", tmp_path)
    film = camera_film(video(sample_picture()), tmp_path / "film.mjpeg")
    page = browse(*CAMERA, film, permissions=["camera"])
    acknowledge(page, served.address)
    choose_source(page, "Drama", "Browser camera")
    start_lesson(page)
    wait_in_view(page, ENROLLED)

    page.reload()
    page.get_by_text("● live").wait_for()
    page.get_by_text("camera of another tab").wait_for(state="detached")
    wait_in_view(page, ENROLLED)

    page.locator("button.tile.shown, button.tile.none").first.click()
    panel = page.locator(".st-key-correction")
    panel.get_by_role("button", name="disgust").click()
    page.get_by_text("fewshot has learned it").wait_for()
    page.get_by_role("button", name="Undo").first.click()
    page.get_by_text("was undone").wait_for()
    leave(page)
