"""A class of one's own: three students by upload, one bad photo with its reason; then a lesson with the camera."""

from __future__ import annotations

import re
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from fewshot.classroom.store import ClassStore
from fewshot.demo.sample import enrollment_photos, sample_picture, video
from tests.browser.conftest import Served, acknowledge
from tests.browser.steps import CAMERA, camera_film, choose_source, enroll_chosen, make_class


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A zip of three students of the demo's picture; one has a photo without a face."""
    folder = tmp_path_factory.mktemp("photos")
    enrollment_photos(sample_picture(), folder)
    target = folder / "class.zip"
    with zipfile.ZipFile(target, "w") as archive:
        for student in ("asha", "ben", "chidi"):
            for photo in sorted((folder / student).iterdir()):
                archive.write(photo, f"{student}/{photo.name}")
        wall = np.random.default_rng(0).integers(90, 110, (400, 500, 3), np.uint8)
        archive.writestr("ben/wall.jpg", cv2.imencode(".jpg", wall)[1].tobytes())
    return target


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the fake camera shows: the demo's moving picture."""
    return camera_film(video(sample_picture()), tmp_path_factory.mktemp("camera") / "film.mjpeg")


def choose(page: Any, photos: Path) -> None:
    page.get_by_role("button", name="Enroll", exact=True).first.wait_for()
    page.wait_for_timeout(1000)  # the page is drawn once more after a class was made, and would drop the file
    page.locator("input[type=file]").nth(1).set_input_files(str(photos))
    page.get_by_text("class.zip").wait_for()
    page.get_by_label("Consent given by").first.fill("the demo")
    page.get_by_label("Consent given by").first.press("Enter")
    page.get_by_text("Nothing is stored yet").wait_for()


def enroll(page: Any, photos: Path) -> None:
    choose(page, photos)
    enroll_chosen(page)
    page.get_by_text("photos accepted").wait_for()


@pytest.mark.core
def test_three_students_by_upload_one_bad_photo_and_a_live_lesson(
    served: Served, browse: Callable[..., Any], photos: Path, film: str
) -> None:
    nothing_shown = pytest.importorskip("playwright.sync_api").TimeoutError
    page = browse(*CAMERA, film, permissions=["camera"])
    acknowledge(page, served.address)
    make_class(page, "Physics")
    enroll(page, photos)
    # The demo makes a person's photos of one picture, so most of them count as copies. Whether one does, depends on the
    # face recogniser that is there.
    said = re.search(r"(\d+) photos accepted, (\d+) refused", page.inner_text("body"))
    assert said and int(said[1]) >= 3 and int(said[1]) + int(said[2]) == 10
    assert page.get_by_text("no face found").count()
    assert page.get_by_text("wall.jpg").count()
    cards = page.locator("button.tile")
    cards.nth(2).wait_for()
    assert re.findall("asha|ben|chidi", " ".join(cards.all_inner_texts())) == ["asha", "ben", "chidi"]

    choose_source(page, "Physics", "Browser camera")
    page.get_by_role("button", name="Start the lesson").click()
    tiles = page.locator("button.tile.shown, button.tile.none")
    try:
        tiles.nth(2).wait_for(timeout=30_000)
    except nothing_shown as nothing:
        # About one first connection in a dozen shows nobody; a person would load the page anew, and so does this.
        warnings.warn(f"no tile after 30 s, the page is loaded anew: {nothing}", stacklevel=1)
        page.reload()
        tiles.nth(2).wait_for()
    assert sorted(
        name for name in ("asha", "ben", "chidi") if page.locator(f"button.tile:has-text('{name}')").count()
    ) == [
        "asha",
        "ben",
        "chidi",
    ]
    page.reload()
    page.locator("button.tile.shown, button.tile.none").nth(2).wait_for()  # the lesson went on
    page.get_by_role("button", name="Stop", exact=False).first.click()
    page.get_by_role("button", name="End the lesson").click()
    page.get_by_role("button", name="Report").first.wait_for()


@pytest.mark.core
def test_a_photo_under_a_wrong_emotion_is_set_right_in_the_table_before_it_is_stored(
    served: Served, browse: Callable[..., Any], tmp_path: Path
) -> None:
    enrollment_photos(sample_picture(), tmp_path)
    with zipfile.ZipFile(tmp_path / "class.zip", "w") as archive:
        for student, emotion in (("asha", "neutral"), ("ben", "happy"), ("chidi", "neutral")):
            archive.write(sorted((tmp_path / student).iterdir())[0], f"{student}/{emotion}/1.jpg")
    page = browse()
    acknowledge(page, served.address)
    make_class(page, "Wrong folders")
    choose(page, tmp_path / "class.zip")
    page.get_by_text("Looks happy. Is “neutral” right?").wait_for()
    store = ClassStore(served.database())
    assert store.roster("Wrong folders").students == {}
    page.get_by_label("What chidi/neutral/1.jpg shows").select_option("happy")
    page.get_by_text("Looks happy. Is “neutral” right?").wait_for(state="detached")
    name = page.get_by_label("Student in asha/neutral/1.jpg")
    name.fill("Asha P.")
    name.press("Enter")
    keep = page.get_by_label("Enroll ben/happy/1.jpg")
    keep.uncheck()
    page.get_by_role("button", name="Enroll 2 photos of 2 students").wait_for()
    page.reload()
    page.get_by_text("the photos must be chosen again. Nothing was stored").wait_for()
    assert store.roster("Wrong folders").students == {}
    choose(page, tmp_path / "class.zip")
    page.get_by_label("What chidi/neutral/1.jpg shows").select_option("happy")
    name.fill("Asha P.")
    name.press("Enter")
    keep.uncheck()
    page.get_by_role("button", name="Enroll 2 photos of 2 students").click()
    page.get_by_text("2 photos accepted, 1 left out, 0 refused").wait_for()
    page.locator("button.tile:has-text('chidi')").get_by_text("happy").wait_for()
    students = store.roster("Wrong folders").students
    assert {key: one.emotions() for key, one in students.items()} == {"Asha P.": {"neutral": 1}, "chidi": {"happy": 1}}


def test_a_refused_camera_is_a_sentence_that_says_what_to_do(served: Served, browse: Callable[..., Any]) -> None:
    page = browse("--use-fake-device-for-media-stream", "--deny-permission-prompts")
    acknowledge(page, served.address)
    choose_source(page, "Without a class: expressions, no names", "Browser camera")
    page.get_by_role("button", name="Start the lesson").click()
    page.get_by_text("was not allowed to use the camera").wait_for()
    page.get_by_role("button", name="Stop", exact=False).first.click()
    page.get_by_role("button", name="End the lesson").click()
    page.get_by_role("button", name="New lesson").click()
