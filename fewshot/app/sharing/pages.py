"""The routes below ``/share``: a separate page that shares a window, its scripts, and the WebSocket."""

from __future__ import annotations

import json
from collections.abc import Callable
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.types import Scope
from starlette.websockets import WebSocket

from fewshot.app.sharing.sockets import share
from fewshot.app.sharing.words import words
from fewshot.database.owner import Owner
from fewshot.translation import LANGUAGE, LANGUAGES, language_of_header

PATH = "/share"
_KINDS = {"js": "text/javascript", "css": "text/css"}
_FRESH = {"cache-control": "no-cache"}
"""After an update of fewshot, an old script must not talk to a new server."""
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
        Route("/", _page),
        *(Route(f"/{name}", _file(name)) for name in _FILES),
    ]
    return [Mount(PATH, routes=inside)]


async def _page(request: Request) -> Response:
    """The separate page in the language of the page Live that has the link to it, else in the browser's."""
    asked = request.query_params.get("language", "")
    language = asked if asked in LANGUAGES else language_of_header(request.headers.get("accept-language", ""))
    before = LANGUAGE.set(language)
    try:
        said = words()
    finally:
        LANGUAGE.reset(before)
    data = json.dumps(said).replace("<", "\\u003c")  # it stands inside an element of the page
    shown = {name: escape(text) for name, text in said.items()}
    page = Template((files("fewshot.app") / "assets" / "share.html").read_text(encoding="utf-8"))
    body = page.substitute(shown, language=language, words=data)
    return Response(body, media_type="text/html; charset=utf-8", headers=_FRESH)


def _file(name: str) -> Any:
    body = (files("fewshot.app") / "assets" / name).read_bytes()
    kind = f"{_KINDS[name.rpartition('.')[2]]}; charset=utf-8"

    async def answer(_request: Request) -> Response:
        return Response(body, media_type=kind, headers=_FRESH)

    return answer
