"""The routes below ``/share``: a separate page that shares a window, its scripts, and the WebSocket."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.types import Scope
from starlette.websockets import WebSocket

from fewshot.app.sharing.sockets import share
from fewshot.database.owner import Owner

PATH = "/share"
_KINDS = {"html": "text/html", "js": "text/javascript", "css": "text/css"}
_FILES = ("share.js", "share_worker.js", "share_page.js", "share.css")


def routes(owner_of: Callable[[Scope], Owner | None]) -> list[Any]:
    """What the app mounts beside its pages.

    Args:
        owner_of: who sends a request; None if nobody is logged in.
    """

    async def socket(opened: WebSocket) -> None:
        await share(opened, owner_of)

    inside = [
        WebSocketRoute("/socket", socket),
        Route("/", _file("share.html")),
        *(Route(f"/{name}", _file(name)) for name in _FILES),
    ]
    return [Mount(PATH, routes=inside)]


def _file(name: str) -> Any:
    body = (files("fewshot.app") / "assets" / name).read_bytes()
    kind = f"{_KINDS[name.rpartition('.')[2]]}; charset=utf-8"

    async def answer(_request: Request) -> Response:
        # After an update of fewshot, an old script must not talk to a new server.
        return Response(body, media_type=kind, headers={"cache-control": "no-cache"})

    return answer
