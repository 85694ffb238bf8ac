"""A hostile page in the same browser, also one that gives its own name our address (DNS rebinding)."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import psutil
import pytest

from tests.browser.conftest import Served, acknowledge, to

pytestmark = pytest.mark.core
STRANGER = "evil.example"
TRIES = """async app => {
  const told = {};
  const attempt = async (name, work) => { try { told[name] = await work(); } catch (error) { told[name] = "failed"; } };
  await attempt("fetch", async () => (await fetch(app + "/", {credentials: "include"})).status);
  await attempt("upload", async () =>
    (await fetch(app + "/_stcore/upload_file/a/b", {method: "PUT", body: new Blob(["x"])})).status);
  await attempt("script", () => new Promise((done, fail) => {
    const script = document.createElement("script");
    script.onload = () => done("loaded"); script.onerror = fail;
    script.src = app + "/_stcore/host-config"; document.body.append(script); }));
  await attempt("socket", () => new Promise((done, fail) => {
    const socket = new WebSocket(app.replace("http", "ws") + "/_stcore/stream", ["streamlit"]);
    socket.onopen = () => done("open"); socket.onerror = fail; }));
  return told;
}"""


@pytest.fixture
def stranger() -> Iterator[str]:
    """A page on another port of this computer."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b"<!doctype html><title>hostile</title><body><p>hello</p></body>"
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://localhost:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join(10)


def test_a_page_on_another_port_gets_nothing(served: Served, browse: Callable[..., Any], stranger: str) -> None:
    page = browse()
    page.goto(stranger)
    told = page.evaluate(TRIES, served.address)
    assert told == {"fetch": "failed", "upload": "failed", "script": "failed", "socket": "failed"}


def test_a_form_of_another_page_is_refused(served: Served, browse: Callable[..., Any], stranger: str) -> None:
    page = browse()
    page.goto(stranger)
    page.evaluate(
        """app => { const form = document.createElement("form"); form.method = "post"; form.action = app + "/";
                    document.body.append(form); form.submit(); }""",
        served.address,
    )
    page.get_by_text("Another page sent this request").wait_for()


def test_another_page_cannot_frame_the_app(served: Served, browse: Callable[..., Any], stranger: str) -> None:
    page = browse()
    page.goto(stranger)
    with page.expect_response(lambda answer: answer.url.startswith(served.address)) as came:
        page.evaluate(
            "app => { const frame = document.createElement('iframe'); frame.src = app; document.body.append(frame); }",
            served.address,
        )
    assert came.value.status == 403
    assert not page.frames[-1].get_by_text("Where this may not be used").count()


def test_a_window_with_the_app_that_another_page_opened_is_out_of_its_hands(
    served: Served, browse: Callable[..., Any], stranger: str
) -> None:
    page = browse()
    page.goto(stranger)
    with page.expect_popup() as opened:
        page.evaluate("app => { window.held = window.open(app); }", served.address)
    opened.value.get_by_text("Where this may not be used").first.wait_for()
    # Nothing to send a message to, no frames to count, and no way to move the window to another address.
    assert page.evaluate("() => held.closed") and opened.value.evaluate("() => window.opener") is None
    config = opened.value.evaluate("async () => (await fetch('/_stcore/host-config')).json()")
    assert config["allowedOrigins"] == []


LOADS = """async app => {
  const told = {};
  const load = (name, tag, path, attribute = "src") => new Promise(done => {
    const made = document.createElement(tag);
    made.onload = () => done(told[name] = "loaded"); made.onerror = () => done(told[name] = "failed");
    if (tag === "link") made.rel = "stylesheet";
    made[attribute] = app + path; document.body.append(made);
    setTimeout(() => done(told[name] ??= "nothing"), 8000); });
  await Promise.all([
    load("image", "img", "/media/x.png"), load("page as image", "img", "/"), load("api", "script", "/api/health"),
    load("share", "script", "/share/share.js"), load("style", "link", "/share/share.css", "href"),
    load("metrics", "script", "/_stcore/metrics")]);
  await new Promise(done => { const events = new EventSource(app + "/api/lessons");
    events.onopen = () => done(told.events = "open");
    events.onerror = () => { events.close(); done(told.events = "failed"); }; });
  for (const path of ["/api/classes", "/_stcore/upload_file/a/b", "/logout"]) {
    const sent = {method: "POST", mode: "no-cors", credentials: "include", body: "x"};
    try { told[path] = (await fetch(app + path, sent)).type; } catch { told[path] = "failed"; } }
  for (const path of ["/share/socket", "/api/stream", "/api/stream?ticket=x"])
    await new Promise(done => { const socket = new WebSocket(app.replace("http", "ws") + path);
      socket.onopen = () => done(told[path] = "open"); socket.onerror = () => done(told[path] = "failed"); });
  navigator.sendBeacon(app + "/api/tickets", "x");
  return told;
}"""


