"""A teacher in Chromium, through TLS: enrolls, shares a window, reads the report; and a camera by way of TURN."""

from __future__ import annotations

import base64
import os
import re
import shutil
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2

from fewshot.demo.sample import enrollment_photos, sample_picture, video
from fewshot.errors import FewshotError
from fewshot.research.bench import browser_steps as steps
from fewshot.research.bench.stack.programs import HOST, PASSWORD, TEACHER, Stack

ENROLLED = ("asha", "ben")
ADMINISTRATOR = "office"
SHARED = 20.0
"""Seconds for which the window is watched."""
LARGE = 100 << 20
"""Bytes of the zip: below what a file may have, and a proxy must let it through."""
PATIENCE = 120_000
"""Milliseconds for one step; a busy computer needs long for the first reading."""
CALL = "the call that is shared"
_CALL_PAGE = f"""<title>{CALL}</title><style>body {{ margin: 0; background: #222 }} img {{ width: 100% }}</style><img>
<script>let n = 0; setInterval(() => (document.body.style.paddingLeft = `${{n++ % 2}}px`), 200)</script>"""
_RELAY_ONLY = """if (window.RTCPeerConnection) {
  const Made = window.RTCPeerConnection;
  window.made = [];
  window.RTCPeerConnection = class extends Made {
    constructor(settings, ...more) {
      super({ ...settings, iceTransportPolicy: "relay" }, ...more);
      window.made.push(this);
    }
  };
}"""
"""The app does not offer it: the browser may then use no other way than a TURN server."""
_WAYS = """async () => {
  const ways = [];
  for (const one of window.made ?? []) {
    const all = await one.getStats(), by = id => all.get(id);
    for (const pair of all.values())
      if (pair.type === "candidate-pair" && pair.state === "succeeded" && pair.nominated)
        ways.push({ type: by(pair.localCandidateId).candidateType, sent: pair.bytesSent });
  }
  return ways; }"""


class NotRun(FewshotError):
    """A part of the check is not on this computer."""


