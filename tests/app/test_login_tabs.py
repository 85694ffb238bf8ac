"""What belongs to one login is not there for another one: WebSockets, tabs, uploads, pictures."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

pytest.importorskip("streamlit", reason="needs the extra app")

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage

from fewshot.app.login import sockets, tabs
from fewshot.app.login.gate import HEADER
from fewshot.app.login.sockets import by_a_person
from fewshot.app.login.tabs import Tabs
from tests.app.login_client import Browser, Site, talk

pytestmark = pytest.mark.usefixtures("cheap_hashes")


def entered(site: Site, name: str) -> tuple[Browser, int]:
    """A browser that is logged in, and the id of its login as Streamlit is told."""
    browser = Browser(site)
    browser.log_in(name)
    assert browser.inside
    return browser, int(seen(site)[HEADER])


def seen(site: Site) -> dict[str, str]:
    return {bytes(name).decode(): bytes(value).decode() for name, value in site.inner.reached[-1]["headers"]}


def test_streamlit_learns_the_login_and_not_the_cookie(site: Site) -> None:
    browser, login = entered(site, "Anna")
    browser.cookies["_streamlit_xsrf"] = "kept"
    browser.ask("/", x_fewshot_login="999", X_Fewshot_Login="998")
    headers = site.inner.reached[-1]["headers"]
    assert [bytes(value) for name, value in headers if bytes(name).lower() == HEADER.encode()] == [str(login).encode()]
    assert seen(site)["cookie"] == "_streamlit_xsrf=kept"
    found = site.accounts.logins.get(login)
    assert found is not None and found.owner.name == "Anna"


def test_a_websocket_of_somebody_who_is_logged_in_works(site: Site) -> None:
    browser, _ = entered(site, "Anna")
    sent = talk(browser, [b"one", b"two"])
    assert [message.get("bytes") for message in sent] == [None, b"one", b"two"]


@pytest.mark.parametrize("end", ["log out", "reset", "remove", "log in again"])
def test_a_running_websocket_ends_with_its_login(site: Site, end: str) -> None:
    browser, login = entered(site, "Anna")
    other, _ = entered(site, "Bert")
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def run() -> None:
        opened, coming = asyncio.Event(), asyncio.Queue[Any]()
        coming.put_nowait({"type": "websocket.connect"})

        async def send_and_tell(message: Any) -> None:
            sent.append(message)
            opened.set()

        scope = browser.scope("websocket", "GET", "/_stcore/stream", {})
        serving = asyncio.create_task(site.app(scope, coming.get, send_and_tell))
        await asyncio.wait_for(opened.wait(), 10)
        await asyncio.to_thread(change)
        if end in ("log out", "log in again"):
            path = "/logout" if end == "log out" else "/login"
            body = b"name=Anna&password=four+green+plums+fell"
            headers = {"content-type": "application/x-www-form-urlencoded"}
            form = browser.scope("http", "POST", path, headers)

            async def receive() -> Any:
                return {"type": "http.request", "body": body}

            async def ignore(_: Any) -> None:
                pass

            await site.app(form, receive, ignore)
        await asyncio.wait_for(serving, 10)

    def change() -> None:
        if end == "reset":
            site.accounts.reset("Anna", "seven blue pears rose")
        elif end == "remove":
            site.accounts.remove("Anna")

    site.runner.run(run())
    assert sent[-1]["type"] == "websocket.close" and sent[-1]["code"] == 1008
    assert site.accounts.logins.get(login) is None and other.inside


def test_a_running_websocket_is_looked_at_within_seconds() -> None:
    assert sockets.EVERY <= 5


def test_when_the_login_cannot_be_checked_the_websocket_ends(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    from fewshot.errors import StoreError

    browser, _ = entered(site, "Anna")

    def broken(_: int) -> None:
        raise StoreError("the disk is gone")

    monkeypatch.setattr(site.accounts.logins, "get", broken)
    sent: list[Any] = []

    async def run() -> None:
        coming = asyncio.Queue[Any]()
        coming.put_nowait({"type": "websocket.connect"})

        async def send(message: Any) -> None:
            sent.append(message)

        scope = browser.scope("websocket", "GET", "/_stcore/stream", {})
        await asyncio.wait_for(site.app(scope, coming.get, send), 10)

    site.runner.run(run())
    assert sent[-1]["type"] == "websocket.close"


def test_without_a_database_nobody_comes_in(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    from fewshot.errors import StoreError

    browser, _ = entered(site, "Anna")
    reached = len(site.inner.reached)

    def broken(_: str) -> None:
        raise StoreError("/secret/place is damaged")

    monkeypatch.setattr(site.accounts.logins, "find", broken)
    answer = browser.ask("/")
    assert answer.status == 503 and "/secret" not in answer.text and len(site.inner.reached) == reached
    assert [message["type"] for message in talk(browser, [])] == ["websocket.close"]


def test_a_click_keeps_a_login_awake_and_a_page_that_draws_itself_does_not() -> None:
    click, drawn, beat = BackMsg(), BackMsg(), BackMsg()
    click.rerun_script.query_string = "x"
    drawn.rerun_script.is_auto_rerun = True
    beat.app_heartbeat = True
    told = [by_a_person(message.SerializeToString()) for message in (click, drawn, beat)]
    assert told == [True, False, False] and not by_a_person(b"") and not by_a_person(b"\xff\xff")


def test_another_logins_tab_cannot_be_gone_on_with(site: Site) -> None:
    anna, login = entered(site, "Anna")
    bert, _ = entered(site, "Bert")
    assert site.tabs.claim("tab-of-anna", login)
    for browser, kept in ((anna, True), (bert, False)):
        for rest in ("xsrf, tab-of-anna", "xsrf,tab-of-anna, more", " , tab-of-anna"):
            protocol = f"streamlit, {rest}"
            talk(browser, [], protocol)
            assert (seen(site)["sec-websocket-protocol"].split(", ")[2:3] == ["tab-of-anna"]) is kept
            assert ("tab-of-anna" in site.inner.reached[-1]["subprotocols"]) is kept
    talk(anna, [], "streamlit, xsrf, tab-of-nobody")
    assert seen(site)["sec-websocket-protocol"] == "streamlit, xsrf"


def test_two_headers_with_a_tab_are_both_looked_at(site: Site) -> None:
    bert, _ = entered(site, "Bert")
    _, login = entered(site, "Anna")
    site.tabs.claim("tab-of-anna", login)
    scope = bert.scope("websocket", "GET", "/_stcore/stream", {"Sec-WebSocket-Protocol": "streamlit, x, tab-of-anna"})
    scope["headers"] += [(b"sec-websocket-protocol", b"a, b, tab-of-anna"), (b"sec-websocket-protocol", b"tab-of-anna")]
    left = [{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1000}]

    async def receive() -> Any:
        return left.pop(0)

    async def send(_: Any) -> None:
        pass

    site.runner.run(site.app(scope, receive, send))
    told = [bytes(value) for name, value in site.inner.reached[-1]["headers"] if b"protocol" in bytes(name).lower()]
    # Together they are one list, as HTTP joins them.
    assert b"tab-of-anna" not in b", ".join(told)


def test_files_are_sent_to_ones_own_tabs_only(site: Site) -> None:
    anna, login = entered(site, "Anna")
    bert, _ = entered(site, "Bert")
    site.tabs.claim("tab-of-anna", login)
    for method in ("PUT", "DELETE", "GET", "OPTIONS"):
        for before in ("", "/", "/base"):
            path = f"{before}/_stcore/upload_file/tab-of-anna/file"
            assert anna.ask(path, method).status == 200
            reached = len(site.inner.reached)
            assert bert.ask(path, method).status == 404
            assert anna.ask(path.replace("anna", "nobody"), method).status == 404
            assert len(site.inner.reached) == reached


@pytest.fixture
def pictures(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Streamlit's own store of pictures; ``add(tab, data)`` gives a picture's address."""
    manager = MediaFileManager(MemoryMediaFileStorage("/media"))

    def add(tab: str, data: bytes) -> str:
        monkeypatch.setattr("streamlit.runtime.media_file_manager._get_session_id", lambda: tab)
        return manager.add(data, "image/png", f"place {data!r}")

    monkeypatch.setattr(tabs, "_manager", lambda: manager)
    return add


