"""Lets only people through who are logged in: to pages, uploads, pictures and WebSockets alike."""

from __future__ import annotations

import functools
import logging
from urllib.parse import unquote

import anyio.to_thread

from fewshot.accounts.logins import IN_SCOPE, Login
from fewshot.app.guard import Application, Message, Receive, Scope, Send, is_service
from fewshot.app.login.desk import PASSWORD, PATHS, Desk
from fewshot.app.login.http import Answer, moved, values
from fewshot.app.login.sockets import EVERY, Socket
from fewshot.app.login.tabs import TABS, Tabs, close, shows
from fewshot.database.owner import Owner
from fewshot.errors import FewshotError

HEADER = "x-fewshot-login"
"""Tells the pages which login a WebSocket belongs to. What a browser sends under this name is dropped."""
HEALTH = "/_stcore/health"
UPLOADS = "_streamlit_xsrf"
"""Streamlit's cookie, without which it takes no upload."""
_NO_PAGES = ("/_stcore/", "/media/", "/component/", "/static/", "/app/static/")
_CLOSED = ("/auth/", "/oauth2callback", "/_stcore/agent/", "/_stcore/metrics", "/_stcore/script-health-check")
"""Streamlit's own login, and what shows or drives the whole app and no single person needs."""

logger = logging.getLogger(__name__)


