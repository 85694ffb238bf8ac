"""Guided enrollment at a fake camera: prompts, pictures that are offered, retaken, accepted; and who stands then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import cv2
import numpy as np
import pytest

from fewshot.classroom.store import ClassStore
from fewshot.types import Frame
from tests.browser.conftest import Served, acknowledge, to
from tests.browser.steps import CAMERA, camera_film, make_class

PICTURES = "img.fs-photo"


@pytest.fixture(scope="module")
def astronaut(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A smiling woman who does not sit still, 8 s long; the picture comes with scikit-image."""
    data = pytest.importorskip("skimage.data", reason="needs scikit-image")
    picture = cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2BGR)
    return camera_film(sitting(picture), tmp_path_factory.mktemp("camera") / "film.mjpeg")


def sitting(picture: Frame) -> Iterator[Frame]:
    """Her face in the middle of 960 x 720, now nearer and now farther, leaning, in changing light."""
    for index in range(120):
        turn = 2 * np.pi * index / 120
        matrix = cv2.getRotationMatrix2D((225, 130), 7 * np.sin(2 * turn), 1.7 + 0.25 * np.sin(3 * turn))
        matrix[:, 2] += 480 - 225 + 40 * np.sin(turn), 300 - 130 + 20 * np.cos(2 * turn)
        frame = cv2.warpAffine(picture, matrix, (960, 720), borderMode=cv2.BORDER_REPLICATE)
        yield cv2.convertScaleAbs(frame, alpha=1 + 0.12 * np.sin(turn), beta=6 * np.cos(3 * turn))  # type: ignore[misc]


def begin(page: Any, student: str, *states: str, own: str = "") -> None:
    """Fill in the form and start the camera, with these prompts."""
    to(page, "Enrollment")
    page.get_by_role("heading", name="Enrollment", exact=True).first.wait_for()
    page.get_by_label("States to show").first.wait_for()
    page.get_by_label("Student", exact=True).fill(student)
    page.get_by_label("Consent given by").first.fill("her mother")
    for state in ("neutral", "happy", "surprise", "confused"):
        if state not in states:
            page.get_by_role("button", name=state, exact=True).click()
    page.get_by_label("Another state of this student").fill(own)
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Start the camera").click()


def test_a_student_is_enrolled_from_the_camera(served: Served, browse: Callable[..., Any], astronaut: str) -> None:
    page = browse(*CAMERA, astronaut, permissions=["camera"])
    acknowledge(page, served.address)
    make_class(page, "Astronomy")
    begin(page, "Eileen", "neutral", "happy")
    page.get_by_text("1 of 2").wait_for()
    page.get_by_text("Taking pictures").wait_for()
    page.get_by_text("2 of 2").wait_for()
    page.get_by_text("keep the pictures that show the state well").wait_for()
    offered = page.locator(PICTURES)
    offered.first.wait_for()
    assert 2 <= offered.count() <= 6 and offered.first.evaluate("image => image.naturalWidth") > 100
    kept = page.get_by_role("checkbox", checked=True).count()  # she smiles: those of "neutral" may not fit
    assert kept >= 1
    page.get_by_role("button", name=f"Enroll {kept} pictures").click()
    page.get_by_text("1 student, 1 with consent on file").wait_for()
    assert "Eileen" in page.locator("button.tile").first.inner_text()

    store = ClassStore(served.database())
    (consent,) = store.consents("Astronomy", "Eileen")
    eileen = store.roster("Astronomy").students["Eileen"]
    assert consent.given_by == "her mother" and eileen.emotions().get("happy", 0) >= 1
    assert [file for file in served.home.rglob("*") if file.suffix in (".png", ".jpg", ".jpeg", ".mjpeg")] == []


def test_a_picture_is_taken_again_and_thrown_away(served: Served, browse: Callable[..., Any], astronaut: str) -> None:
    page = browse(*CAMERA, astronaut, permissions=["camera"])
    acknowledge(page, served.address)
    make_class(page, "Biology")
    begin(page, "Judith", own="concentrating")
    page.get_by_text("keep the pictures that show the state well").wait_for()
    page.get_by_role("button", name="Retake").click()
    page.get_by_text("1 of 1").wait_for()
    page.get_by_text("Taking pictures").wait_for()
    page.get_by_text("keep the pictures that show the state well").wait_for()
    page.locator(PICTURES).first.wait_for()
    page.get_by_role("button", name="Discard all").click()
    page.get_by_role("button", name="Start the camera").wait_for()
    assert ClassStore(served.database()).roster("Biology").students == {}