def test_no_tag_event_or_socket_of_another_page_reaches_anything(
    served: Served, browse: Callable[..., Any], stranger: str
) -> None:
    page = browse()
    page.goto(stranger)
    statuses: list[int] = []
    page.on("response", lambda answer: statuses.append(answer.status) if served.address in answer.url else None)
    told = page.evaluate(LOADS, served.address)
    assert set(told.values()) == {"failed"}, told
    assert set(statuses) <= {403}


def test_a_strange_name_with_our_address_opens_nothing(served: Served, browse: Callable[..., Any]) -> None:
    page = browse(f"--host-resolver-rules=MAP {STRANGER} 127.0.0.1")
    answer = page.goto(f"http://{STRANGER}:{served.port}/")
    assert answer.status == 403 and "Open http://localhost" in page.inner_text("body")
    assert page.context.cookies() == []
    told = page.evaluate(TRIES, f"http://{STRANGER}:{served.port}")
    assert told["fetch"] == 403 and told["upload"] == 403 and told["script"] == told["socket"] == "failed"


def test_the_app_itself_works_behind_the_guard_and_breaks_no_rule_of_its_own(
    served: Served, browse: Callable[..., Any]
) -> None:
    page = browse()
    said: list[str] = []
    page.on("console", lambda line: said.append(line.text))
    acknowledge(page, served.address)
    for name in ("Class", "Live", "Report", "Settings", "Help"):
        to(page, name)
        page.wait_for_timeout(300)
    assert [line for line in said if "Content Security Policy" in line or "Refused to" in line] == []


def ask(port: int, headers: dict[str, str], method: str = "GET", path: str = "/") -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    status = connection.getresponse().status
    connection.close()
    return status


def test_a_strange_upload_is_refused_before_its_body_and_is_not_kept_in_memory(served: Served) -> None:
    before = psutil.Process(served.process.pid).memory_info().rss
    for host, origin in ((STRANGER, f"http://{STRANGER}"), (f"localhost:{served.port}", "http://localhost:9999")):
        for _ in range(3):
            headers = {"Host": host, "Origin": origin, "Content-Length": str(400 << 20)}
            assert ask(served.port, headers, "PUT", "/_stcore/upload_file/a/b") == 403  # not a byte of it was sent
            with socket.create_connection(("127.0.0.1", served.port), timeout=20) as line:
                line.sendall(
                    f"PUT /_stcore/upload_file/a/b HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\n"
                    f"Content-Length: {400 << 20}\r\n\r\n".encode()
                )
                try:
                    for _ in range(64):
                        line.sendall(bytes(1 << 20))
                except OSError:
                    pass  # the server hung up, as it should
    assert psutil.Process(served.process.pid).memory_info().rss - before < 64 << 20


@pytest.mark.parametrize("origin", [None, "http://localhost:9999", f"http://{STRANGER}", "null"])
def test_a_websocket_from_elsewhere_does_not_open(served: Served, origin: str | None) -> None:
    upgrade = {
        "Host": f"localhost:{served.port}", "Connection": "Upgrade", "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    }  # fmt: skip
    given = {} if origin is None else {"Origin": origin}
    assert ask(served.port, {**upgrade, **given}, path="/_stcore/stream") == 403
    assert ask(served.port, {**upgrade, "Origin": served.address}, path="/_stcore/stream") == 101