def chromium() -> str:
    """Path of the browser.

    Raises:
        NotRun: there is none, or no Playwright to drive it.
    """
    try:
        import playwright.sync_api  # noqa: F401
    except ImportError:
        raise NotRun("needs Playwright: pip install playwright") from None
    found = os.environ.get("FEWSHOT_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not found:
        raise NotRun("needs Chromium: apt-get install chromium, or FEWSHOT_CHROMIUM=path")
    return found


def lesson_of_a_shared_window(stack: Stack) -> str:
    """Log in, acknowledge, enroll two from a zip, share a window, end the lesson, read its report."""
    with _page(stack, f"--auto-select-tab-capture-source-by-title={CALL}") as page:
        _log_in(page, stack, TEACHER)
        steps.acknowledge(page, stack.url)
        require_tls(page)
        _picture(stack, page, "start")
        _enroll(stack, page, "Shared", LARGE)
        _picture(stack, page, "class")
        _show_call(page)
        steps.choose_source(page, "Shared", "Shared window")
        steps.share_window(page)
        steps.start_lesson(page)
        steps.wait_in_view(page, ENROLLED)
        page.wait_for_timeout(1000 * SHARED)
        steps.wait_in_view(page, ENROLLED)
        _picture(stack, page, "live")
        steps.stop_lesson(page)
        page.get_by_role("button", name="Report").first.click()
        counted = page.get_by_text("counted at a time").first
        counted.wait_for()
        said = re.search(r"[^.\n]*counted at a time", counted.inner_text())
        page.get_by_role("tab", name="Students").click()
        for name in ENROLLED:
            page.get_by_text(name).locator("visible=true").first.wait_for()
        _picture(stack, page, "report")
    report = said[0].strip() if said else ""
    return f"two enrolled from a zip of {LARGE >> 20} MB; both seen in the shared window; the report: “{report}”"


def camera_through_turn(stack: Stack) -> str:
    """A browser that may use TURN only: no picture without the server in the settings, and faces with it."""
    film = steps.camera_film(video(sample_picture()), stack.folder / "film.mjpeg")
    with _page(stack, *steps.CAMERA, film, permissions=["camera"]) as page:
        page.context.add_init_script(_RELAY_ONLY)
        _log_in(page, stack, TEACHER)
        steps.acknowledge(page, stack.url)
        _enroll(stack, page, "Camera")
        steps.choose_source(page, "Camera", "Browser camera")
        steps.start_lesson(page)
        page.get_by_text("could not connect to each other").first.wait_for()
        _picture(stack, page, "camera-without-turn")
        steps.stop_lesson(page)
        page.get_by_role("button", name="New lesson").click()
        _name_turn_server(stack, page.context.browser)
        steps.choose_source(page, "Camera", "Browser camera")
        steps.start_lesson(page)
        steps.wait_in_view(page, ENROLLED)
        page.wait_for_timeout(5000)
        _picture(stack, page, "camera-through-turn")
        ways = [way for frame in page.frames for way in frame.evaluate(_WAYS)]
        steps.stop_lesson(page)
    sent = sum(way["sent"] for way in ways)
    if not sent or {way["type"] for way in ways} != {"relay"}:
        raise FewshotError(f"the camera's packets took another way than TURN: {ways}")
    return f"no connection without the server, faces seen with it; {sent / 1e6:.1f} MB from the browser, all by a relay"


def require_tls(page: Any) -> None:
    """Fail if the page does not count as safe in the browser, as over plain HTTP.

    Raises:
        FewshotError: it does not.
    """
    if not page.url.startswith("https:") or not page.evaluate("window.isSecureContext"):
        raise FewshotError(f"{page.url} is no secure context")


@contextmanager
def _page(stack: Stack, *flags: str, **context: Any) -> Iterator[Any]:
    """A page of a new browser; where it fails, its picture is kept too.

    The certificate is taken as it is: that another one is refused is checked without a browser.
    """
    from playwright.sync_api import Error, sync_playwright

    program = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", *flags])
        made = browser.new_context(viewport={"width": 1280, "height": 800}, ignore_https_errors=True, **context)
        made.set_default_timeout(PATIENCE)
        page = made.new_page()
        try:
            yield page
        except Error as error:
            _picture(stack, page, f"failed-{time.time():.0f}")
            raise FewshotError(" ".join(str(error).split())[:250]) from error
        finally:
            browser.close()


def _log_in(page: Any, stack: Stack, name: str) -> None:
    page.goto(stack.url)
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


def _enroll(stack: Stack, page: Any, classroom: str, padding: int = 0) -> None:
    """Two students from a zip, which a file that is no photo makes larger by ``padding`` bytes."""
    photos, packed = stack.folder / "photos", stack.folder / "class.zip"
    enrollment_photos(sample_picture(), photos)
    with zipfile.ZipFile(packed, "w") as archive:
        for name in ENROLLED:
            for photo in sorted((photos / name).iterdir()):
                archive.write(photo, f"{name}/{photo.name}")
        if padding:
            archive.writestr("notes.bin", os.urandom(padding))
    steps.make_class(page, classroom)
    steps.choose_zip(page, packed, "the trial")
    steps.enroll_chosen(page)
    page.get_by_text("accepted").first.wait_for()
    page.locator("button.tile").nth(len(ENROLLED) - 1).wait_for()


def _show_call(page: Any) -> None:
    """The call, in a tab of the same browser."""
    call, jpeg = page.context.new_page(), cv2.imencode(".jpg", sample_picture())[1].tobytes()
    call.set_content(_CALL_PAGE)
    address = f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"
    call.evaluate("address => { document.querySelector('img').src = address }", address)
    page.bring_to_front()


def _name_turn_server(stack: Stack, browser: Any) -> None:
    """An administrator does it, as docs/deploy/school-server.md says; the app reads the password from its file."""
    password = str(stack.folder / "password")
    stack.fewshot("accounts", "add", ADMINISTRATOR, "--administrator", "--password-file", password)
    context = browser.new_context(ignore_https_errors=True)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    _log_in(page, stack, ADMINISTRATOR)
    steps.to(page, "Settings")
    page.get_by_role("tab", name="Connection").click()
    page.get_by_label("STUN and TURN servers, one per line").fill(f"turn:{HOST}:{stack.ports['turn']}")
    page.get_by_label("User name (TURN)").fill("fewshot")
    page.get_by_role("button", name="Save", exact=True).locator("visible=true").click()
    page.get_by_text("Saved. The next lesson will use it.").first.wait_for()
    _picture(stack, page, "settings-connection")
    context.close()


def _picture(stack: Stack, page: Any, name: str) -> None:
    if stack.pictures is not None:
        Path(stack.pictures).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=stack.pictures / f"{name}.png")


CHECKS: dict[str, Callable[[Stack], str]] = {
    "Chromium: enroll, share a window, report": lesson_of_a_shared_window,
    "Chromium: a camera through TURN": camera_through_turn,
}
