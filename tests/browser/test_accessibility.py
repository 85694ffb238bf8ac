"""Accessibility of what the main pages do not show: a phone, settings, help, photos, a login, the separate page."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from fewshot.accounts.accounts import Accounts
from fewshot.database.engine import in_folder
from fewshot.demo.sample import enrollment_photos, sample_picture
from fewshot.research.bench.browser_steps import choose_zip
from tests.browser.conftest import Served, acknowledge, finish, to
from tests.browser.steps import enroll_chosen, make_class, stop_lesson
from tests.browser.test_two_teachers import PASSWORD, WithLogin, log_in
from tests.browser.test_whole_class import open_sample, serious

PHONE = {"width": 390, "height": 844}
MOVED = """() => [...document.querySelectorAll("[data-testid=stMain] *")].filter(box =>
  box.scrollWidth > box.clientWidth + 1 && ["auto", "scroll"].includes(getComputedStyle(box).overflowX)
  && box.dataset.testid !== "stMain" && box.checkVisibility()).map(box => box.tabIndex)"""
"""The place in the order of the Tab key of what is moved sideways."""


@pytest.fixture
def axe() -> Any:
    return pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault_on_a_phone(
    served: Served, browse: Callable[..., Any], axe: Any, scheme: str
) -> None:
    page = browse(scheme=scheme)
    open_sample(page, served)
    page.locator("[data-testid=stVegaLiteChart] svg").first.wait_for()
    page.set_viewport_size(PHONE)
    page.wait_for_timeout(1500)
    faults = {"live lesson": serious(axe, page)}
    assert page.evaluate("document.querySelector('[data-testid=stVegaLiteChart] svg').clientWidth") < 390
    page.set_viewport_size({"width": 1280, "height": 720})
    stop_lesson(page)
    page.get_by_role("button", name="Report").first.click()
    for tab in ("The class", "Students", "Check in", "Over weeks", "Download"):
        look_at_tab(page, axe, faults, tab)
    page.get_by_role("tab", name="Students").click()
    page.set_viewport_size(PHONE)
    page.wait_for_timeout(2000)
    places = page.evaluate(MOVED)
    assert places and set(places) == {0}  # the strips are wider than a phone, and the Tab key stops there
    page.set_viewport_size({"width": 1280, "height": 720})
    to(page, "Settings")
    for tab in ("Models", "Performance", "Connection", "Model card", "Safety", "Accounts"):
        look_at_tab(page, axe, faults, tab)
    to(page, "Help")
    for topic in ("Enroll students", "Watch a call", "Read a report"):
        page.get_by_role("radio", name=topic).or_(page.get_by_role("button", name=topic)).first.click()
        on_a_phone(page, axe, faults, topic)
    page.goto(f"{served.address}/share/?ticket=nobody-gave-this")
    on_a_phone(page, axe, faults, "share")
    assert {name: found for name, found in faults.items() if found} == {}
    page.goto(f"{served.address}/live")
    page.get_by_role("button", name="New lesson").or_(page.get_by_role("button", name="Start the lesson")).wait_for()


def look_at_tab(page: Any, axe: Any, faults: dict[str, list[str]], tab: str) -> None:
    page.get_by_role("tab", name=tab, exact=True).click()
    on_a_phone(page, axe, faults, tab)


def on_a_phone(page: Any, axe: Any, faults: dict[str, list[str]], name: str) -> None:
    page.set_viewport_size(PHONE)
    page.wait_for_timeout(1500)
    faults[name] = serious(axe, page)
    page.set_viewport_size({"width": 1280, "height": 720})


def test_axe_finds_no_serious_fault_while_students_are_added(
    served: Served, browse: Callable[..., Any], axe: Any, tmp_path: Path
) -> None:
    enrollment_photos(sample_picture(), tmp_path)
    with zipfile.ZipFile(tmp_path / "class.zip", "w") as archive:
        archive.write(sorted((tmp_path / "asha").iterdir())[0], "asha/neutral/1.jpg")
        wall = np.random.default_rng(0).integers(90, 110, (400, 500, 3), np.uint8)
        archive.writestr("asha/wall.jpg", cv2.imencode(".jpg", wall)[1].tobytes())
    page = browse()
    acknowledge(page, served.address)
    make_class(page, "Accessible")
    page.wait_for_timeout(1000)
    faults = {"message at the edge": serious(axe, page)}
    choose_zip(page, tmp_path / "class.zip", "the demo")
    page.get_by_text("Nothing is stored yet").wait_for()
    on_a_phone(page, axe, faults, "table")
    enroll_chosen(page)
    page.get_by_text("1 refused").first.wait_for()
    page.wait_for_timeout(1000)
    faults["refused photo"] = serious(axe, page)
    assert page.locator("img.fs-photo").first.get_attribute("alt") == "Photo asha/wall.jpg"
    page.locator("button.tile.card").first.click()
    for tab in ("Photos", "Consent", "More"):
        page.get_by_role("dialog").get_by_role("tab", name=tab).click()
        page.wait_for_timeout(800)
        faults[f"card, {tab}"] = serious(axe, page)
    assert {name: found for name, found in faults.items() if found} == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault_around_a_login_and_a_tab_that_was_logged_out_asks_for_it(
    chromium: str, browse: Callable[..., Any], axe: Any, scheme: str, tmp_path: Path
) -> None:
    home = tmp_path / "school"
    database = in_folder(home)
    accounts = Accounts(database)
    accounts.add("Maximiliane-Alexandra von Hohenlohe-Lang", password=PASSWORD)
    accounts.add("Root", "administrator", PASSWORD)
    database.close()
    app = WithLogin(home)
    try:
        page, faults = browse(scheme=scheme), {}
        page.goto(app.address)
        faults["login"] = serious(axe, page)
        page.get_by_label("Name").fill("Root")
        page.get_by_label("Password").fill("wrong")
        page.get_by_role("button", name="Log in").click()
        page.get_by_role("alert").wait_for()
        faults["refused"] = serious(axe, page)
        log_in(page, app, "Root")
        page.get_by_text("Root is an administrator").wait_for()
        to(page, "Settings")
        for tab in ("Privacy", "Safety", "Accounts"):
            look_at_tab(page, axe, faults, tab)
        other = page.context.new_page()
        other.goto(f"{app.address}/login/password")
        faults["password"] = serious(axe, other)
        other.goto(f"{app.address}/logout")
        faults["log out"] = serious(axe, other)
        other.get_by_role("button", name="Log out", exact=True).click()
        other.get_by_label("Password").wait_for()
        page.bring_to_front()
        page.get_by_role("heading", name="Log in").wait_for()  # by itself, instead of a message about a connection
        assert {name: found for name, found in faults.items() if found} == {}
    finally:
        finish(app)
