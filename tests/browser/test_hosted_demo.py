"""The demo as ``streamlit run`` starts it, without a guard: two browsers at once, and what a hostile one may try."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import pytest
import requests

from fewshot.demo.portraits import portraits
from fewshot.research.bench.hosted_demo import TILES, HostedDemo
from tests.browser.conftest import ROOT, SHARED
from tests.browser.test_whole_class import serious

ADDRESSES = (
    "/api", "/api/ready", "/api/classes", "/api/openapi.json", "/share", "/settings", "/classes", "/enroll", "/help",
    "/login", "/app/static/x", "/media/x", "/component/x", "/_stcore/agent/openapi.json",
    "/_stcore/script-health-check", "/..%2f..%2fpyproject.toml", "/deploy/streamlit/app.py",
)  # fmt: skip
SECRETS = ("Asha", "secret of one", "[project]", "FEWSHOT_DEMO")


@pytest.fixture(scope="module")
def demo(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostedDemo]:
    shared = {"FEWSHOT_SHARED": str(SHARED)} if (SHARED / "models").is_dir() else {}
    running = HostedDemo(
        tmp_path_factory.mktemp("demo"), ROOT, FEWSHOT_ENGINE="onnxruntime", PYTHONPATH=str(ROOT), **shared
    )
    yield running
    running.stop()
    log = running.log.read_text()
    assert "Traceback" not in log, log[-3000:]
    assert not list(running.home.rglob("*.db*")), "a store was written to the host"


def tabs_of(page: Any) -> list[str]:
    """Streamlit's number of a tab, as soon as it is known."""
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

    found: list[str] = []

    def read(data: Any) -> None:
        message = ForwardMsg()
        message.ParseFromString(data)
        if message.HasField("new_session"):
            found.append(message.new_session.initialize.session_id)

    page.on("websocket", lambda socket: socket.on("framereceived", read))
    return found


def begin(page: Any, demo: HostedDemo) -> None:
    page.goto(demo.address)
    page.get_by_role("button", name="Try with the sample class").wait_for()


def test_two_browsers_and_a_hostile_one(demo: HostedDemo, browse: Callable[..., Any]) -> None:
    one, two = browse(), browse()
    tabs = tabs_of(one)
    begin(one, demo)
    assert "Your computer" not in one.inner_text("body")
    one.get_by_role("button", name="Try with the sample class").click()
    one.locator(TILES).nth(40).wait_for()
    one.get_by_role("button", name="Mark", exact=True).click()
    one.get_by_label("Another text").fill("secret of one")
    one.get_by_role("button", name="Mark this moment").click()
    one.get_by_text("secret of one").first.wait_for()

    # The other one knows the whole address of the first.
    two.goto(one.url)
    two.get_by_role("button", name="Try with the sample class").wait_for()
    assert two.locator(TILES).count() == 0 and "secret of one" not in two.inner_text("body")
    two.get_by_role("link", name="Report").first.click()
    two.get_by_text("There is no lesson yet").wait_for()
    two.goto(f"{demo.address}/report?lesson=1")
    two.get_by_text("There is no lesson yet").wait_for()
    two.get_by_role("button", name="Try with the sample class").click()
    two.locator(TILES).nth(40).wait_for()
    assert "secret of one" not in two.inner_text("body")
    two.get_by_role("button", name="Stop").click()
    two.get_by_role("button", name="End the lesson").click()
    two.get_by_role("button", name="New lesson").wait_for()
    one.wait_for_timeout(2000)
    assert one.get_by_role("button", name="Pause").is_visible(), "the lesson of the other visitor goes on"
    two.get_by_role("button", name="Report").first.click()
    two.get_by_text("Moments that stand out").wait_for()
    assert "secret of one" not in two.inner_text("body")

    for address in ADDRESSES:
        answer = requests.get(f"{demo.address}{address}", timeout=30)
        assert not any(secret in answer.text for secret in SECRETS), (address, answer.text[:300])
        assert "json" not in answer.headers.get("content-type", "") or "agent" in address, address
    assert requests.post(f"{demo.address}/_stcore/agent/interact", json={}, timeout=30).status_code >= 400

    assert tabs
    sent = Uploads(demo.address, tabs[-1])
    assert sent.put(b"x" * 5_000_000) == 413
    assert sent.put_endless(520_000_000) == 413
    assert sent.put(b"x", tab="0" * 36) == 400
    assert [sent.put(b"x", name=str(number)) for number in range(5)] == [204, 204, 204, 429, 429]
    assert demo.memory() < 900


