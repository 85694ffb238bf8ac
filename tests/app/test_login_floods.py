"""What a stranger can do to the login with long, slow and odd requests, and with wrong passwords for somebody else."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

pytest.importorskip("streamlit", reason="needs the extra app")

from fewshot.accounts import tries
from fewshot.accounts.accounts import Accounts
from fewshot.app.login import http
from fewshot.database import open_database
from tests.app.login_client import OTHER, PASSWORD, Answered, Browser, Site

FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize(
    "path", ["/login", "/logout", "/login/password", "/login/oidc", "/_stcore/health", "/live", "/media/x"]
)
def test_a_body_that_nobody_wants_ends_the_connection(site: Site, method: str, path: str) -> None:
    for size in ({"content_length": "500000000"}, {"transfer_encoding": "chunked"}):
        answer = Browser(site).ask(path, method, b"x", content_type="text/plain", **size)
        assert answer.header("connection") == "close", (answer.status, size)


def test_a_form_that_is_too_long_ends_the_connection(site: Site) -> None:
    answer = Browser(site).ask("/login", "POST", b"a=" + b"x" * 9000, content_type=FORM, content_length="9002")
    assert answer.status == 400 and answer.header("connection") == "close"


def test_a_request_without_a_body_keeps_the_connection(site: Site) -> None:
    for headers in ({}, {"content_length": "0"}):
        assert not Browser(site).ask("/login", **headers).header("connection")


@pytest.mark.parametrize("path", ["/login", "/login/password"])
def test_a_form_that_never_ends_is_refused(site: Site, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setattr(http, "FORM_TIME", 0.05)
    browser = Browser(site)
    browser.log_in("Anna")
    sent: list[Any] = []

    async def receive() -> Any:
        await asyncio.sleep(0.02)
        return {"type": "http.request", "body": b"n", "more_body": True}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = browser.scope("http", "POST", path, {"content-type": FORM, "content-length": "5000"})
    site.runner.run(asyncio.wait_for(site.app(scope, receive, send), 10))
    answer = Answered(sent)
    assert answer.status == 400 and answer.header("connection") == "close"


def lock(site: Site, name: str) -> None:
    """What somebody does who wants to keep another one out."""
    for number in range(tries.BY_NAME + 5):
        Browser(site, address=f"198.51.100.{number}").log_in(name, "wrong password")


def test_nobody_can_keep_a_teacher_out_of_her_own_browser(site: Site) -> None:
    hers, stranger = Browser(site), Browser(site)
    hers.log_in("Anna")
    hers.form("/logout")
    lock(site, "anna")
    assert stranger.log_in("Anna").status == 429
    assert hers.log_in("Anna", "wrong password").status == 401
    assert hers.log_in("Anna").status == 303 and hers.inside


def test_her_own_browser_has_no_more_tries_than_others(site: Site) -> None:
    hers = Browser(site)
    hers.log_in("Anna")
    hers.form("/logout")
    for number in range(tries.BY_NAME):
        hers.address = f"198.51.100.{number}"
        assert hers.log_in("Anna", "wrong password").status == 401
    assert hers.log_in("Anna").status == 429
    assert Browser(site).log_in("Bert").status == 303
    site.accounts.reset("Anna", OTHER)
    assert hers.log_in("Anna", OTHER).status == 303


def test_a_network_with_many_wrong_tries_does_not_keep_a_known_browser_out(site: Site) -> None:
    hers = Browser(site)
    hers.log_in("Anna")
    hers.form("/logout")
    for number in range(31):
        Browser(site).log_in(f"name {number}", "wrong password")
    assert Browser(site).log_in("Bert").status == 429 and hers.log_in("Anna").status == 303


def test_the_mark_of_a_browser_opens_nothing_and_is_for_one_name(site: Site) -> None:
    hers = Browser(site)
    hers.log_in("Anna")
    mark = hers.cookies["__Host-fewshot-known"]
    hers.form("/logout")
    assert not hers.inside
    lock(site, "Bert")
    assert hers.log_in("Bert").status == 429
    number, _, rest = mark.partition(".")
    lock(site, "Anna")
    wrong = ["", ".", number, f"{number}.", f"{int(number) + 1}.{rest}", f"{number}.{rest[:-1]}0x", f"-{number}.{rest}",
             f"{'9' * 17}.{rest}", f"{'9' * 40}.{rest}", f"{number}.{'0' * 64}", "x" * 5000, "\u00b2.x"]  # fmt: skip
    for made in wrong:
        browser = Browser(site, address="203.0.113.4")
        browser.cookies["__Host-fewshot-known"] = made
        assert browser.log_in("Anna").status == 429, made


@pytest.mark.parametrize("change", ["reset", "remove"])
def test_a_password_that_is_replaced_while_it_is_checked_opens_nothing(
    site: Site, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    right = site.accounts.verify

    def slow(name: str, password: str) -> Any:
        found = right(name, password)
        _ = site.accounts.reset("Anna", OTHER) if change == "reset" else site.accounts.remove("Anna")
        return found

    monkeypatch.setattr(site.accounts, "verify", slow)
    browser = Browser(site)
    answer = browser.log_in("Anna")
    assert answer.status == 401 and "Log in again" in answer.text and not browser.cookies


def test_a_thief_does_not_undo_a_reset_that_comes_at_the_same_time(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    thief, right = Browser(site), site.accounts.verify
    thief.log_in("Anna")

    def slow(name: str, password: str) -> Any:
        found = right(name, password)
        site.accounts.reset("Anna", OTHER)
        return found

    monkeypatch.setattr(site.accounts, "verify", slow)
    answer = thief.form("/login/password", old=PASSWORD, new="a thief's password 1", again="a thief's password 1")
    monkeypatch.undo()
    assert answer.status == 400 and not thief.inside
    assert site.accounts.verify("Anna", OTHER) and not site.accounts.verify("Anna", "a thief's password 1")


def test_the_given_password_in_other_letters_is_no_new_one(site: Site) -> None:
    site.accounts.reset("Anna", PASSWORD, one_time=True)
    browser, wide = Browser(site), PASSWORD.replace("f", "\uff46")
    browser.log_in("Anna")
    assert browser.form("/login/password", old=PASSWORD, new=wide, again=wide).status == 400 and not browser.inside


def test_a_name_with_a_zero_gets_the_usual_answer_from_postgresql(cheap_hashes: None, postgres: Any) -> None:
    made = Site(Accounts(open_database(postgres.fresh())))
    try:
        assert Browser(made).log_in("Anna\x00", "wrong password").status == 401
    finally:
        made.close()


def test_a_websocket_ends_if_its_login_cannot_be_checked_for_any_reason() -> None:
    from fewshot.app.login.sockets import Socket

    async def broken() -> bool:
        raise ValueError("nobody thought of this")

    async def run() -> bool:
        async def touched() -> None: ...

        async def app(_scope: Any, receive: Any, _send: Any) -> None:
            while (await receive())["type"] != "websocket.disconnect":
                pass

        async def send(_message: Any) -> None: ...

        socket = Socket(broken, touched, 0.02)
        await asyncio.wait_for(socket.serve(app, {}, asyncio.Queue[Any]().get, send), 10)
        return socket.ended

    assert asyncio.run(run())
