"""Stands before every page, upload and WebSocket of the app, and refuses what a hostile page could send.

A page from elsewhere, open in the same browser, can send requests to this computer, and it can give its own name our
address ("DNS rebinding"). It cannot choose the headers Host and Origin, so these decide.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_READS = ("GET", "HEAD")
_SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}
_OURS = (
    b"content-security-policy", b"x-content-type-options", b"referrer-policy", b"x-frame-options",
    b"cross-origin-resource-policy", b"cross-origin-opener-policy",
)  # fmt: skip
_STARTS = ("http.response.start", "websocket.http.response.start")
_BEGINS = (*_STARTS, "websocket.accept", "websocket.close")
"""After these a server takes no other answer."""
SERVICE = "/api"
"""Where the service for other programs is mounted."""
FAULT = "A fault in fewshot. Its log has the details."
NO_PAGE = "This request does not say which page sent it. Only the app's own pages may send it."
_COMPONENT = "/component/"
"""Part of the paths of pages that the app itself shows in a frame, such as the one that sends the camera."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Who may call the app.

    Attributes:
        hosts: values of the header Host that mean this app directly, in lower case with the port.
        public: Host -> origin of the addresses that a reverse proxy gives it.
        framed_by: origins whose pages may show the app in a frame.
        home: the address to open instead, for whom is refused.
        place: under which name other computers reach the app; "" if only this computer can.
    """

    hosts: frozenset[str]
    public: Mapping[str, str] = field(default_factory=dict)
    framed_by: tuple[str, ...] = ()
    home: str = ""
    place: str = ""

    def refusal(self, scope: Scope) -> str | None:
        """Why a request or WebSocket is refused, in words; None if it may pass."""
        headers = _headers(scope)
        if odd := _odd(scope, headers):
            return odd
        host, origin = _only(headers.get("host", ())), _only(headers.get("origin", ()))
        if host is None or (host.lower() not in self.hosts and host.lower() not in self.public):
            return "This address does not belong to the app."
        reads = scope["type"] == "http" and scope["method"] in _READS
        if "origin" in headers:
            if origin is None or origin.lower() != self.origin(scope, host.lower()):
                return "Another page sent this request. Only the app's own pages may do that."
            return None
        if is_program(scope, headers):
            return None
        return self._foreign_read(headers) if reads else NO_PAGE

    def origin(self, scope: Scope, host: str) -> str:
        """The origin of the app's own pages, if they were loaded from ``host``."""
        return self.public.get(host) or f"{_SCHEMES.get(scope.get('scheme', 'http'), 'http')}://{host}"

    def own_origin(self, scope: Scope) -> str:
        """The origin of the app's own pages in a request that was not refused."""
        return self.origin(scope, (_only(_headers(scope).get("host", ())) or "").lower())

    def _foreign_read(self, headers: Mapping[str, tuple[str, ...]]) -> str | None:
        """Browsers say of a plain GET whether another site asked for it. A link to the app may be followed."""
        if _only(headers.get("sec-fetch-site", ())) not in ("cross-site", "same-site"):
            return None
        navigates = _only(headers.get("sec-fetch-mode", ())) == "navigate"
        into = _only(headers.get("sec-fetch-dest", ()))
        if navigates and (into == "document" or (into in ("iframe", "frame") and self.framed_by)):
            return None
        return "Another page asked for this. Open the app itself."

    def headers(self, scope: Scope) -> list[tuple[bytes, bytes]]:
        """What every answer says to the browser."""
        host = (_only(_headers(scope).get("host", ())) or "").lower()
        known = host in self.hosts or host in self.public
        # 'self' does not cover WebSockets in every browser.
        sockets = f" ws://{host} wss://{host}" if known else ""
        framed = ("'self'", *self.framed_by) if _COMPONENT in scope["path"] else (self.framed_by or ("'none'",))
        rules = (
            "default-src 'self'",
            # Streamlit starts with a script inside its page, and Vega compiles the expressions of a chart.
            "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "media-src 'self' data: blob:",
            "worker-src 'self' blob:",
            "frame-src 'self' data: blob:",
            f"connect-src 'self' data: blob:{sockets}",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            f"frame-ancestors {' '.join(framed)}",
        )
        named = {
            "content-security-policy": "; ".join(rules),
            "x-content-type-options": "nosniff",
            "referrer-policy": "same-origin",
            "cross-origin-resource-policy": "same-origin",
            # A page that opens the app in a window gets no hold of it, to send messages or to count its frames.
            "cross-origin-opener-policy": "same-origin",
        }
        return [(name.encode(), value.encode("latin-1")) for name, value in named.items()]


def is_service(scope: Scope) -> bool:
    """Whether a request is for the service, and not for a page."""
    return str(scope["path"]) == SERVICE or str(scope["path"]).startswith(f"{SERVICE}/")


