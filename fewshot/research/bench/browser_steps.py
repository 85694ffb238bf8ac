"""Steps of a teacher in a real browser: acknowledge, make a class, film for the camera, start a lesson, see tiles."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2

from fewshot.types import Frame

CAMERA = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")
"""Flags of Chromium: a camera that nobody is asked about."""
IN_VIEW = "button.tile.shown, button.tile.none"


def camera_film(frames: Iterable[Frame], target: Path) -> str:
    """Write what the fake camera shows, over and over.

    Args:
        frames: BGR, (height, width, 3).
        target: new file.

    Returns:
        Chromium's flag for it.
    """
    with target.open("wb") as film:
        for frame in frames:
            film.write(cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes())
    return f"--use-file-for-fake-video-capture={target}"


def acknowledge(page: Any, address: str) -> None:
    """Open the start page and acknowledge the terms, if nobody has yet."""
    page.goto(address)
    page.get_by_text("Where this may not be used").wait_for()
    button = page.get_by_role("button", name="I have read this")
    page.get_by_text("Acknowledged on").or_(button).first.wait_for()
    if button.count():
        button.click()
        page.get_by_text("Acknowledged on").wait_for()


def to(page: Any, name: str) -> None:
    """Go to a page by its name in the navigation, without loading the app anew."""
    page.get_by_role("link", name=name, exact=False).first.click()


def make_class(page: Any, name: str) -> None:
    """Make a class on the page Class."""
    to(page, "Class")
    page.get_by_role("button", name="New").click()
    page.get_by_label("Name of the class").fill(name)
    page.get_by_role("button", name="Create", exact=True).click()
    page.get_by_text(f"The class {name} was created").wait_for()


def choose_zip(page: Any, packed: Path, consent: str) -> None:
    """On the page Class, choose a zip of many students, and say who gave consent."""
    page.get_by_role("button", name="Enroll", exact=True).first.wait_for()
    page.wait_for_timeout(1000)  # the page is drawn once more after a class was made, and would drop the file
    page.locator("input[type=file]").nth(1).set_input_files(str(packed))
    page.get_by_text(packed.name).first.wait_for()
    page.get_by_label("Consent given by").first.fill(consent)
    page.get_by_label("Consent given by").first.press("Enter")


def enroll_chosen(page: Any) -> None:
    """Click the button below the table of chosen photos, once it can be clicked."""
    button = page.locator("button", has_text=re.compile(r"Enroll \d+ photos? of")).first
    button.wait_for()
    page.wait_for_function("button => !button.disabled", arg=button.element_handle())
    button.click()


def choose_source(page: Any, classroom: str, kind: str) -> None:
    """On the page Live, before a lesson: which class, and what to watch."""
    to(page, "Live")
    page.get_by_role("button", name="Start the lesson").wait_for()
    page.get_by_label("Class", exact=True).first.click()
    page.get_by_role("option", name=classroom, exact=True).click()
    page.get_by_role("radio", name=kind).or_(page.get_by_role("button", name=kind, exact=True)).first.click()


def start_lesson(page: Any) -> None:
    """Start it, and wait until it is live."""
    page.get_by_role("button", name="Start the lesson").click()
    page.get_by_text("● live").wait_for()


def stop_lesson(page: Any) -> None:
    """End it, and wait until its report is offered."""
    page.get_by_role("button", name="Stop", exact=False).first.click()
    page.get_by_role("button", name="End the lesson").click()
    page.get_by_role("button", name="Report").first.wait_for()


def share_window(page: Any) -> None:
    """Choose the window to share; the browser's flags say which one it takes."""
    page.get_by_role("button", name="Choose the window").click()
    page.get_by_text("This window is chosen.").or_(page.get_by_text("This window is shared.")).wait_for()


def wait_in_view(page: Any, students: Iterable[str]) -> None:
    """Wait until these have a reading on their tile, and everybody else is "not in view"."""
    page.wait_for_function(
        """students => { const tiles = [];
           const look = node => { for (const child of node.children ?? []) {
             if (child.matches("button.tile")) tiles.push(child);
             look(child); if (child.shadowRoot) look(child.shadowRoot); } };
           look(document);
           const seen = tiles.filter(tile => !tile.classList.contains("away"))
             .map(tile => tile.querySelector(".name").textContent).sort();
           return tiles.length && JSON.stringify(seen) === JSON.stringify(students); }""",
        arg=sorted(students),
    )