class Uploads:
    """Sends files without being asked for any."""

    def __init__(self, address: str, tab: str) -> None:
        self._address, self._tab, self._session = address, tab, requests.Session()
        self._session.get(f"{address}/_stcore/host-config", timeout=30)
        self._session.get(f"{address}/_stcore/health", timeout=30)
        token = self._session.cookies.get("_streamlit_xsrf") or ""
        self._session.headers["X-Xsrftoken"] = token

    def put(self, data: bytes, name: str = "x", tab: str = "") -> int:
        url = f"{self._address}/_stcore/upload_file/{tab or self._tab}/{name}"
        return self._session.put(url, files={"file": ("a.jpg", io.BytesIO(data))}, timeout=60).status_code

    def put_endless(self, size: int) -> int:
        """A body whose length is not said."""

        def chunks() -> Iterator[bytes]:
            yield b'--b\r\nContent-Disposition: form-data; name="f"; filename="a.jpg"\r\n\r\n'
            for _ in range(size // 1_000_000):
                yield b"x" * 1_000_000

        url = f"{self._address}/_stcore/upload_file/{self._tab}/endless"
        headers = {"Content-Type": "multipart/form-data; boundary=b"}
        try:
            return self._session.put(url, data=chunks(), headers=headers, timeout=60).status_code
        except requests.ConnectionError:
            return 413  # it did not read to the end


def test_a_photo_of_ones_own_is_learned_and_forgotten(
    demo: HostedDemo, browse: Callable[..., Any], tmp_path: Path
) -> None:
    photo = tmp_path / "me.jpg"
    cv2.imwrite(str(photo), portraits()["P03", "happy"])
    page = browse()
    page.goto(f"{demo.address}/photos")
    page.get_by_text("Your pictures leave your computer").wait_for()
    assert page.locator("input[type=file]").count() == 0
    page.get_by_text("I am an adult").click()
    page.locator("input[type=file]").first.set_input_files(photo)
    page.get_by_text("Without your photos").wait_for()
    page.get_by_text("Nothing was taught yet").wait_for()
    cv2.imwrite(str(photo), cv2.flip(portraits()["P03", "happy"], 1))
    page.locator("input[type=file]").nth(1).set_input_files(photo)
    page.get_by_text("Learned from 1 photo of at most").wait_for()
    bomb = tmp_path / "bomb.png"
    bomb.write_bytes(b"PK\3\4" + b"\0" * 2000)
    page.locator("input[type=file]").first.set_input_files(bomb)
    page.get_by_text("This is not a picture that can be read here").wait_for()
    page.get_by_role("button", name="Forget my photos").click()
    page.locator("input[type=file]").first.wait_for(state="detached")
    assert page.get_by_text("Learned from 1 photo").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault_in_the_demo(demo: HostedDemo, browse: Callable[..., Any], scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")
    page = browse(scheme=scheme)
    page.set_viewport_size({"width": 390, "height": 844})
    begin(page, demo)
    faults = {"Start": serious(axe, page)}
    page.goto(f"{demo.address}/photos")
    page.get_by_text("I am an adult").click()
    page.locator("input[type=file]").nth(1).wait_for(state="attached")
    faults["photos"] = serious(axe, page)
    page.goto(f"{demo.address}/report")
    page.get_by_text("There is no lesson yet").wait_for()
    faults["report"] = serious(axe, page)
    assert {name: found for name, found in faults.items() if found} == {}
