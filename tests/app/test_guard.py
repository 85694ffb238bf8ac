"""The guard before the app: what passes, what is refused, and what every answer tells the browser."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest

from fewshot.app.guard import Guard, Policy
from fewshot.app.listening import listening_at, public_origins

PORT = 8501
POLICY = Policy(
    listening_at("127.0.0.1").hosts(PORT),
    public_origins(["https://class.example.org", "http://localhost:9000"]),
    home="http://localhost:8501",
)
OWN = {"host": "localhost:8501", "origin": "http://localhost:8501"}


class Inner:
    """The app behind the guard: remembers what reached it."""

    def __init__(self) -> None:
        self.reached: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.reached.append(scope["type"])
        if scope["type"] == "http":
            start = {"type": "http.response.start", "status": 200}
            await send({**start, "headers": [(b"Access-Control-Allow-Origin", b"*"), (b"x-kept", b"1")]})
            await send({"type": "http.response.body", "body": b"secret"})
        elif scope["type"] == "websocket":
            await send({"type": "websocket.accept"})


def ask(
    headers: dict[str, str] | list[tuple[str, str]],
    method: str = "GET",
    kind: str = "http",
    path: str = "/",
    policy: Policy = POLICY,
    scheme: str | None = None,
) -> tuple[int, dict[str, str], bool]:
    """(status, headers, whether the body was read) of one request; 101 for an open WebSocket."""
    pairs = headers.items() if isinstance(headers, dict) else headers
    scope = {
        "type": kind, "method": method, "path": path, "scheme": scheme or ("http" if kind == "http" else "ws"),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in pairs],
    }  # fmt: skip
    sent: list[Any] = []
    read: list[bool] = []

    async def receive() -> Any:
        read.append(True)
        return {"type": "http.request", "body": b"x", "more_body": True}

    async def send(message: Any) -> None:
        sent.append(message)

    inner = Inner()
    asyncio.run(Guard(inner, policy)(scope, receive, send))
    assert (sent[0]["type"] in ("websocket.close",) or sent[0].get("status") == 403) == (not inner.reached)
    if sent[0]["type"].startswith("websocket"):
        return (101 if sent[0]["type"] == "websocket.accept" else 403), {}, bool(read)
    answer = {bytes(name).decode().lower(): bytes(value).decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], answer, bool(read)


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8501", "localhost:8501", "[::1]:8501", "LOCALHOST:8501", "class.example.org"]
)
def test_our_own_pages_come(host: str) -> None:
    assert ask({"host": host})[0] == 200


@pytest.mark.parametrize(
    "host", ["evil.example:8501", "localhost", "localhost:9999", "127.0.0.1", "localhost.:8501", "a.localhost:8501", "",
             "localhost:8501.evil.example", "evil@localhost:8501", "localhost:8501, evil", "class.example.org.",
             "x.class.example.org", "class.example.org:8501", "0.0.0.0:8501", "192.168.1.5:8501", "localhost:08501"],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_a_name_that_is_not_ours_is_refused(host: str, kind: str) -> None:
    assert ask({"host": host, "origin": f"http://{host}"}, kind=kind)[0] == 403
    assert ask({"host": host}, kind=kind)[0] == 403


@pytest.mark.parametrize(
    "headers", [[], [("host", "localhost:8501"), ("host", "evil.example")], [("x-forwarded-host", "localhost:8501")]]
)
def test_no_host_and_two_hosts_are_refused(headers: list[tuple[str, str]]) -> None:
    assert ask(headers)[0] == 403


@pytest.mark.parametrize(
    "origin", ["http://localhost:9999", "http://evil.example", "null", "", "https://localhost:8501", "http://localhost",
               "http://127.0.0.1:8501", "http://localhost:8501.evil.example", "http://localhost:8501/", "file://"],
)  # fmt: skip
def test_another_origin_is_refused_everywhere(origin: str) -> None:
    headers = {"host": "localhost:8501", "origin": origin}
    assert ask(headers, kind="websocket")[0] == 403
    for method in ("GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "PATCH"):
        assert ask(headers, method)[0] == 403


@pytest.mark.parametrize(
    ("host", "secure"), [("class.example.org", True), ("localhost:9000", False), ("localhost:8501", False)]
)
def test_over_tls_every_cookie_is_for_tls_only(host: str, secure: bool) -> None:
    async def sets(scope: Any, receive: Any, send: Any) -> None:
        cookies = [(b"Set-Cookie", b"a=secure"), (b"set-cookie", b"b=1; Path=/; secure; HttpOnly"), (b"x-secret", b"1")]
        await send({"type": "http.response.start", "status": 200, "headers": cookies})

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/", "scheme": "http", "headers": [(b"host", host.encode())]}
    asyncio.run(Guard(sets, POLICY)(scope, None, send))  # type: ignore[arg-type]
    told = [value for name, value in sent[0]["headers"] if name.lower() in (b"set-cookie", b"x-secret")]
    assert told == [b"a=secure; Secure" if secure else b"a=secure", b"b=1; Path=/; secure; HttpOnly", b"1"]


@pytest.mark.parametrize("path", ["http://evil.example/", "http://localhost:8501/", "*", "index.html", "", "evil:443"])
def test_a_target_that_is_no_path_is_refused(path: str) -> None:
    for method in ("GET", "OPTIONS", "CONNECT"):
        assert ask(OWN, method, path=path)[0] == 403


@pytest.mark.parametrize("method", ["GET", "PUT", "POST"])
def test_two_lengths_are_refused_before_the_body_and_end_the_connection(method: str) -> None:
    status, answer, read = ask({**OWN, "content-length": "4", "transfer-encoding": "chunked"}, method)
    assert status == 403 and answer["connection"] == "close" and not read
    for length in ({"content-length": "4"}, {"transfer-encoding": "chunked"}):
        assert ask({**OWN, **length}, method)[0] == 200


def test_a_fault_is_answered_with_the_rules_for_the_browser_and_reaches_the_log() -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/late":
            await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError("a fault")

    for path, status in (("/", 500), ("/late", 200)):
        sent: list[Any] = []

        async def send(message: Any, sent: list[Any] = sent) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "GET", "path": path, "headers": [(b"host", b"localhost:8501")]}
        with pytest.raises(RuntimeError, match="a fault"):
            asyncio.run(Guard(broken, POLICY)(scope, None, send))  # type: ignore[arg-type]
        starts = [message for message in sent if message["type"] == "http.response.start"]
        assert [start["status"] for start in starts] == [status]
        assert (b"x-content-type-options", b"nosniff") in starts[0]["headers"]


def test_two_origins_are_refused() -> None:
    assert ask([("host", "localhost:8501"), ("origin", OWN["origin"]), ("origin", "http://evil.example")])[0] == 403


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "PATCH", "OPTIONS", "BREW"])
def test_what_changes_something_needs_our_origin_and_is_refused_before_its_body_is_read(method: str) -> None:
    assert ask({"host": "localhost:8501"}, method)[0] == 403
    status, _, read = ask({**OWN, "origin": "http://evil.example"}, method, path="/_stcore/upload_file/a/b")
    assert status == 403 and not read
    assert ask(OWN, method)[0] == 200


def test_a_websocket_needs_our_origin() -> None:
    assert ask({"host": "localhost:8501"}, kind="websocket")[0] == 403
    assert ask(OWN, kind="websocket")[0] == 101


@pytest.mark.parametrize(
    ("host", "origin", "allowed"),
    [
        ("class.example.org", "https://class.example.org", True),
        ("class.example.org", "http://class.example.org", False),
        ("class.example.org", "http://localhost:8501", False),
        ("localhost:8501", "https://class.example.org", False),
        ("localhost:9000", "http://localhost:9000", True),
    ],
)
def test_the_name_that_a_proxy_gives_comes_with_its_own_scheme(host: str, origin: str, allowed: bool) -> None:
    assert (ask({"host": host, "origin": origin}, kind="websocket")[0] == 101) is allowed


def test_with_a_certificate_of_its_own_the_scheme_is_https() -> None:
    assert ask({**OWN, "origin": "https://localhost:8501"}, kind="websocket", scheme="wss")[0] == 101
    assert ask(OWN, kind="websocket", scheme="wss")[0] == 403


@pytest.mark.parametrize(
    ("site", "mode", "into", "status"),
    [
        ("none", "navigate", "document", 200),
        ("same-origin", "cors", "empty", 200),
        ("cross-site", "navigate", "document", 200),
        ("cross-site", "no-cors", "script", 403),
        ("cross-site", "no-cors", "image", 403),
        ("same-site", "no-cors", "script", 403),
        ("cross-site", "navigate", "iframe", 403),
        ("same-site", "navigate", "embed", 403),
    ],
)
def test_what_another_page_loads_without_an_origin_is_refused(site: str, mode: str, into: str, status: int) -> None:
    fetch = {"sec-fetch-site": site, "sec-fetch-mode": mode, "sec-fetch-dest": into}
    assert ask({"host": "localhost:8501", **fetch})[0] == status


def test_every_answer_tells_the_browser_what_it_may_do() -> None:
    for headers in ({"host": "localhost:8501"}, {"host": "evil.example"}):
        _, answer, _ = ask(headers)
        policy = answer["content-security-policy"]
        assert "frame-ancestors 'none'" in policy and "default-src 'self'" in policy and "object-src 'none'" in policy
        assert "evil" not in policy and "http:" not in policy
        assert answer["x-content-type-options"] == "nosniff" and answer["referrer-policy"] == "same-origin"
    status, answer, _ = ask({"host": "localhost:8501"})
    assert "access-control-allow-origin" not in answer and answer["x-kept"] == "1" and status == 200


def test_who_may_show_the_app_in_a_frame_is_a_list() -> None:
    policy = Policy(POLICY.hosts, framed_by=("https://lms.example.org",))
    _, answer, _ = ask({"host": "localhost:8501"}, policy=policy)
    assert "frame-ancestors https://lms.example.org" in answer["content-security-policy"]
    framed = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"}
    assert ask({"host": "localhost:8501", **framed}, policy=policy)[0] == 200
    _, answer, _ = ask({"host": "localhost:8501"}, path="/component/x/index.html", policy=policy)
    assert "frame-ancestors 'self' https://lms.example.org" in answer["content-security-policy"]


def test_the_start_of_the_server_passes() -> None:
    inner = Inner()
    asyncio.run(Guard(inner, POLICY)({"type": "lifespan"}, None, None))  # type: ignore[arg-type]
    assert inner.reached == ["lifespan"]


class Odd:
    """An app that refuses or fails, behind the guard and a server that takes an answer to a WebSocket."""

    def __init__(self, *sends: dict[str, Any], fails: bool = False) -> None:
        self.sends, self.fails, self.path = sends, fails, ""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.path = scope["path"]
        for message in self.sends:
            await send(message)
        if self.fails:
            raise RuntimeError("nobody thought of this")

    def told(self, kind: str, path: str = "/") -> list[Any]:
        """What the server gets to send."""
        sent: list[Any] = []
        scope: dict[str, Any] = {
            "type": kind, "method": "GET", "path": path, "scheme": "http" if kind == "http" else "ws",
            "extensions": {"websocket.http.response": {}},
            "headers": [(name.encode(), value.encode()) for name, value in OWN.items()],
        }  # fmt: skip

        async def send(message: Any) -> None:
            sent.append(message)

        with contextlib.suppress(RuntimeError):
            asyncio.run(Guard(self, POLICY)(scope, None, send))  # type: ignore[arg-type]
        return sent


def of_browser(message: Any) -> dict[str, str]:
    return {bytes(name).decode().lower(): bytes(value).decode() for name, value in message["headers"]}


CLOSED = {"type": "websocket.close", "code": 1008, "reason": "Log in first."}
NOT_FOUND = {"type": "websocket.http.response.start", "status": 404, "headers": []}


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize("path", ["/", "/api/stream"])
def test_a_fault_tells_the_browser_the_same_as_every_answer(kind: str, path: str) -> None:
    start, body = Odd(fails=True).told(kind, path)
    assert start["status"] == 500 and start["type"].endswith("http.response.start")
    assert of_browser(start)["x-content-type-options"] == "nosniff" and b"nobody thought" not in body["body"]
    assert "frame-ancestors 'none'" in of_browser(start)["content-security-policy"]


@pytest.mark.parametrize("sends", [CLOSED, NOT_FOUND])
def test_a_websocket_that_is_refused_tells_the_browser_the_same(sends: dict[str, Any]) -> None:
    start, *_ = Odd(sends).told("websocket")
    assert start["type"] == "websocket.http.response.start" and start["status"] in (403, 404)
    assert of_browser(start)["x-content-type-options"] == "nosniff"


def test_an_open_websocket_is_closed_as_the_app_says_and_a_late_fault_is_no_second_answer() -> None:
    accepted = {"type": "websocket.accept"}
    assert Odd(accepted, CLOSED).told("websocket") == [accepted, CLOSED]
    assert Odd(accepted, fails=True).told("websocket") == [accepted]
    start = {"type": "http.response.start", "status": 200, "headers": []}
    assert [message["status"] for message in Odd(start, fails=True).told("http")] == [200]


def test_a_window_that_another_page_opened_is_out_of_its_hands() -> None:
    assert ask({"host": "localhost:8501"})[1]["cross-origin-opener-policy"] == "same-origin"


def test_the_address_of_the_service_without_a_slash_is_the_services() -> None:
    odd = Odd({"type": "http.response.start", "status": 404, "headers": []})
    odd.told("http", "/api")
    assert odd.path == "/api/"
