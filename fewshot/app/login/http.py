"""The little of HTTP that the login needs, without Streamlit: headers, cookies, forms and answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlsplit

import anyio

from fewshot.app.guard import Receive, Scope, Send

MOST_BYTES = 8192
"""Of a form; a longer one is refused before it is read to its end."""
FORM_TIME = 15.0
"""Seconds until a form must be here; a stranger who sends it letter by letter holds a connection no longer."""
_MOST_FIELDS = 20


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of a page of the login."""

    status: int = 200
    body: str = ""
    headers: tuple[tuple[str, str], ...] = ()

    async def send(self, scope: Scope, send: Send) -> None:
        """Send it; a HEAD request gets the headers only. A body that was not wanted is not read to its end."""
        body = self.body.encode()
        html = self.body.startswith("<!doctype")
        pairs = [
            ("content-type", "text/html; charset=utf-8" if html else "text/plain; charset=utf-8"),
            ("content-length", str(len(body))),
            ("cache-control", "no-store"),
            *self.headers,
            *((("connection", "close"),) if _has_body(scope) else ()),
        ]
        headers = [(name.encode(), value.encode("latin-1")) for name, value in pairs]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


def moved(path: str, *headers: tuple[str, str]) -> Answer:
    """Send the browser to a path of this app with a GET."""
    return Answer(303, "", (("location", path), *headers))


def values(scope: Scope, name: str) -> list[str]:
    """The values of a header."""
    return [
        bytes(value).decode("latin-1").strip()
        for key, value in scope.get("headers", ())
        if bytes(key).lower() == name.encode()
    ]


def cookie(scope: Scope, name: str) -> str:
    """The value of a cookie; "" if it is missing, or if there are two that may contradict."""
    found = [
        value.strip()
        for header in values(scope, "cookie")
        for key, _, value in (part.partition("=") for part in header.split(";"))
        if key.strip() == name
    ]
    return found[0] if len(found) == 1 else ""


def set_cookie(name: str, value: str, secure: bool, seconds: int | None = None) -> tuple[str, str]:
    """The header that sets a cookie of the login; "" deletes it."""
    age = 0 if not value else seconds
    parts = [f"{name}={value}", "Path=/", "HttpOnly", "SameSite=Lax"]
    parts += ["Secure"] if secure else []
    parts += [] if age is None else [f"Max-Age={age}"]
    return "set-cookie", "; ".join(parts)


def query(scope: Scope) -> dict[str, str]:
    """The fields behind the question mark of an address; of two with one name the first counts."""
    return _fields(bytes(scope.get("query_string", b"")).decode("latin-1"))


async def form(scope: Scope, receive: Receive) -> dict[str, str] | None:
    """The fields of a form that was sent; None if it is too long, comes too slowly, or is not a form."""
    kind = values(scope, "content-type")
    if len(kind) != 1 or kind[0].split(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        return None
    with anyio.move_on_after(FORM_TIME):
        return await _read(receive)
    return None


async def _read(receive: Receive) -> dict[str, str] | None:
    body = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")
        if len(body) > MOST_BYTES:
            return None
        if not message.get("more_body", False):
            return _fields(body.decode("latin-1"))


def _has_body(scope: Scope) -> bool:
    """Whether a request brings a body, as long as it may be. The server would read it all to keep the connection."""
    return bool(values(scope, "transfer-encoding")) or any(size != "0" for size in values(scope, "content-length"))


def _fields(text: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="replace")
    except ValueError:
        return {}
    found: dict[str, str] = {}
    for name, value in pairs:
        found.setdefault(name, value)
    return found


def own_path(address: str, never: Sequence[str] = ()) -> str:
    """The address if it is a path of this app that a browser may open after the login, else "/".

    >>> own_path("/report?lesson=3"), own_path("//evil.example"), own_path("/\\\\evil.example"), own_path("http://a")
    ('/report?lesson=3', '/', '/', '/')
    """
    # Browsers take a backslash for a slash, and drop tabs and line breaks.
    odd = not address.isprintable() or "\\" in address or len(address) > 1000
    if odd or not address.startswith("/") or address.startswith("//"):
        return "/"
    try:
        parts = urlsplit(address)
    except ValueError:
        return "/"
    if parts.scheme or parts.netloc or parts.path in never or parts.path.startswith(("/_stcore", "/media/")):
        return "/"
    return quote(address, safe="/?&=%+-._~!$'()*,;:@#")


def asked_for(scope: Scope) -> str:
    """The path and query of a request, as ``own_path`` takes it."""
    path = quote(str(scope["path"]))
    text = bytes(scope.get("query_string", b"")).decode("latin-1")
    return f"{path}?{text}" if text else path


def told(fields: Mapping[str, str], name: str) -> str:
    """A field of a form; "" if it is missing."""
    return fields.get(name, "")
