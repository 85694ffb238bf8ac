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