def test_pictures_are_shown_to_the_login_whose_page_shows_them(site: Site, pictures: Any) -> None:
    anna, login = entered(site, "Anna")
    bert, other = entered(site, "Bert")
    site.tabs.claim("tab-of-anna", login)
    site.tabs.claim("tab-of-bert", other)
    hers, his, both = (
        pictures("tab-of-anna", b"hers"),
        pictures("tab-of-bert", b"his"),
        pictures("tab-of-anna", b"both"),
    )
    assert pictures("tab-of-bert", b"both") == both
    answers = {(browser, path): browser.ask(path) for browser in (anna, bert) for path in (hers, his, both)}
    assert {key: answer.status for key, answer in answers.items()} == {
        (anna, hers): 200, (anna, his): 404, (anna, both): 200, (bert, hers): 404, (bert, his): 200, (bert, both): 200,
    }  # fmt: skip
    assert answers[anna, hers].header("cache-control") == "no-store"
    reached = len(site.inner.reached)
    for path in (
        hers[:-4],
        f"/{hers}",
        f"/base{hers}",
        f"{hers}/",
        f"{hers}?x=1",
        f"{hers}.png",
        hers.replace(".", "%2e"),
    ):
        assert bert.ask(path).status == 404, path
    assert len(site.inner.reached) == reached
    assert bert.ask(pictures("tab of nobody", b"nobody's")).status == 404


def test_streamlits_own_fonts_are_nobodys_pictures(site: Site, pictures: Any) -> None:
    anna, _ = entered(site, "Anna")
    assert anna.ask("/static/media/font.woff2").status == 200
    assert Browser(site).ask("/static/media/font.woff2").status == 401


def test_a_streamlit_that_keeps_pictures_elsewhere_shows_none(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    anna, _ = entered(site, "Anna")
    monkeypatch.setattr(tabs, "_manager", object)
    assert anna.ask("/media/abc.png").status == 404


def test_a_tab_is_claimed_once_and_old_ones_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tabs, "MOST", 3)
    kept = Tabs()
    assert kept.claim("a", 1) and kept.claim("a", 1) and not kept.claim("a", 2) and not kept.belongs("a", 2)
    for tab in "bcd":
        kept.claim(tab, 2)
    assert not kept.belongs("a", 1) and kept.of(2) == ["b", "c", "d"]