def is_program(scope: Scope, headers: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether no page of a browser can have sent a request that does not name its page.

    A page can send no header Authorization to another site without asking first, which is refused; and browsers always
    name the page of a WebSocket.
    """
    if not is_service(scope):
        return False
    token = (_only(headers.get("authorization", ())) or "").lower().startswith("bearer ")
    return token or (scope["type"] == "websocket" and b"ticket=" in bytes(scope.get("query_string", b"")))


class Guard:
    """Pure ASGI middleware: refuses by ``Policy`` before a byte of the body is read.

    Args:
        app: what it stands before.
        policy: who may call it.
    """

    def __init__(self, app: Application, policy: Policy) -> None:
        self.app, self.policy = app, policy
        logging.getLogger("uvicorn.error").addFilter(_is_news)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request or WebSocket; anything else, such as the start, passes."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        if scope["path"] == SERVICE:  # what is mounted there begins with a slash; a page would answer without it
            scope = {**scope, "path": f"{SERVICE}/"}
        own, begun = self.policy.headers(scope), False

        async def send_with_headers(message: Message) -> None:
            nonlocal begun
            first, begun = not begun and message["type"] in _BEGINS, begun or message["type"] in _BEGINS
            if first and message["type"] == "websocket.close" and _can_answer(scope):
                # The server itself would answer without our headers, and without the reason.
                await _answer(scope, send, own, 403, "Not allowed", str(message.get("reason") or "Not allowed."))
                return
            if message["type"] in _STARTS:
                # Streamlit lets other origins read some answers; nothing here is for them.
                kept = [pair for pair in message.get("headers", ()) if not _is_replaced(bytes(pair[0]).lower())]
                if self.policy.own_origin(scope).startswith("https:"):
                    kept = [_with_tls_only(bytes(name), bytes(value)) for name, value in kept]
                message = {**message, "headers": [*kept, *own]}
            await send(message)

        refused = self.policy.refusal(scope)
        if refused is not None:
            await _refuse(scope, send, own, refused, self.policy.home)
            return
        try:
            await self.app(scope, receive, send_with_headers)
        except Exception:
            if not begun and _can_answer(scope):  # the server's own answer has no headers; it writes the log
                begun = True
                await _answer(scope, send_with_headers, (), 500, "Fault of the app", FAULT)
            raise


async def _refuse(scope: Scope, send: Send, own: Iterable[tuple[bytes, bytes]], refused: str, home: str) -> None:
    if not _can_answer(scope):
        await send({"type": "websocket.close", "code": 1008, "reason": refused})
        return
    words = f"{refused} Open {home} instead." if home else refused
    status, title, more = 403, "Not allowed", list(own)
    if is_service(scope):
        words += " A program sends its token: Authorization: Bearer TOKEN."
        if refused == NO_PAGE:  # browsers name their page, so it is a program without a token
            status, title = 401, "Not logged in"
            more.append((b"www-authenticate", b"Bearer"))
    await _answer(scope, send, more, status, title, words)


def _can_answer(scope: Scope) -> bool:
    """Whether the server takes an answer of ours; not every one does for a WebSocket that is refused."""
    return scope["type"] == "http" or "websocket.http.response" in (scope.get("extensions") or {})


async def _answer(
    scope: Scope, send: Send, more: Iterable[tuple[bytes, bytes]], status: int, title: str, words: str
) -> None:
    answer = "websocket.http.response" if scope["type"] == "websocket" else "http.response"
    body, kind = f"{words}\n".encode(), b"text/plain; charset=utf-8"
    if is_service(scope):  # its errors are problem+json, and its callers are programs
        problem = {"type": "about:blank", "title": title, "status": status, "detail": words}
        body, kind = json.dumps(problem).encode(), b"application/problem+json"
    headers = [
        (b"content-type", kind),
        (b"content-length", str(len(body)).encode()),
        # The rest of an upload must not be read only to keep the connection.
        (b"connection", b"close"),
        *more,
    ]
    await send({"type": f"{answer}.start", "status": status, "headers": headers})
    await send({"type": f"{answer}.body", "body": b"" if scope.get("method") == "HEAD" else body})


def _odd(scope: Scope, headers: Mapping[str, tuple[str, ...]]) -> str:
    """What is wrong with a request that two servers could understand in two ways; "" if nothing is."""
    if not str(scope["path"]).startswith("/"):
        # "GET http://evil/ HTTP/1.1" names a host too, which counts before the header.
        return "This is not the address of a page."
    if "content-length" in headers and "transfer-encoding" in headers:
        # A proxy could take the one, and this server the other: the rest would be somebody else's next request.
        return "This request says twice how long it is."
    return ""


def _is_news(record: logging.LogRecord) -> bool:
    """Not what uvicorn (0.54) writes after a WebSocket was refused with an answer: a page could fill the log."""
    return record.msg != "ASGI callable returned without completing handshake."


def _with_tls_only(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    """A header; a cookie so that it never travels without TLS. Streamlit does not know that a proxy has TLS."""
    if name.lower() != b"set-cookie" or b"secure" in [part.strip().lower() for part in value.split(b";")[1:]]:
        return name, value
    return name, value + b"; Secure"


def _is_replaced(name: bytes) -> bool:
    return name in _OURS or name.startswith(b"access-control-")


def _headers(scope: Scope) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for name, value in scope.get("headers", ()):
        key = bytes(name).decode("latin-1").lower()
        found[key] = (*found.get(key, ()), bytes(value).decode("latin-1").strip())
    return found


def _only(values: tuple[str, ...]) -> str | None:
    """The value of a header that was sent once; None if it is missing, or there are two that may contradict."""
    return values[0] if len(values) == 1 else None
