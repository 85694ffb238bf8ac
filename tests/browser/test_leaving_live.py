"""A teacher leaves the page Live while the camera is watched, and comes back: the lesson waits, and goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fewshot.demo.sample import enrollment_photos, sample_picture, video
from fewshot.session.lessons import LessonStore
from tests.browser.conftest import Served, acknowledge, to
from tests.browser.steps import CAMERA, camera_film, choose_source, start_lesson, stop_lesson, wait_in_view

ENROLLED = ("asha", "ben", "chidi", "dana")
AWAY = 5000
"""Milliseconds on another page."""


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> str:
    return camera_film(video(sample_picture()), tmp_path_factory.mktemp("camera") / "film.mjpeg")


def test_the_lesson_waits_says_so_everywhere_and_goes_on(
    served: Served, browse: Callable[..., Any], film: str, tmp_path: Path
) -> None:
    enrollment_photos(sample_picture(), tmp_path)
    served.enroll("Music", tmp_path)
    page = browse(*CAMERA, film, permissions=["camera"])
    acknowledge(page, served.address)
    choose_source(page, "Music", "Browser camera")
    start_lesson(page)
    wait_in_view(page, ENROLLED)

    to(page, "Class")
    page.get_by_text("waits for its camera").wait_for()
    page.wait_for_timeout(AWAY)
    to(page, "Report")
    page.get_by_role("heading", name="Lesson report").wait_for()
    page.get_by_role("button", name="Back to the lesson").click()
    page.get_by_text("● live").wait_for()
    wait_in_view(page, ENROLLED)
    assert page.get_by_text("waits for its camera").count() == 0
    assert page.get_by_text("You have joined").count() == 0  # it is this tab's own
    before = page.locator(".fs-clock").inner_text()
    page.wait_for_function("before => document.querySelector('.fs-clock').textContent !== before", arg=before)
    stop_lesson(page)

    store = LessonStore(served.database())
    (info,) = store.lessons("Music")
    frames = store.load(info.id).frames_per_second
    seen = np.flatnonzero(frames)
    pause = int(np.diff(seen).max()) - 1
    assert info.state == "ended" and pause >= AWAY // 1000 - 2, "the camera was away, and the lesson's clock went on"
    assert frames[seen[np.argmax(np.diff(seen)) + 1] :].sum() > 0, "it went on afterwards"
    page.get_by_role("button", name="New lesson").click()
