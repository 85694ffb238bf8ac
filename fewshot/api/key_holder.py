"""The key holder: gives the keys of the encryption to the computers of one installation, and to nobody else.

Whoever has the token can open every key, as whoever can read the key files on a single computer. So it is a program of
its own with its own port, not a part of the service that people reach.
"""

from __future__ import annotations

import hmac
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from fewshot.addresses import is_this_computer
from fewshot.api.rates import Rates
from fewshot.api.tls import require_tls
from fewshot.errors import FewshotError, UsageError
from fewshot.vault.errors import KeyGone
from fewshot.vault.file_keys import FileKeys
from fewshot.vault.held_keys import MOST, checked_token

LARGEST = 4 * 2**20
"""Bytes of a request: enough for the names of 100,000 keys, which one erasure may drop."""
KEEP = 60
"""Seconds for which a connection stays open between two requests."""
_ID = frozenset("0123456789abcdef")

logger = logging.getLogger(__name__)


class Refused(Exception):
    """A request that is not answered.

    Attributes:
        status: of the answer.
    """

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class KeyHolder:
    """Answers requests for keys.

    Args:
        keys: that it holds.
        token: that every request must bring.
        rates: counts requests with another token, so that they neither fill the log nor go on for long.
    """

    def __init__(self, keys: FileKeys, token: str, rates: Rates | None = None) -> None:
        self._keys, self._token, self._rates = keys, checked_token(token).encode(), rates or Rates()

    def application(self) -> Starlette:
        """The application for a server. Without the token it answers only that it is there."""
        routes = [
            Route("/health", self._health),
            Route("/state", self._state),
            Route("/names", self._names),
            Route("/open", self._open, methods=["POST"]),
            Route("/make", self._make, methods=["POST"]),
            Route("/drop", self._drop, methods=["POST"]),
        ]
        return Starlette(routes=routes, exception_handlers={Refused: _refused, FewshotError: _failed})

    async def _health(self, _request: Request) -> Response:
        return JSONResponse({"status": "ready"})

    async def _state(self, request: Request) -> Response:
        self._let_in(request)
        await run_in_threadpool(self._keys.refresh)
        return JSONResponse(self._told())

    async def _names(self, request: Request) -> Response:
        self._let_in(request)
        return JSONResponse({"names": sorted(await run_in_threadpool(self._keys.names))})

    async def _open(self, request: Request) -> Response:
        names = self._names_of(await self._body(request), MOST)
        return JSONResponse({**self._told(), "keys": await run_in_threadpool(self._opened, names)})

    async def _make(self, request: Request) -> Response:
        count = (await self._body(request)).get("count")
        if not isinstance(count, int) or isinstance(count, bool) or not 0 < count <= MOST:
            raise Refused(422, f"count must be a number from 1 to {MOST}")
        names = await run_in_threadpool(self._keys.make, count)
        return JSONResponse({**self._told(), "names": names})

    async def _drop(self, request: Request) -> Response:
        names = self._names_of(await self._body(request), LARGEST)
        count = await run_in_threadpool(self._keys.drop, names)
        logger.info("%d keys were dropped", count)
        return JSONResponse({**self._told(), "dropped": count})

    def _told(self) -> dict[str, Any]:
        record = self._keys.record
        return {"store": str(record.get("store", "")), "generation": int(record.get("generation", 0))}

    def _opened(self, names: list[str]) -> dict[str, str]:
        self._keys.refresh()
        found = {}
        for name in names if self._keys.exists else ():
            try:
                found[name] = self._keys.key(name).hex()
            except KeyGone:
                continue  # the answer lacks it
        return found

    def _let_in(self, request: Request) -> None:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer" and hmac.compare_digest(given.encode("utf-8", "replace"), self._token):
            # Also at an address with many wrong ones: nobody guesses a random token at any speed, and whoever shares
            # an address with the installation's computers could otherwise stop their lessons.
            return
        address = request.client.host if request.client else ""
        if self._rates.wait_for(address):
            raise Refused(429, "too many wrong tokens")
        self._rates.refused(address)
        logger.warning("a request without the token was refused")
        raise Refused(401, "the token is wrong or missing")

    async def _body(self, request: Request) -> dict[str, Any]:
        self._let_in(request)  # before a byte of it is read
        data = b""
        async for part in request.stream():
            data += part
            if len(data) > LARGEST:
                raise Refused(413, "the request is too large")
        try:
            found = json.loads(data)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise Refused(422, "the request is no JSON object")
        return found

    @staticmethod
    def _names_of(body: dict[str, Any], most: int) -> list[str]:
        names = body.get("names")
        if not isinstance(names, list) or len(names) > most:
            raise Refused(422, "names must be a list")
        if not all(isinstance(name, str) and 0 < len(name) <= 64 and _ID.issuperset(name) for name in names):
            raise Refused(422, "a name is no id of a key")
        return names


async def _refused(_request: Request, refused: Exception) -> Response:
    return JSONResponse({"error": str(refused)}, getattr(refused, "status", 500))


async def _failed(_request: Request, error: Exception) -> Response:
    logger.error("the keys cannot be given: %s", error)
    return JSONResponse({"error": "the keys cannot be opened or written; the holder's log says why"}, 503)


def serve_keys(
    folder: Path, host: str, port: int, token: str, certificate: Path | None = None, private_key: Path | None = None,
    tell: Callable[[str], None] = lambda _said: None,
) -> None:  # fmt: skip
    """Hold the keys of a folder until Ctrl-C.

    Args:
        folder: of ``keys.json``.
        host, port: where to listen.
        token: that every request must bring.
        certificate, private_key: files for TLS; needed where other computers reach it.
        tell: called with a sentence when it begins to listen.

    Raises:
        UsageError: other computers could reach it without TLS, a file is missing, or the token is too short.
        KeysUnusable: the keys that are there cannot be opened.
    """
    import uvicorn

    open_to_others = UsageError(
        f"At {host} other computers could reach the keys without TLS. Give a certificate and its private key, or "
        "listen at 127.0.0.1 only.",
        hint="Add: --certificate FILE --private-key FILE",
    )
    require_tls(certificate, private_key, "private-key", None if is_this_computer(host) else open_to_others)
    keys = FileKeys(folder)
    if keys.exists:
        keys.open_all()
    holder = KeyHolder(keys, token)
    scheme = "https" if certificate else "http"
    tell(f"Holding the keys in {folder} at {scheme}://{host}:{port}. Stop it with Ctrl-C.")
    uvicorn.run(
        holder.application(), host=host, port=port, log_level="warning", access_log=False, server_header=False,
        timeout_keep_alive=KEEP, ssl_certfile=certificate, ssl_keyfile=private_key,
    )  # fmt: skip