class Gate:
    """Pure ASGI middleware behind the guard and before Streamlit.

    Args:
        app: what it stands before.
        desk: the pages of the login.
        tabs: which tab belongs to which login.
        every: seconds between two looks whether the login of a WebSocket still holds.
    """

    def __init__(self, app: Application, desk: Desk, tabs: Tabs = TABS, every: float = EVERY) -> None:
        self.app, self.desk, self.tabs, self.every = app, desk, tabs, every
        self._sockets: dict[int, set[Socket]] = {}
        desk.ended = self.end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request or WebSocket; anything else, such as the start, passes."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        http = scope["type"] == "http"
        try:
            if http and scope["path"] in PATHS:
                await (await self.desk.answer(scope, receive)).send(scope, send)
                return
            if http and scope["path"] == HEALTH and scope["method"] in ("GET", "HEAD"):
                await self._health(scope, receive, send)
                return
            # A program brings its token, and then no cookie counts.
            login = None if is_service(scope) and values(scope, "authorization") else await self.desk.find(scope)
        except FewshotError as error:
            logger.error("the login does not work: %s", error)
            await _refuse(scope, send, Answer(503, "The login does not work at the moment. Try again later.\n"))
            return
        if is_service(scope):
            await self._pass_to_service(scope, receive, send, login)
            return
        refused = self._refusal(scope, login)
        if refused is not None or login is None:
            await _refuse(scope, send, refused or Answer(401))
        elif http:
            await self._serve(scope, receive, send, login)
        else:
            await self._serve_socket(scope, receive, send, login)

    def end(self, login: int) -> None:
        """Close the WebSockets and tabs of a login that has ended. Must run in the server's event loop."""
        for socket in self._sockets.get(login, set()).copy():
            socket.end()
        close(login, self.tabs)

    async def _pass_to_service(self, scope: Scope, receive: Receive, send: Send, login: Login | None) -> None:
        """The service itself refuses who has neither a token nor a login."""
        if login is None or login.must_change:
            await self.app(scope, receive, send)
            return
        scope = {**scope, IN_SCOPE: login}
        if scope["type"] == "http":
            await self._serve(scope, receive, send, login)
        else:
            await self._serve_socket(scope, receive, send, login)

    def _refusal(self, scope: Scope, login: Login | None) -> Answer | None:
        path = _plain(scope["path"])
        page = scope["type"] == "http" and scope["method"] in ("GET", "HEAD") and not path.startswith(_NO_PAGES)
        if any(part in f"{path}/" for part in _CLOSED):
            return Answer(404, "There is no such page.\n")
        if login is None:
            return self.desk.to_login(scope) if page else Answer(401, "Log in first: open /login.\n")
        if login.must_change:
            return moved(PASSWORD) if page else Answer(403, f"Choose a password first: open {PASSWORD}.\n")
        # Wherever the app is mounted, so not only at the beginning of the path.
        for mark, allowed in (("/_stcore/upload_file/", self._uploads), ("/media/", self._shows)):
            before, found, rest = path.partition(mark)
            # Streamlit's own fonts lie in /static/media/.
            if found and before != "/static" and not allowed(rest, login):
                return Answer(404, "There is no such file.\n")
        return None

    def _uploads(self, rest: str, login: Login) -> bool:
        return self.tabs.belongs(rest.split("/", maxsplit=1)[0], login.id)

    def _shows(self, rest: str, login: Login) -> bool:
        return shows(rest, login.id, self.tabs)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, login: Login) -> None:
        private = "/media/" in scope["path"]
        if scope["method"] not in ("GET", "HEAD") or not _plain(scope["path"]).startswith(_NO_PAGES):
            await self._touch(login)

        async def send_private(message: Message) -> None:
            if private and message["type"] == "http.response.start":
                # A browser that others use next must not keep pictures of students.
                message = {**message, "headers": [*message.get("headers", ()), (b"cache-control", b"no-store")]}
            await send(message)

        await self.app(self._marked(scope, login), receive, send_private)

    async def _serve_socket(self, scope: Scope, receive: Receive, send: Send, login: Login) -> None:
        async def holds() -> bool:
            found = await anyio.to_thread.run_sync(functools.partial(self.desk.accounts.logins.get, login.id))
            return found is not None and not found.must_change

        socket = Socket(holds, functools.partial(self._touch, login), self.every)
        self._sockets.setdefault(login.id, set()).add(socket)
        try:
            await socket.serve(self.app, self._marked(scope, login), receive, send)
        finally:
            self._sockets[login.id].discard(socket)
            if not self._sockets[login.id]:
                del self._sockets[login.id]
            if socket.ended:
                self.end(login.id)

    async def _touch(self, login: Login) -> None:
        try:
            await anyio.to_thread.run_sync(functools.partial(self.desk.accounts.logins.touch, login.id))
        except FewshotError as error:
            logger.warning("that somebody is active could not be noted: %s", error)

    def _marked(self, scope: Scope, login: Login) -> Scope:
        """The scope as Streamlit sees it: with the login's id, without its cookie, and without another one's tab."""
        names, headers, protocols = self.desk.cookie_names(scope), [], []
        for key, value in scope.get("headers", ()):
            lower = bytes(key).lower()
            if lower == b"cookie":
                headers.append((key, _without_cookies(bytes(value), names)))
            elif lower == b"sec-websocket-protocol":
                protocols.append(bytes(value).decode("latin-1"))
            elif lower != HEADER.encode():
                headers.append((key, value))
        headers.append((HEADER.encode(), str(login.id).encode()))
        marked = {**scope, "headers": headers}
        if protocols:
            # Several headers are one list.
            parts = self._own_tab([part.strip() for part in ",".join(protocols).split(",")], login)
            headers.append((b"sec-websocket-protocol", ", ".join(parts).encode("latin-1")))
            marked["subprotocols"] = parts
        return marked

    def _own_tab(self, protocols: list[str], login: Login) -> list[str]:
        """Streamlit's third subprotocol is the tab to go on with: only one of this login."""
        if len(protocols) > 2 and not self.tabs.belongs(protocols[2], login.id):
            return protocols[:2]
        return protocols

    async def _health(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Whether the app runs: a status for whoever asks, and Streamlit's cookie for uploads, set nowhere else."""
        status = 503
        cookies: list[tuple[str, str]] = []

        async def listen(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                set_here = values({"headers": message.get("headers", ())}, "set-cookie")
                cookies.extend(("set-cookie", value) for value in set_here if value.startswith(f"{UPLOADS}="))

        await self.app(scope, receive, listen)
        await Answer(status, "ok\n" if status == 200 else "not ready\n", tuple(cookies)).send(scope, send)


def owner_in(scope: Scope, desk: Desk) -> Owner | None:
    """Who sends a request that has passed the gate, beside the pages; None if the login has ended meanwhile."""
    numbers = [bytes(value) for name, value in scope.get("headers", ()) if bytes(name) == HEADER.encode()]
    login = desk.accounts.logins.get(int(numbers[0])) if len(numbers) == 1 and numbers[0].isdigit() else None
    return None if login is None or login.must_change else login.owner


async def _refuse(scope: Scope, send: Send, answer: Answer) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": "Log in first."})
    else:
        await answer.send(scope, send)


def _plain(path: str) -> str:
    """A path as any part of the server may take it: decoded once more, and with single slashes."""
    twice = unquote(path)
    while "//" in twice:
        twice = twice.replace("//", "/")
    return twice


def _without_cookies(value: bytes, names: tuple[str, ...]) -> bytes:
    kept = [part for part in value.split(b";") if part.partition(b"=")[0].strip().decode("latin-1") not in names]
    return b";".join(kept).strip()
