"""A call's gallery in another tab, shared from the browser: the right names on the tiles, also after a reload."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any

import cv2
import pytest

from fewshot.demo.sample import sample_picture
from fewshot.session.lessons import LessonStore
from tests.browser.conftest import Served, acknowledge, finish
from tests.browser.steps import choose_source, share_window, start_lesson, stop_lesson, wait_in_view
from tests.browser.test_screen_capture import gallery

TITLE = "the gallery of the call"
PICK = f"--auto-select-tab-capture-source-by-title={TITLE}"
"""Chromium takes this tab instead of asking, but only after a click, as with the real picker."""
PAGE = f"""<title>{TITLE}</title><style>body {{ margin: 0; background: #222 }} img {{ width: 100% }}</style><img>
<script>let n = 0; setInterval(() => (document.body.style.paddingLeft = `${{n++ % 2}}px`), 200)</script>"""


class Call:
    """The call, in a tab of the same browser."""

    def __init__(self, context: Any) -> None:
        self._page, self._picture = context.new_page(), sample_picture()
        self._page.set_content(PAGE)

    def show(self, *people: str) -> None:
        jpeg = cv2.imencode(".jpg", gallery(self._picture, people), [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
        address = f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"
        self._page.evaluate("address => { document.querySelector('img').src = address }", address)

    def close(self) -> None:
        self._page.close()


@pytest.fixture(scope="module")
def app(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The app with a class of four."""
    served = Served(tmp_path_factory.mktemp("home"))
    try:
        served.enroll_sample("Online", tmp_path_factory.mktemp("photos"))
        yield served
    finally:
        finish(served)


@pytest.mark.core
def test_a_shared_call_is_watched_and_shared_again_after_a_reload(app: Served, browse: Callable[..., Any]) -> None:
    page = browse(PICK)
    acknowledge(page, app.address)
    call = Call(page.context)
    call.show("asha", "guest 1", "chidi")
    page.get_by_role("link", name="Live").first.click()
    page.get_by_text("For a Zoom, Meet or Teams call").wait_for()  # it is the default source
    choose_source(page, "Online", "Shared window")
    start_lesson(page)  # nothing is shared yet
    page.get_by_text("Waiting for the window.").wait_for()
    share_window(page)
    wait_in_view(page, ["asha", "chidi"])
    page.get_by_role("link", name="Class").first.click()  # other pages do not stop it
    page.get_by_role("heading", name="Class").first.wait_for()
    call.show("guest 2", "dana", "guest 1", "ben")
    page.get_by_role("link", name="Live").first.click()
    wait_in_view(page, ["ben", "dana"])

    page.get_by_role("button", name="Stop sharing").click()
    page.get_by_text("The window is no longer shared. The lesson waits.").wait_for()
    share_window(page)
    wait_in_view(page, ["ben", "dana"])

    page.reload()
    page.get_by_text("If it was closed or loaded again").wait_for()
    share_window(page)
    wait_in_view(page, ["ben", "dana"])
    call.close()  # as when the call ends
    page.get_by_text("The window is no longer shared. The lesson waits.").wait_for()
    stop_lesson(page)
    page.get_by_role("button", name="New lesson").click()

    store = LessonStore(app.database())
    (info,) = store.lessons("Online")
    assert info.state == "ended" and info.source == "the shared window"
    assert set(store.load(info.id).readings.student.tolist()) >= {0, 1, 2, 3}


def test_a_tab_of_its_own_goes_on_while_the_page_is_loaded_again(app: Served, browse: Callable[..., Any]) -> None:
    page = browse(PICK)
    acknowledge(page, app.address)
    call = Call(page.context)
    call.show("asha", "ben")
    choose_source(page, "Online", "Shared window")
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Share from a separate tab").click()
    own = opened.value
    share_window(own)
    page.get_by_text("Another tab shares a window with this lesson.").wait_for()
    page.reload()
    page.get_by_text("Another tab shares a window with this lesson.").wait_for()
    choose_source(page, "Online", "Shared window")
    start_lesson(page)
    wait_in_view(page, ["asha", "ben"])
    page.reload()
    wait_in_view(page, ["asha", "ben"])
    share_window(page)  # this tab takes over, and the other one says so
    own.get_by_text("Another tab shares a window with this lesson.").wait_for()
    own.close()
    call.show("chidi")
    wait_in_view(page, ["chidi"])
    stop_lesson(page)
    page.get_by_role("button", name="New lesson").click()


def test_a_browser_that_cannot_share_says_so_and_offers_the_others(app: Served, browse: Callable[..., Any]) -> None:
    page = browse()
    page.context.add_init_script("delete MediaDevices.prototype.getDisplayMedia")  # as on phones
    acknowledge(page, app.address)
    choose_source(page, "Online", "Shared window")
    page.get_by_text("This browser cannot share a window. Phones and tablets cannot.").wait_for()
    assert not page.get_by_role("button", name="Choose the window").is_visible()
    assert page.get_by_role("radio", name="Video file").or_(page.get_by_role("button", name="Video file")).count()
    own = page.context.new_page()
    own.goto(f"{app.address}/share/")
    own.get_by_text("This address names no lesson.").wait_for()
    own.goto(f"{app.address}/share/?ticket=nobody-gave-this")
    own.get_by_text("This browser cannot share a window").wait_for()
    own.add_init_script("Object.defineProperty(window, 'isSecureContext', { value: false })")  # as over plain HTTP
    own.reload()
    own.get_by_text("Browsers share a window only on pages at http://localhost or over HTTPS").wait_for()


def test_a_picker_that_is_closed_says_what_to_do(app: Served, browse: Callable[..., Any]) -> None:
    page = browse()
    page.add_init_script(
        "MediaDevices.prototype.getDisplayMedia = () => Promise.reject(new DOMException('no', 'NotAllowedError'))"
    )
    acknowledge(page, app.address)
    choose_source(page, "Online", "Shared window")
    page.get_by_role("button", name="Choose the window").click()
    page.get_by_text("The browser was not allowed to share a window, or nothing was chosen.").wait_for()
