"""The service behind the guard and the gate of the app: whose requests reach it, and as whom."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.served import SCOPES  # isort: skip

pytest.importorskip("argon2", reason="needs the extra app")
pytest.importorskip("streamlit", reason="needs the extra app")

from starlette.applications import Starlette
from starlette.routing import Mount

from fewshot.accounts import passwords
from fewshot.accounts.accounts import Accounts
from fewshot.accounts.tokens import Tokens
from fewshot.api.application import build
from fewshot.api.service import Service
from fewshot.app.guard import Guard, Policy
from fewshot.app.listening import listening_at, public_origins
from fewshot.app.login.gate import Gate
from fewshot.classroom.owners import Owners
from fewshot.classroom.store import ClassStore
from fewshot.database.owner import LOCAL_TEACHER
from tests.app.login_client import OTHER, PASSWORD, PUBLIC, Browser, Site, talk

HOSTS = listening_at("127.0.0.1").hosts(8501)


class Mounted(Site):
    """The app with its guard and gate, and the service in the place of the pages."""

    def __init__(self, accounts: Accounts) -> None:
        super().__init__(accounts)
        policy = Policy(HOSTS, public_origins([f"https://{PUBLIC}"]), (), "http://h")
        service = Starlette(routes=[Mount("/api", build(Service(Tokens(accounts.database))))])
        self.app = Guard(Gate(service, self.desk, self.tabs, 0.02), policy)


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mounted]:
    from argon2 import PasswordHasher

    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", lambda: hasher)
    accounts = Accounts()
    for name in ("Anna", "Bert"):
        accounts.add(name, password=PASSWORD)
        ClassStore(owner=Owners().find(name)).create(f"class of {name}")
    made = Mounted(accounts)
    yield made
    made.close()


def bearer(*scopes: str, owner: Any = LOCAL_TEACHER) -> str:
    return f"Bearer {Tokens().add(owner, 'x', scopes or set(SCOPES))[0]}"


def test_who_is_logged_in_sees_their_own_classes(site: Mounted) -> None:
    anna, nobody = Browser(site), Browser(site)
    assert anna.ask("/api/classes").status == 401
    anna.log_in("Anna")
    assert "class of Anna" in anna.ask("/api/classes").text and "Bert" not in anna.ask("/api/classes").text
    made = anna.ask("/api/classes", "POST", b'{"name": "art"}', content_type="application/json")
    assert made.status == 201
    assert nobody.ask("/api/classes").status == 401 and nobody.ask("/api/health").status == 200
    anna.form("/logout")
    assert anna.ask("/api/classes").status == 401


def test_a_program_with_a_token_needs_no_login_and_no_page(site: Mounted) -> None:
    program = Browser(site)
    token = bearer("read", owner=Owners().find("Bert"))
    assert "class of Bert" in program.ask("/api/classes", authorization=token).text
    token = bearer("enroll")
    sent = {"authorization": token, "content_type": "application/json", "origin": ""}
    assert program.ask("/api/classes", "POST", b'{"name": "art"}', **sent).status == 201
    for hostile in ("https://evil.example", "null"):
        assert program.ask("/api/classes", "POST", b'{"name": "b"}', **{**sent, "origin": hostile}).status == 403
    without = {"content_type": "application/json", "origin": ""}
    for path in ("/api/classes", "/api"):
        answer = program.ask(path, "POST", b"{}", **without)
        assert answer.status == 401 and answer.header("www-authenticate") == "Bearer"
    for path in ("/apiary", "/login"):
        assert program.ask(path, "POST", b"{}", **without).status == 403
    assert program.ask("/apiary", "POST", b"{}", **sent).status == 403  # only the service takes tokens
    refused = program.ask("/api/classes", "POST", b"{}", **without)
    assert refused.header("content-type") == "application/problem+json" and "Bearer TOKEN" in refused.text
    assert program.ask("/api/classes", host="evil.example", authorization=token).status == 403


def test_a_login_beside_a_wrong_token_counts_for_nothing(site: Mounted) -> None:
    anna = Browser(site)
    anna.log_in("Anna")
    for wrong in ("Bearer fewshot_x", "Basic YTpi", "Bearer"):
        assert anna.ask("/api/classes", authorization=wrong).status == 401
    sent = {"authorization": "Bearer x", "content_type": "application/json", "origin": ""}
    assert anna.ask("/api/classes", "POST", b'{"name": "b"}', **sent).status == 401


def test_whoever_must_choose_a_password_first_cannot_use_the_service(site: Mounted) -> None:
    site.accounts.reset("Anna", OTHER, one_time=True)
    anna = Browser(site)
    anna.log_in("Anna", OTHER)
    assert anna.ask("/api/classes").status == 401


def test_no_page_is_open_because_its_path_looks_like_the_service(site: Mounted) -> None:
    token = bearer()
    stranger = Browser(site)
    for path in ("/api/../", "/apix", "//api/classes", "/API/classes", "/_stcore/stream", "/x/api/classes"):
        assert stranger.ask(path, authorization=token).status in (303, 401, 404), path


def test_websockets_need_a_token_a_ticket_or_the_own_page(site: Mounted) -> None:
    def first(browser: Browser, path: str) -> str:
        return str(talk(browser, [], path=path)[0]["type"])

    stranger, anna = Browser(site), Browser(site)
    anna.log_in("Anna")
    assert first(stranger, "/api/stream") == "websocket.close"
    assert first(stranger, "/api/stream?ticket=wrong") == "websocket.close"
    assert first(anna, "/api/stream") == "websocket.accept"
    ticket = anna.ask("/api/tickets", "POST").text.split('"')[3]
    assert first(stranger, f"/api/stream?ticket={ticket}") == "websocket.accept"
    assert first(stranger, f"/api/stream?ticket={ticket}") == "websocket.close"


def test_the_app_has_the_service_and_the_service_knows_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    from fewshot.app import server
    from fewshot.app.listening import place_of

    monkeypatch.setattr(server, "_built", [])
    monkeypatch.setattr(server, "_desks", [])
    app = server.build(Policy(HOSTS, place="class.example.org"))
    (mount,) = [route for route in app._user_routes if getattr(route, "path", "") == "/api"]
    assert mount.app.state.service.place == "class.example.org"
    local = listening_at("127.0.0.1")
    assert place_of(local, {}) == ""
    assert place_of(local, public_origins(["https://class.example.org:8443"])) == "class.example.org"
    assert place_of(listening_at("0.0.0.0"), {}) != ""
