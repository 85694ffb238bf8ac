"""Stands before the routes: finds out who calls, counts, limits what is sent, and writes a line for the log."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

import anyio
import anyio.to_thread

from fewshot.accounts.logins import IN_SCOPE, Login
from fewshot.api.callers import Caller
from fewshot.api.problems import MEDIA_TYPE, Problem, problem_of
from fewshot.api.service import Service
from fewshot.errors import FewshotError

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

CALLER = "fewshot_caller"
"""In the scope of a request: who calls."""
OPEN = ("/health", "/ready", "/openapi.json")
"""Paths that answer anybody."""
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT")
"""Other methods are counted as one: whoever calls may invent them, and each would be a figure of its own."""
MOST_BYTES, MOST_UPLOAD = 64_000, 64_000_000
"""Bytes of a request, and of one with photos or pictures."""
PATIENCE = 30.0
"""Seconds within which the next bytes of a request must come."""

logger = logging.getLogger("fewshot.api")


class Door:
    """Pure ASGI middleware of the service.

    Args:
        app: the routes.
        service: whose they are.
    """

    def __init__(self, app: Application, service: Service) -> None:
        self.app, self.service = app, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request or WebSocket; anything else, such as the start, passes."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        begun, seen = time.monotonic(), _Seen(send, headless=scope.get("method") == "HEAD")
        if seen.headless:  # answered like GET, without the body
            scope = {**scope, "method": "GET"}
        try:
            if _path(scope) not in OPEN:
                scope[CALLER] = await self._admit(scope)
            if scope["type"] == "websocket":
                await self.app(scope, receive, seen.send)
            else:
                await self._bounded(scope, receive, seen)
        except Problem as problem:
            await _refuse(scope, seen, problem)
        except FewshotError as error:
            await _refuse(scope, seen, problem_of(error))
        finally:
            self._note(scope, seen, time.monotonic() - begun)

    async def _admit(self, scope: Scope) -> Caller:
        address = str((scope.get("client") or ("unknown",))[0])
        caller = await anyio.to_thread.run_sync(self._find, scope)
        if caller is None:
            # After the look-up: a token has 256 random bits, so nobody guesses one by trying, and somebody with wrong
            # tokens must not keep a program with a right one out that has the same address, such as a school's.
            wait = self.service.rates.wait_for(address)
            if wait:
                raise _too_many(wait, "Too many requests with a wrong token came from this address.")
            self.service.rates.refused(address)
            said = "Send a token that holds: Authorization: Bearer TOKEN."
            raise Problem(401, said, headers={"www-authenticate": "Bearer"})
        wait = self.service.rates.call(caller.key, _uploads(scope))
        if wait:
            raise _too_many(wait, "Too many requests came with this token or login.")
        return caller

    def _find(self, scope: Scope) -> Caller | None:
        given = _values(scope, "authorization")
        if given:  # whoever sends a token means it, so no cookie counts beside it
            kind, _, text = given[0].partition(" ")
            return self.service.of_token(text.strip()) if len(given) == 1 and kind.lower() == "bearer" else None
        ticket = dict(parse_qsl(bytes(scope.get("query_string", b"")).decode("latin-1"))).get("ticket", "")
        if ticket and scope["type"] == "websocket":
            return self.service.of_ticket(ticket)
        login = scope.get(IN_SCOPE)
        return (
            Caller.of_login(login, self.service.tokens) if isinstance(login, Login) and not login.must_change else None
        )

    async def _bounded(self, scope: Scope, receive: Receive, seen: _Seen) -> None:
        """Serve a request; its body may not be longer than allowed, and must not come letter by letter."""
        uploads = _uploads(scope)
        most = MOST_UPLOAD if uploads else MOST_BYTES
        length = _values(scope, "content-length")
        if length and length[0].isascii() and length[0].isdecimal() and int(length[0][:20]) > most:
            raise _too_large(most, uploads)
        size, fault = 0, None

        async def receive_bounded() -> Message:
            nonlocal size, fault
            message: Message = {"type": "http.disconnect"}
            if fault is not None:
                return message
            # Once an answer has begun, a server waits here for the end of the connection.
            with anyio.move_on_after(PATIENCE if not seen.status else None) as waiting:
                message = await receive()
            if waiting.cancelled_caught:
                fault = Problem(408, f"Nothing came for {PATIENCE:.0f} seconds. Send the request again.")
            size += len(message.get("body", b""))
            if size > most:
                fault = _too_large(most, uploads)
            return {"type": "http.disconnect"} if fault is not None else message

        async def send(message: Message) -> None:
            if fault is None:
                await seen.send(message)

        try:
            await self.app(scope, receive_bounded, send)
        except Exception:
            if fault is None:
                raise
        if fault is not None:
            raise fault

    def _note(self, scope: Scope, seen: _Seen, seconds: float) -> None:
        """One line of JSON, without names: of a path only its form is written."""
        route = str(getattr(scope.get("route"), "path", "") or "none")
        method = "HEAD" if seen.headless else scope.get("method", "WEBSOCKET")
        method = method if method in (*METHODS, "WEBSOCKET") else "other"
        caller = scope.get(CALLER)
        if method != "WEBSOCKET":
            self.service.figures.requests.labels(method, route, str(seen.status)).inc()
            self.service.figures.request_seconds.labels(route).observe(seconds)
        who = caller.key if isinstance(caller, Caller) else None
        line = {"method": method, "route": route, "status": seen.status, "ms": round(1000 * seconds), "caller": who}
        logger.info("%s", json.dumps(line))


class _Seen:
    """Passes an answer on, and remembers its status.

    Args:
        send: where the answer goes.
        headless: whether its body is left out.
    """

    def __init__(self, send: Send, headless: bool) -> None:
        self.status, self.ended = 0, False
        self._send, self.headless = send, headless

    async def send(self, message: Message) -> None:
        """Pass a part of the answer on."""
        if message["type"] in ("http.response.start", "websocket.http.response.start"):
            self.status = int(message["status"])
            message = {**message, "headers": [*message.get("headers", ()), (b"cache-control", b"no-store")]}
        elif message["type"] == "http.response.body" and self.headless:
            message = {**message, "body": b""}
        elif message["type"] == "websocket.accept":
            self.status = 101
        elif message["type"] == "websocket.close":
            self.ended = True
        await self._send(message)


async def _refuse(scope: Scope, seen: _Seen, problem: Problem) -> None:
    answer = "http.response"
    if scope["type"] == "websocket":
        answer = "websocket.http.response"  # one that was not accepted yet may get an answer like any request
        if seen.status or seen.ended or answer not in (scope.get("extensions") or {}):
            if not seen.ended:
                await seen.send({"type": "websocket.close", "code": 1008, "reason": problem.text[:120]})
            return
    if seen.status:  # too late for another answer
        return
    body = problem.body()
    headers = {
        "content-type": MEDIA_TYPE,
        "content-length": str(len(body)),
        "connection": "close",  # the rest of an upload must not be read only to keep the connection
        **problem.headers,
    }
    pairs = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    await seen.send({"type": f"{answer}.start", "status": problem.status, "headers": pairs})
    await seen.send({"type": f"{answer}.body", "body": body})


def _path(scope: Scope) -> str:
    """The path below the place where the service is mounted."""
    return str(scope["path"]).removeprefix(str(scope.get("root_path", "")))


def _uploads(scope: Scope) -> bool:
    return any(kind.lower().startswith("multipart/") for kind in _values(scope, "content-type"))


def _values(scope: Scope, name: str) -> list[str]:
    pairs = scope.get("headers", ())
    return [bytes(value).decode("latin-1").strip() for key, value in pairs if bytes(key).lower() == name.encode()]


def _too_large(most: int, uploads: bool) -> Problem:
    said = f"{most / 1e6:g} MB. Send fewer or smaller pictures at once" if uploads else f"{most // 1000} kB"
    return Problem(413, f"The request is larger than {said}.")


def _too_many(wait: int, said: str) -> Problem:
    return Problem(429, f"{said} Try again in {wait} seconds.", headers={"retry-after": str(wait)})
